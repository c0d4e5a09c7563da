#include "tool/address.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *scheme;
    uint16_t port;
} schemes[] = {
    {"http",  80 },
    {"https", 443},
    {"ws",    80 },
    {"wss",   443},
    {"ftp",   21 },
    {"ftps",  990}
};

static bool parse_port(const char *text, size_t length, uint16_t *port)
{
    unsigned long value = 0;

    if (length == 0 || length > 5)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (unsigned long)(text[i] - '0');
    }
    *port = (uint16_t)value;
    return value >= 1 && value <= UINT16_MAX;
}

/* "name", "name:port", "[::1]:port", and a bare IPv6 address. */
static const char *parse_authority(struct address *address, const char *text, size_t length)
{
    const char *colon = memrchr(text, ':', length);
    size_t name = length;
    uint16_t port = address->place.port;

    if (text[0] == '[') {
        const char *end = memchr(text, ']', length);
        if (!end)
            return "a [ without its ]";
        name = (size_t)(end + 1 - text);
        if (name < length && *(end + 1) != ':')
            return "expected :PORT behind the ]";
    } else if (colon && colon == memchr(text, ':', length)) {
        name = (size_t)(colon - text);
    }
    if (memchr(text, '*', name))
        return "patterns are for the configuration; name one host";
    if (name < length && !parse_port(text + name + 1, length - name - 1, &port))
        return "the port is no number from 1 to 65535";
    if (!place_from_host(&address->place, text, name, port))
        return "no host's name or address";
    return NULL;
}

static const char *parse_url(struct address *address, const char *text, size_t scheme)
{
    const char *start = text + scheme + 3;
    size_t length = strcspn(start, "/?#");
    const char *at = memrchr(start, '@', length);
    const char *path = start + length;

    address->is_url = true;
    address->is_encrypted = scheme == 5 && strncasecmp(text, "https", 5) == 0;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strlen(schemes[i].scheme) == scheme && strncasecmp(schemes[i].scheme, text, scheme) == 0)
            address->place.port = schemes[i].port;
    if (at) {
        length -= (size_t)(at + 1 - start);
        start = at + 1;
    }
    const char *fault = length ? parse_authority(address, start, length) : "the URL names no host";
    if (fault)
        return fault;
    if (address->place.port == 0)
        return "the port does not follow from the URL's scheme; say ://HOST:PORT";
    address->path_length = strcspn(path, "?#");
    if (address->path_length >= sizeof address->path)
        return "the URL's path is too long";
    memcpy(address->path, path, address->path_length);
    if (address->path_length == 0)
        address->path[address->path_length++] = '/';
    address->path[address->path_length] = '\0';
    return NULL;
}

const char *address_parse(struct address *address, const char *text)
{
    const char *scheme = strstr(text, "://");

    memset(address, 0, sizeof *address);
    if (strncmp(text, "unix:", 5) == 0)
        return place_from_path(&address->place, text + 5, strlen(text + 5))
                   ? NULL
                   : "unix: wants a path of a socket";
    if (scheme && scheme > text)
        return parse_url(address, text, (size_t)(scheme - text));
    if (!*text)
        return "no host is given";
    if (strpbrk(text, "/?#@"))
        return "neither HOST:PORT nor a URL; a URL begins with http:// or https://";
    return parse_authority(address, text, strlen(text));
}

bool address_matches(const struct address *address, const char *host)
{
    struct place place = address->place;
    char text[PLACE_TEXT_MAX];
    bool any_port = place.family != PLACE_UNIX && place.port == 0;

    if (any_port)
        place.port = 1;
    size_t length = place_print(&place, text);
    if (!any_port)
        return strcmp(text, host) == 0;
    length--; /* the colon stays */
    return strncmp(text, host, length) == 0 && host[length] &&
           strspn(host + length, "0123456789") == strlen(host + length);
}
