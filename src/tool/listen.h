/* A socket that listens where an option says. */
#ifndef GUSSET_TOOL_LISTEN_H
#define GUSSET_TOOL_LISTEN_H

enum { LISTEN_ADDRESS = 64 };

/*
 * Listens at "PORT", ":PORT" (loopback), "ADDRESS:PORT" or "[ADDRESS]:PORT", addresses as numbers; port 0
 * takes a free one. The socket does not block and is the caller's; address becomes "127.0.0.1:9464", as
 * bound. Returns NULL, or a sentence about what is wrong.
 */
const char *listen_open(const char *where, int *listener, char address[LISTEN_ADDRESS]);

#endif
