#include "curl/target.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { URL_MAX = 65536 };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_host_byte(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/*
 * libcurl reads "127.1", "0x7f000001" and "017700000001" as addresses. A last label that begins with a
 * digit is plain only as the last part of a canonical dotted quad.
 */
static bool is_plain_name(const char *host, size_t length)
{
    uint8_t address[16];
    size_t label = length;

    if (!length || host[0] == '.' || host[length - 1] == '.')
        return false;
    while (label > 0 && host[label - 1] != '.')
        label--;
    if (host[label] < '0' || host[label] > '9')
        return true;
    return place_parse_address(host, length, address) == PLACE_IPV4;
}

/* Returns the byte behind the port, or NULL when it is none. */
static const char *read_port(const char *at, uint16_t *port)
{
    unsigned value = 0;
    const char *digit = at;

    for (; *digit >= '0' && *digit <= '9' && digit - at < 6; digit++)
        value = value * 10 + (unsigned)(*digit - '0');
    if (digit == at || value == 0 || value > 65535)
        return NULL;
    *port = (uint16_t)value;
    return digit;
}

/* The path, as libcurl would send it: nothing to decode, no dot segments to fold, no blank to encode. */
static bool read_plain_path(struct target *target, const char *at)
{
    size_t length = 0;
    bool in_path = *at == '/';

    target->path[0] = '/';
    target->path_length = 1;
    for (const char *c = at; *c; c++) {
        if (*c <= ' ' || *c > '~' || *c == '\\')
            return false;
        if (*c == '?' || *c == '#')
            in_path = false;
        if (in_path && c[0] == '/' && c[1] == '.')
            return false;
        if (in_path && length < TARGET_PATH_MAX)
            target->path[length++] = *c;
    }
    if (length)
        target->path_length = length;
    return true;
}

bool target_read_plain(struct target *target, const char *url)
{
    uint16_t port = 80;

    target->scheme = TARGET_HTTP;
    if (strncasecmp(url, "http", 4) != 0)
        return false;
    url += 4;
    if (*url == 's' || *url == 'S') {
        target->scheme = TARGET_HTTPS;
        port = 443;
        url++;
    }
    if (strncmp(url, "://", 3) != 0)
        return false;
    const char *host = url + 3;
    const char *end = host;
    if (*host == '[') {
        uint8_t address[16];
        while (*end && *end != ']' && end - host < 64)
            end++;
        if (*end != ']' || place_parse_address(host + 1, (size_t)(end - host - 1), address) != PLACE_IPV6)
            return false;
        end++;
    } else {
        while (is_host_byte(*end))
            end++;
        if (!is_plain_name(host, (size_t)(end - host)))
            return false;
    }
    const char *rest = end;
    if (*rest == ':') {
        rest = read_port(rest + 1, &port);
        if (!rest)
            return false;
    }
    if (*rest && *rest != '/' && *rest != '?' && *rest != '#')
        return false;
    return read_plain_path(target, rest) && place_from_host(&target->place, host, (size_t)(end - host), port);
}

static enum target_scheme scheme_of(const char *name)
{
    if (strcasecmp(name, "http") == 0)
        return TARGET_HTTP;
    return strcasecmp(name, "https") == 0 ? TARGET_HTTPS : TARGET_OTHER;
}

static bool is_left_alone(const char *scheme)
{
    static const char *const names[] = {"file", "ws", "wss"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(scheme, names[i]) == 0)
            return true;
    return false;
}

static bool take_parts(struct target *target, const char *scheme, const char *host, const char *port,
                       const char *path)
{
    unsigned long number = port ? strtoul(port, NULL, 10) : 0;

    if (!scheme || !host || number > 65535 || is_left_alone(scheme))
        return false;
    target->scheme = scheme_of(scheme);
    target->path_length = path ? strnlen(path, TARGET_PATH_MAX) : 0;
    memcpy(target->path, path ? path : "", target->path_length);
    return place_from_host(&target->place, host, strlen(host), (uint16_t)number);
}

static bool read_by_curl(struct target *target, const struct libcurl *libcurl, const char *url)
{
    CURLU *parts = libcurl->url();
    char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL;
    bool known = false;

    if (!parts)
        return false;
    if (libcurl->url_set(parts, CURLUPART_URL, url, CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME) ==
        CURLUE_OK) {
        libcurl->url_get(parts, CURLUPART_SCHEME, &scheme, 0);
        libcurl->url_get(parts, CURLUPART_HOST, &host, 0);
        libcurl->url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
        libcurl->url_get(parts, CURLUPART_PATH, &path, 0);
        known = take_parts(target, scheme, host, port, path);
    }
    libcurl->free(scheme);
    libcurl->free(host);
    libcurl->free(port);
    libcurl->free(path);
    libcurl->url_cleanup(parts);
    return known;
}

/*
 * Whether libcurl takes a URL for one that names its scheme: letters, and what may follow them, before ":/".
 * A "://" further on (in a query) is none, and "host:80" names a port.
 */
static bool names_scheme(const char *url)
{
    enum { SCHEME_MAX = 40 };
    size_t length = 0;

    if (!is_letter(url[0]))
        return false;
    while (length < SCHEME_MAX &&
           (is_letter(url[length]) || (url[length] && strchr("0123456789+-.", url[length]))))
        length++;
    return url[length] == ':' && url[length + 1] == '/';
}

/* As libcurl does it: the default protocol goes before a URL that names none. */
static bool read_with_scheme(struct target *target, const struct libcurl *libcurl, const char *url,
                             const char *scheme)
{
    size_t scheme_length = strlen(scheme), url_length = strlen(url);
    char *whole = malloc(scheme_length + 3 + url_length + 1);
    bool known = false;

    if (!whole)
        return false;
    memcpy(whole, scheme, scheme_length);
    memcpy(whole + scheme_length, "://", 3);
    memcpy(whole + scheme_length + 3, url, url_length + 1);
    known = read_by_curl(target, libcurl, whole);
    free(whole);
    return known;
}

bool target_read(struct target *target, const struct libcurl *libcurl, const char *url,
                 const char *default_scheme, uint16_t port)
{
    bool known = false;

    if (target_read_plain(target, url))
        known = true;
    else if (strnlen(url, URL_MAX) == URL_MAX)
        known = false;
    else if (default_scheme && !names_scheme(url))
        known = read_with_scheme(target, libcurl, url, default_scheme);
    else
        known = read_by_curl(target, libcurl, url);
    if (known && port)
        target->place.port = port;
    return known && target->place.port;
}

bool target_has_origin(const struct target *target, enum target_scheme scheme, const struct place *place)
{
    const struct place *own = &target->place;

    return target->scheme == scheme && own->port == place->port && own->family == place->family &&
           own->name_length == place->name_length && memcmp(own->name, place->name, own->name_length) == 0;
}

bool target_same_origin(const struct target *a, const struct target *b)
{
    return target_has_origin(a, b->scheme, &b->place);
}
