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

/* The prefix behind an address, "/8"; without one all bits count. -1: none. */
static int read_prefix(const char *text, size_t length, int most)
{
    int bits = 0;

    if (!length)
        return most;
    for (size_t i = 1; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || bits > most)
            return -1;
        bits = bits * 10 + (text[i] - '0');
    }
    return length > 1 && bits <= most ? bits : -1;
}

/* "10.0.0.0/8", "2001:db8::/32": taken by libcurl since 7.86, bits past the prefix or not. */
static bool covers_address(const char *item, size_t length, const struct place *place)
{
    const char *slash = memchr(item, '/', length);
    size_t address_length = slash ? (size_t)(slash - item) : length;
    uint8_t address[16];
    enum place_family family = place_parse_address(item, address_length, address);

    if (family == PLACE_NAME || family != place->family)
        return false;
    int bits = read_prefix(item + address_length, length - address_length, family == PLACE_IPV6 ? 128 : 32);
    if (bits < 0 || memcmp(address, place->address, (size_t)bits / 8) != 0)
        return false;
    return bits % 8 == 0 || (address[bits / 8] ^ place->address[bits / 8]) >> (8 - bits % 8) == 0;
}

static bool is_excepted(const char *list, const struct place *place, bool knows_networks)
{
    if (!list)
        return false;
    if (strcmp(list, "*") == 0)
        return true;
    while (*list) {
        size_t length = strcspn(list, ", ");
        if (covers(list, length, place) || (knows_networks && covers_address(list, length, place)))
            return true;
        list += length + strspn(list + length, ", ");
    }
    return false;
}

bool proxy_is_excepted(const struct handle *handle, const struct place *place)
{
    const char *exceptions = handle->texts[HANDLES_NOPROXY].bytes;

    if (!exceptions && !(exceptions = variable("no_proxy")))
        exceptions = variable("NO_PROXY");
    return is_excepted(exceptions, place, handle->libcurl->version >= 0x075600);
}

bool proxy_may_be_used(const struct handle *handle, enum target_scheme scheme, const struct place *place)
{
    const char *proxy = handle->texts[HANDLES_PROXY].bytes;

    if (place->family == PLACE_UNIX)
        return false;
    if (!proxy)
        proxy = proxy_of_environment(scheme);
    return proxy && *proxy && !proxy_is_excepted(handle, place);
}
