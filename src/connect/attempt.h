/*
 * A connect under a rule: refused at once with the rule's errno, or made, limited in time, and made again on
 * the same descriptor where the socket may wait. One that does not wait for its outcome goes on as pending.
 * Nothing here allocates or locks, or holds a program whose socket does not block, unless retry.wait allows
 * it.
 */
#ifndef GUSSET_CONNECT_ATTEMPT_H
#define GUSSET_CONNECT_ATTEMPT_H

#include <sys/socket.h>

/* As connect(2), errno included. */
int attempt_connect(int fd, const struct sockaddr *to, socklen_t length);

#endif
