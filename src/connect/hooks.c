/* connect(2) and the look-ups that come before it: guard, ask, delegate. */
#include "connect/attempt.h"
#include "connect/names.h"
#include "gate/ready.h"
#include "sys/libcurl.h"
#include "sys/real.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int connect(int fd, const struct sockaddr *to, socklen_t length)
{
    if (libcurl_any_holds(__builtin_return_address(0)))
        return real.connect(fd, to, length); /* libcurl's own, already judged */
    return attempt_connect(fd, to, length);
}

/* A look-up may allocate, so it is also where a program that never calls curl makes its rules ready. */
EXPORTED int getaddrinfo(const char *restrict node, const char *restrict service,
                         const struct addrinfo *restrict hints, struct addrinfo **restrict result)
{
    int code = real.getaddrinfo(node, service, hints, result);

    if (code == 0 && node && gate_ready(true))
        names_remember(node, *result);
    return code;
}
