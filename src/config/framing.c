#include "config/framing.h"

#include <stddef.h>
#include <strings.h>

static const char *const names[] = {
    "Connection", "Content-Length",      "Expect",           "HTTP2-Settings",
    "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "TE",
    "Trailer",    "Transfer-Encoding",   "Upgrade",
};

bool framing_needs(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}
