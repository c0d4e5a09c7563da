/*
 * A small HTTP/1.1 server for scrapes and browsers: one thread, a table of pages, a few connections at a
 * time, each with its deadlines; what it does not know is refused. It answers a request a connection. It has
 * a loop of its own, or takes part in another's.
 */
#ifndef GUSSET_TOOL_SERVE_H
#define GUSSET_TOOL_SERVE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tool/listen.h"

enum { SERVE_CONNECTIONS = 16, SERVE_POLLED = SERVE_CONNECTIONS + 1 };

struct serve_page {
    const char *path, *type;
    int (*write)(void *context, FILE *to); /* returns the status: 200, 503 */
};

struct serve_connection;

struct serve {
    const struct serve_page *pages; /* a page without a path ends them */
    void *context;                  /* of the pages */
    int listener;
    bool is_local;                        /* only this machine is listened to */
    uint64_t rests_until_ms;              /* monotonic: the listener, when a connection cannot be taken */
    char address[LISTEN_ADDRESS];         /* as bound */
    struct serve_connection *connections; /* heap */
};

/* Listens; where is as listen_open takes it. Returns NULL, or a sentence about what is wrong. */
const char *serve_open(struct serve *serve, const char *where);
void serve_close(struct serve *serve);

/* Answers until SIGINT or SIGTERM. Returns 0, or -errno. */
int serve_run(struct serve *serve);

/*
 * For a loop of the caller's: fills in what is to be waited for (a descriptor may be -1), and goes on with
 * what came. Deadlines want it to be called each second, whether something came or not.
 */
void serve_prepare(const struct serve *serve, struct pollfd polled[SERVE_POLLED]);
void serve_continue(struct serve *serve, const struct pollfd polled[SERVE_POLLED]);

#endif
