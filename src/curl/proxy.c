#include "curl/proxy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* http_proxy is taken in small letters alone: HTTP_PROXY may be a client's header under CGI. */
static const char *proxy_of_environment(enum target_scheme scheme)
{
    const char *proxy = NULL;

    if (scheme == TARGET_HTTP)
        proxy = variable("http_proxy");
    if (scheme == TARGET_HTTPS && !(proxy = variable("https_proxy")))
        proxy = variable("HTTPS_PROXY");
    if (!proxy && !(proxy = variable("all_proxy")))
        proxy = variable("ALL_PROXY");
    return proxy;
}

/* "example.com" and ".example.com" both mean the host and all below it. */
static bool covers(const char *item, size_t length, const struct place *place)
{
    if (length && *item == '.') {
        item++;
        length--;
    }
    if (!length || length > place->name_length)
        return false;
    const char *end = place->name + place->name_length - length;
    return strncasecmp(end, item, length) == 0 && (end == place->name || end[-1] == '.');
}

static bool is_excepted(const char *list, const struct place *place)
{
    if (!list)
        return false;
    if (strcmp(list, "*") == 0)
        return true;
    while (*list) {
        size_t length = strcspn(list, ", ");
        if (covers(list, length, place))
            return true;
        list += length + strspn(list + length, ", ");
    }
    return false;
}

bool proxy_may_be_used(const struct handle *handle)
{
    const char *proxy = handle->texts[HANDLES_PROXY].bytes,
               *exceptions = handle->texts[HANDLES_NOPROXY].bytes;

    if (handle->target.place.family == PLACE_UNIX)
        return false;
    if (!proxy)
        proxy = proxy_of_environment(handle->target.scheme);
    if (!proxy || !*proxy)
        return false;
    if (!exceptions && !(exceptions = variable("no_proxy")))
        exceptions = variable("NO_PROXY");
    return !is_excepted(exceptions, &handle->target.place);
}
