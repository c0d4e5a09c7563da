#include "core/endpoint.h"

#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool begins_with(const char *text, size_t length, const char *word)
{
    size_t i = 0;

    for (; word[i]; i++)
        if (i == length || lower(text[i]) != word[i])
            return false;
    return true;
}

static const struct {
    const char *lead;
    enum endpoint_scheme scheme;
} srv_schemes[] = {
    {"_https.", ENDPOINT_HTTPS},
    {"_http.",  ENDPOINT_HTTP },
};

/* RFC 2782: "_service._proto.name" */
static enum endpoint_fault parse_srv(struct endpoint *out, const char *name, size_t length)
{
    if (!place_from_host(&out->place, name, length, 0) || out->place.family != PLACE_NAME)
        return ENDPOINT_BAD_SRV;
    const char *domain = endpoint_srv_domain(out);
    if (!*domain || domain[0] == '_')
        return ENDPOINT_BAD_SRV;
    for (size_t i = 0; i < sizeof srv_schemes / sizeof *srv_schemes; i++)
        if (begins_with(name, length, srv_schemes[i].lead)) {
            out->scheme = srv_schemes[i].scheme;
            break;
        }
    return ENDPOINT_FINE;
}

const char *endpoint_srv_domain(const struct endpoint *endpoint)
{
    static const char nothing[] = "";
    const char *at = endpoint->place.name, *end = at + endpoint->place.name_length;

    for (int label = 0; label < 2; label++) {
        if (*at != '_')
            return nothing;
        while (at < end && *at != '.')
            at++;
        if (at == end)
            return nothing;
        at++;
    }
    return at;
}

static bool is_scheme_byte(char c, bool is_first)
{
    c = lower(c);
    return (c >= 'a' && c <= 'z') ||
           (!is_first && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'));
}

/* How many bytes "scheme:" has; 0: there is none. */
static size_t scheme_length(const char *text, size_t length)
{
    size_t at = 0;

    while (at < length && is_scheme_byte(text[at], at == 0))
        at++;
    return at > 0 && at < length && text[at] == ':' ? at + 1 : 0;
}

/* Digits behind the colon, to the end of the authority. */
static bool parse_port(const char *text, size_t length, uint16_t *port)
{
    unsigned value = 0;

    if (length == 0 || length > 5)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *port = (uint16_t)value;
    return value > 0 && value <= 65535;
}

static enum endpoint_fault parse_authority(struct endpoint *out, const char *text, size_t length)
{
    size_t host = 0;
    uint16_t port = 0;

    for (size_t i = 0; i < length; i++)
        if (text[i] == '@')
            return ENDPOINT_CREDENTIALS;
    if (length > 0 && text[0] == '[')
        while (host < length && text[host++] != ']')
            ;
    else
        while (host < length && text[host] != ':')
            host++;
    if (host < length && (text[host] != ':' || !parse_port(text + host + 1, length - host - 1, &port)))
        return ENDPOINT_BAD_PORT;
    if (!place_from_host(&out->place, text, host, port) || out->place.family == PLACE_UNIX)
        return ENDPOINT_BAD_HOST;
    return ENDPOINT_FINE;
}

static enum endpoint_fault parse_path(struct endpoint *out, const char *path, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)path[i] <= ' ' || path[i] == 0x7f || path[i] == '?' || path[i] == '#')
            return ENDPOINT_BAD_PATH;
    while (length > 0 && path[length - 1] == '/')
        length--;
    if (length > ENDPOINT_PATH_MAX)
        return ENDPOINT_BAD_PATH;
    out->path = path;
    out->path_length = (uint16_t)length;
    return ENDPOINT_FINE;
}

static uint16_t default_port(enum endpoint_scheme scheme)
{
    switch (scheme) {
    case ENDPOINT_ANY:
        break;
    case ENDPOINT_HTTP:
        return 80;
    case ENDPOINT_HTTPS:
        return 443;
    }
    return 0;
}

enum endpoint_fault endpoint_parse(struct endpoint *out, const char *text, size_t length)
{
    size_t scheme = scheme_length(text, length), end;

    *out = (struct endpoint){.scheme = ENDPOINT_ANY, .path = text};
    if (begins_with(text, length, "srv:")) {
        out->is_srv = true;
        return parse_srv(out, text + 4, length - 4);
    }
    if (!begins_with(text + scheme, length - scheme, "//"))
        return ENDPOINT_BAD_FORM;
    if (begins_with(text, scheme, "http:"))
        out->scheme = ENDPOINT_HTTP;
    else if (begins_with(text, scheme, "https:"))
        out->scheme = ENDPOINT_HTTPS;
    text += scheme + 2;
    length -= scheme + 2;
    for (end = 0; end < length && text[end] != '/' && text[end] != '?' && text[end] != '#';)
        end++;
    enum endpoint_fault fault = parse_authority(out, text, end);
    if (fault == ENDPOINT_FINE)
        fault = parse_path(out, text + end, length - end);
    if (fault == ENDPOINT_FINE && out->place.port == 0)
        out->place.port = default_port(out->scheme);
    return fault;
}

const char *endpoint_fault_text(enum endpoint_fault fault)
{
    switch (fault) {
    case ENDPOINT_FINE:
        return "fine";
    case ENDPOINT_BAD_FORM:
        return "an address such as \"http://localhost:8001\", \"tcp://10.0.0.5:5432\" or "
               "\"srv:_http._tcp.users.internal\"";
    case ENDPOINT_BAD_HOST:
        return "a host's name or address behind the //";
    case ENDPOINT_BAD_PORT:
        return "a port from 1 to 65535 behind the host";
    case ENDPOINT_BAD_PATH:
        return "a path of at most 512 bytes without blank, query and fragment";
    case ENDPOINT_BAD_SRV:
        return "srv:_SERVICE._PROTO.DOMAIN, such as \"srv:_http._tcp.users.internal\"";
    case ENDPOINT_CREDENTIALS:
        return "no user or password in it; headers of the policy can carry credentials";
    }
    return "";
}

const char *endpoint_scheme_name(enum endpoint_scheme scheme)
{
    return scheme == ENDPOINT_HTTP ? "http" : scheme == ENDPOINT_HTTPS ? "https" : "";
}
