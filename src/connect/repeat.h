/*
 * A connect(2) to where one has led before and ended well. It is opened, made and ended by the few words that
 * were kept of that one; where more is to be done it becomes an attempt like any other.
 */
#ifndef GUSSET_CONNECT_REPEAT_H
#define GUSSET_CONNECT_REPEAT_H

#include <stdbool.h>
#include <sys/socket.h>

#include "connect/known.h"

/* As connect(2), *result and errno. False, and nothing done, where it must be searched for. */
bool repeat_connect(int fd, const struct sockaddr *to, socklen_t length, const struct known_look *look,
                    int *result);

/* As attempt_connect, for what known_at_once tells of. */
int repeat_at_once(int fd, const struct sockaddr *to, socklen_t length, struct known_entry *entry,
                   uint64_t version);

#endif
