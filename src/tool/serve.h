/*
 * A small HTTP/1.1 server for scrapes: one thread, a page, a few connections at a time, each with its
 * deadlines; what it does not know is refused. It answers a request a connection.
 */
#ifndef GUSSET_TOOL_SERVE_H
#define GUSSET_TOOL_SERVE_H

#include <stdbool.h>
#include <stdio.h>

enum { SERVE_ADDRESS = 64 };

struct serve {
    int listener;
    char address[SERVE_ADDRESS]; /* "127.0.0.1:9464", as bound */
    const char *path, *type;     /* of the one page */
    void (*write_page)(void *context, FILE *to);
    void *context;
};

/*
 * Listens at "PORT", ":PORT" (loopback), "ADDRESS:PORT" or "[ADDRESS]:PORT", addresses as numbers; port 0
 * takes a free one. Returns NULL, or a sentence about what is wrong.
 */
const char *serve_open(struct serve *serve, const char *where);

/* Answers until SIGINT or SIGTERM. Returns 0, or -errno. */
int serve_run(struct serve *serve);

#endif
