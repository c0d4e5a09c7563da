/* Health checks, all at once: over HTTP, to the end of a TCP connect, to the end of a TLS handshake. libcurl
 * makes them; it is loaded when the first is made. */
#ifndef GUSSET_TOOL_PROBE_H
#define GUSSET_TOOL_PROBE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/settings.h"
#include "core/outcome.h"
#include "tool/progress.h"

enum { PROBE_URL = 1024, PROBE_TEXT = 128, PROBE_POLLED = 64 };

struct probe {
    char url[PROBE_URL];   /* what is asked; for tcp and tls only its host and port count */
    char route[PROBE_URL]; /* "::HOST:PORT" where another machine than the URL's is meant; "" */
    enum settings_health type;
    uint32_t timeout_ms;
    /* The answer. */
    struct outcome outcome; /* success: well. What this side causes is OUTCOME_LOCAL */
    uint64_t took_us;
    char text[PROBE_TEXT]; /* a word or two on the outcome; "" when well */
};

/* Makes them all and waits for the last, which is told to progress. Returns 0, or -1 after a complaint:
 * libcurl cannot be had. */
int probe_run(struct probe *probes, unsigned count, struct progress *progress);

/*
 * For who has other things to do meanwhile. A probe that was begun stays where it is until probe_ended has
 * given it back, which it does in the order in which they end; NULL: none has ended yet. Returns 0, or -1
 * after a complaint as above.
 */
int probe_begin(struct probe *probe);
struct probe *probe_ended(void);

/* Whether probe_ended would give one back. */
bool probe_has_ended(void);

/* Waits for them and for the caller's descriptors as poll(2) does, but for one that is -1; errors count as
 * nothing having come. */
void probe_wait(struct pollfd *polled, unsigned count, int timeout_ms);

/* Gives up those that are under way. */
void probe_drop(void);

#endif
