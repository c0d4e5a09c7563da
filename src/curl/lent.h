/*
 * Limits of time that libcurl is lent: its own options, worn by the handle of a call. deadline decides when,
 * and keeps what is not lent itself.
 */
#ifndef GUSSET_CURL_LENT_H
#define GUSSET_CURL_LENT_H

#include <stdbool.h>
#include <stdint.h>

struct call;

/* The transfer must be over then; 0: whenever. Monotonic. */
void lent_until(struct call *call, uint64_t ends_us);

/* libcurl is to end it at its next turn. */
void lent_end_now(struct call *call);

/* What is left of the program's own limit is worn again. */
void lent_give_back(struct call *call);

/* Whether the limit on connecting is kept by deadline: libcurl tells when it has left its queue. */
bool lent_is_told_of_queue(const struct call *call);

/* The limit on connecting, where the policy's is the shorter. */
void lent_limit_connect(struct call *call);

/* A look-up of names that hangs does not hold the end of a transfer up. */
void lent_exit_quickly(struct call *call);

/* The limit on silence within a body, where polls are not seen; and off again. */
void lent_limit_idle(struct call *call);
void lent_lift_idle(struct call *call);

/* All of the program's own again. */
void lent_restore(struct call *call);

#endif
