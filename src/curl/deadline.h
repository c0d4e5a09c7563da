/*
 * How long an attempt may take: the policy's limits and the program's own, the shorter of each pair.
 * libcurl has one clock for a transfer (CURLOPT_TIMEOUT_MS, from its start), so that clock is moved on
 * as the transfer proceeds: until the request is sent, until the first byte of the reply, then free.
 */
#ifndef GUSSET_CURL_DEADLINE_H
#define GUSSET_CURL_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

struct call;

struct deadline {
    uint64_t call_started_us;
    uint64_t attempt_started_us;
    uint64_t program_ends_us; /* the program's own CURLOPT_TIMEOUT, as a moment; 0: none */
    uint64_t ours_ends_us;    /* the policy's limit that holds now, as a moment; 0: none */
    uint64_t last_byte_us;    /* when the last byte of a body came; kept only where idle is limited */
    uint32_t connect_ms;      /* the policy's, where it is shorter than the program's; 0: not ours */
    bool idle_is_ours;        /* CURLOPT_LOW_SPEED_TIME is ours */
    bool is_sent;             /* the limit counts from the last byte of the request on */
    bool sees_polls;          /* libcurl's loop comes through our hook before it waits */
    bool is_to_relax;         /* the reply is the program's, but the limit for its first byte still stands */
    bool quick_exit_is_worn;
    long worn_ms; /* what CURLOPT_TIMEOUT_MS is set to */
};

/* A call begins: fixes the program's deadline and brings the gate's nearer where it is earlier. */
void deadline_call(struct call *call);

/* An attempt begins: sets the limits for connecting and for the first byte. */
void deadline_attempt(struct call *call);

/* The last byte of the request is about to leave: from here the reply has `attempt` to begin. */
void deadline_sent(struct call *call);

/* The reply reaches the program: only the limits on the whole transfer hold from here. */
void deadline_committed(struct call *call);

/*
 * libcurl's loop is about to wait for at most timeout_ms. Sets the limits that were left for now, and returns
 * how long it may wait, so that a limit that was moved nearer is not found late.
 */
int deadline_poll_ms(struct call *call, int timeout_ms);

/* Bytes of a body have come. */
void deadline_body(struct call *call);

/* The reply is being thrown away: give its body a moment, so that the connection can be kept. */
void deadline_swallow(struct call *call);

/* After CURLE_OPERATION_TIMEDOUT: was it a limit of the policy (the peer's fault), or the program's own? */
bool deadline_was_ours(const struct call *call);

/* Puts the program's own limits back. */
void deadline_restore(struct call *call);

#endif
