/*
 * One look at the shared state: its hosts, copied, and what the configuration says of their policies. It is
 * what `status` and `metrics` tell of.
 */
#ifndef GUSSET_TOOL_READING_H
#define GUSSET_TOOL_READING_H

#include "config/model.h"
#include "tool/address.h"
#include "tool/open.h"
#include "tool/snapshot.h"
#include "tool/tokens.h"

struct reading {
    struct open_state state;
    bool exists; /* the state file */
    struct snapshot_list hosts, buckets;
    struct model model; /* for the windows and limits that the policies set */
    uint64_t now_us;    /* monotonic, when the look was taken */
};

/*
 * Finds the state (named: --state, or NULL) and reads the configuration. Returns 0, or -1 after a complaint.
 * reading_end ends it.
 */
int reading_begin(struct reading *reading, const char *named);
void reading_end(struct reading *reading);

/*
 * Takes a look at the address's hosts (NULL: all), for which the state is opened anew: the file may come, go
 * or be replaced meanwhile. Returns 0, or -1 after a complaint. reading_drop frees what it holds.
 */
int reading_take(struct reading *reading, const struct address *address);
void reading_drop(struct reading *reading);

/* The window that the host's policy counts failures in; 0 when it is not known. */
uint32_t reading_window_ms(struct reading *reading, const struct snapshot *host);

/* The host's rate limit; without a rule where it has none. */
struct tokens reading_tokens(struct reading *reading, const struct snapshot *host);

/* The most calls that the host's policy lets be in flight; 0: no bulkhead, or not known here. */
uint32_t reading_bulkhead(struct reading *reading, const struct snapshot *host);

/* What the switch says: "as configured", "enforce", "shadow", "off". */
const char *reading_mode(const struct reading *reading);

/* The same of the host's own switch (`gusset mode --host`). */
const char *reading_host_mode(const struct reading *reading, const struct snapshot *host);

/* How many hosts have one, also such as no call has gone to. */
unsigned reading_switched_hosts(const struct reading *reading);

/* Connects that no rule meant, of all processes. */
uint64_t reading_unprotected(const struct reading *reading);

#endif
