/*
 * Where connects have led before. For an address and port that is that no rule means it, or the call that
 * went there last: the next one is opened from it, and neither names nor rules nor slots are searched again.
 * What is kept holds while names, rules, switch and slot are as they were. A fixed table of the process; no
 * lock.
 */
#ifndef GUSSET_CONNECT_KNOWN_H
#define GUSSET_CONNECT_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/place.h"
#include "gate/gate.h"
#include "gate/kept.h"

struct known_entry;

/* What is known of a place, read in one moment. */
struct known_look {
    enum known_answer { KNOWN_NOT, KNOWN_UNMATCHED, KNOWN_CALL } answer;
    bool is_settled; /* the names need not be looked at */
    struct known_entry *entry;
    uint64_t version;
    uint64_t names; /* names_mark */
    uint64_t now;   /* names_now, before anything else was read */
};

/* Of an internet place. */
struct known_look known_look(const struct place *place);

/*
 * KNOWN_CALL: opens the next call like it and admits its first attempt (kept_open), presuming that the socket
 * is TCP, as it was then. False where something has changed.
 */
bool known_open(const struct known_look *look, struct kept *kept, uint64_t *opened_us);

/* What holds when a place is searched for; to be taken before, and handed back with what was found. */
struct known_moment {
    struct gate_era era;
    uint64_t names; /* names_mark */
};
struct known_moment known_moment(const struct place *place);

/* No rule means the place. */
void known_unmatched(const struct place *place, const struct known_moment *moment);

/* A call to the place that ended well and is closed; kept where the next can be like it. */
void known_keep(const struct place *place, const struct known_moment *moment, const struct gate_call *call);

/* Not only TCP goes to the place: from now on nothing is presumed of its sockets. */
void known_mixed(const struct place *place);

#endif
