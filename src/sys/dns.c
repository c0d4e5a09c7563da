#include "sys/dns.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <resolv.h>
#include <string.h>

#include "sys/linker.h"

enum { TRY_S = 1, TRIES = 2 };

typedef int init_function(res_state state);
typedef int query_function(res_state state, const char *name, int class, int type, unsigned char *answer,
                           int size);
typedef void close_function(res_state state);

/* In libc since glibc 2.34, under one name or the other; before that in a library that is not loaded for
 * this. */
static linker_function *find(const char *name)
{
    linker_function *found = NULL;
    void *symbol = linker_find(NULL, name, NULL);

    memcpy(&found, &symbol, sizeof found);
    return found;
}

static long ask(const char *name, uint8_t *reply, size_t size)
{
    init_function *init = (init_function *)find("__res_ninit");
    query_function *query = (query_function *)find("res_nquery");
    close_function *end = (close_function *)find("__res_nclose");
    struct __res_state state;

    memset(&state, 0, sizeof state);
    if (!init || !query || !end || init(&state) != 0)
        return -ENOSYS;
    state.retrans = TRY_S;
    state.retry = TRIES;
    int length = query(&state, name, ns_c_in, ns_t_srv, reply, (int)size);
    int reason = state.res_h_errno;
    end(&state);
    if (length > 0)
        return (size_t)length < size ? length : (long)size;
    return reason == HOST_NOT_FOUND || reason == NO_DATA ? -ENOENT : -EAGAIN;
}

long dns_ask_srv(const char *name, uint8_t *reply, size_t size)
{
    int kept = errno, kept_h = h_errno;
    long length = ask(name, reply, size);

    errno = kept;
    h_errno = kept_h;
    return length;
}
