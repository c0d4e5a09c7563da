/*
 * How long an attempt may take: the policy's limits and the program's own, the shorter of each pair.
 *
 * libcurl's easy loop comes through the loader each time before it waits (curl_multi_poll), so the
 * policy's limits are kept there: the wait is cut to what is left, and when nothing is left
 * CURLOPT_TIMEOUT_MS is set to 1, and libcurl ends the transfer natively. A libcurl whose
 * loop is not seen (linked with -Bsymbolic) gets the limits as CURLOPT_TIMEOUT_MS, moved on as the
 * transfer proceeds. A transfer in a multi handle of the program's is looked at whenever its event loop
 * comes by (curl/turn.h).
 */
#ifndef GUSSET_CURL_DEADLINE_H
#define GUSSET_CURL_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

struct call;

struct deadline {
    uint64_t call_started_us;
    bool has_begun; /* a reply has reached the program before this attempt: total no longer holds */
    uint64_t attempt_started_us;
    uint64_t queued_us;       /* since when libcurl may keep it waiting for a connection; 0: it does not */
    int64_t queue_connection; /* CURLINFO_CONN_ID then: another tells that it has left the queue */
    uint64_t connects_us;     /* it was seen to have left the queue, and has sent nothing yet; 0: not seen */
    uint64_t sent_us;         /* the last byte of the request has left; 0: not yet */
    uint64_t paused_us;       /* since when the program takes nothing by curl_easy_pause; 0: it does */
    uint64_t swallow_us;      /* the reply began to be thrown away */
    uint64_t last_byte_us; /* of a body came; 0: none yet, the program has paused, or idle is not limited */
    uint64_t program_ends_us; /* the program's own CURLOPT_TIMEOUT, as a moment; 0: none */
    int first_patience_ms;    /* patience_ms of an attempt that nothing was waited for before */
    int patience_ms;          /* for so long libcurl may wait before a limit of the policy can have passed */
    uint32_t connect_ms;      /* CURLOPT_CONNECTTIMEOUT is ours, because shorter than the program's; 0: not */
    bool idle_is_ours;        /* CURLOPT_LOW_SPEED_TIME is ours */
    bool quick_exit_is_worn;
    bool may_queue; /* the program has limited its loop's connections */
    bool is_plain;  /* nobody need hear of new moments: no limit is left to libcurl or the program's loop,
                       and none depends on the body */
    bool is_lent;   /* CURLOPT_TIMEOUT_MS holds a limit of ours */
    uint64_t
        *loop_looks_us; /* when the program's event loop must look at its calls again; NULL: no such loop */
    long worn_ms;       /* what CURLOPT_TIMEOUT_MS is set to */
};

/* A call begins: fixes the program's deadline and brings the gate's nearer where it is earlier. */
void deadline_call(struct call *call);

/* An attempt begins: sets the limits for connecting and for the first byte. */
void deadline_attempt(struct call *call);

/* A call and its first attempt begin, like those before where limits were plain, of a body that is not long.
 */
void deadline_repeat(struct call *call);

/*
 * A call begins in a program's event loop, and leaves it: there its limits are kept by looks, of which the
 * next is called for in *looks_us. may_queue: the program has limited its loop's connections.
 */
void deadline_enters_loop(struct call *call, uint64_t *looks_us, bool may_queue);
void deadline_leaves_loop(struct call *call);

/* After deadline_repeat: such a call begins there, where no connection is waited for. */
void deadline_repeats_in_loop(struct call *call, uint64_t *looks_us);

/* A request is about to be written, the first of the attempt or the one to where a redirect led. */
void deadline_sends(struct call *call);

/* A redirect is followed: the next request may have to wait for a connection, too. */
void deadline_hop(struct call *call);

/* Its last byte has left: from here the reply has `attempt` to begin. */
void deadline_sent(struct call *call);

/* The reply reaches the program: only the limits on the whole transfer hold from here. */
void deadline_committed(struct call *call);

/* The body has broken off, and another attempt will go on with it. */
void deadline_resumes(struct call *call);

/* Another transfer goes on with the attempt (curl/hedge.h): what is left of the program's own limit holds for
 * it. */
void deadline_takes_over(struct call *call);

/* Bytes of a body have come; the program took them, or paused (then its silence is its own). */
void deadline_body(struct call *call, bool is_paused);

/* The program pauses its transfer by curl_easy_pause, and lets it go on: what it does not take is not late.
 */
void deadline_pauses(struct call *call);
void deadline_goes_on(struct call *call);

/* The reply is being thrown away: give its body a moment, so that the connection can be kept. */
void deadline_swallow(struct call *call);

/* Whether gusset comes by often enough to keep the limits itself. */
bool deadline_sees_polls(const struct call *call);

/* libcurl's loop is about to wait for at most timeout_ms; returns how long it may. */
int deadline_poll_ms(struct call *call, int timeout_ms);

/*
 * The program's event loop has come by: ends the transfer at its next turn where a limit has passed. Returns
 * whether one has; brings *loop_looks_us nearer, to when it is worth coming again.
 */
bool deadline_look(struct call *call, uint64_t now_us);

/* The quick answer, without a clock: whether it may wait as long as it wants to. Spends patience. */
static inline bool deadline_can_wait(struct deadline *deadline, int timeout_ms)
{
    if ((unsigned)timeout_ms >= (unsigned)deadline->patience_ms) /* a negative one has no end */
        return false;
    deadline->patience_ms -= timeout_ms + 1;
    return true;
}

/* The program has set a time limit from a callback of its transfer. */
void deadline_program_set(struct call *call);

/* After CURLE_OPERATION_TIMEDOUT: was it a limit of the policy (the peer's fault), or the program's or the
 * run's own? */
bool deadline_was_ours(const struct call *call);

/* The handle has gone that wore them. */
void deadline_retire(struct deadline *deadline);

/* Puts the program's own limits back. */
void deadline_restore(struct call *call);

#endif
