/*
 * A connect under a rule. A refused one fails at once with the rule's errno; a made one tells the
 * circuit how it ended where that is known on return. Nothing here allocates, locks or blocks an event loop.
 */
#ifndef GUSSET_CONNECT_ATTEMPT_H
#define GUSSET_CONNECT_ATTEMPT_H

#include <sys/socket.h>

/* As connect(2), errno included. */
int attempt_connect(int fd, const struct sockaddr *to, socklen_t length);

#endif
