/*
 * An address for a socket that has its other end already (socketpair): libcurl 7.88 calls connect(2) on a
 * socket though its CURLOPT_SOCKOPTFUNCTION has said that it is connected. Nobody can listen at this
 * path, which lies below something that is no folder; where connect(2) is asked for it, it is answered by us.
 */
#ifndef GUSSET_SYS_PAIRED_H
#define GUSSET_SYS_PAIRED_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PAIRED_PATH "/dev/null/made-by-gusset"

/* Whether it is that address. Of libcurl's own calls alone, whose addresses can be read. */
static inline bool paired_is(const struct sockaddr *to, socklen_t length)
{
    return to->sa_family == AF_UNIX &&
           length >= offsetof(struct sockaddr_un, sun_path) + sizeof PAIRED_PATH &&
           memcmp(((const struct sockaddr_un *)(const void *)to)->sun_path, PAIRED_PATH,
                  sizeof PAIRED_PATH) == 0;
}

#endif
