#include "agent/redis_url.h"

#include <stdbool.h>
#include <string.h>

#define EXPECTED "expected redis://[[user]:password@]host[:port][/db] or unix:///path[?db=N]"

static int hex(char digit)
{
    const char digits[] = "0123456789abcdef";
    const char *found = digit ? strchr(digits, digit >= 'A' && digit <= 'F' ? digit + 32 : digit) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* Takes %XX for a byte. False where it is none, the byte is a control character, or there is no room. */
static bool decode(const char *text, size_t length, char out[REDIS_URL_WORD])
{
    size_t used = 0;

    for (size_t i = 0; i < length; i++) {
        int byte = (unsigned char)text[i];
        if (byte == '%') {
            int high = length - i > 2 ? hex(text[i + 1]) : -1, low = high < 0 ? -1 : hex(text[i + 2]);
            byte = low < 0 ? 0 : high * 16 + low;
            i += 2;
        }
        if (byte < ' ' || byte == 0x7f || used == REDIS_URL_WORD - 1)
            return false;
        out[used++] = (char)byte;
    }
    out[used] = '\0';
    return true;
}

/* A number of so many digits at most, and nothing else. */
static bool read_digits(const char *text, size_t length, size_t most, char *out)
{
    if (length == 0 || length > most || strspn(text, "0123456789") < length)
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

/* "[user]:password" */
static bool read_userinfo(struct redis_url *url, const char *text, size_t length)
{
    const char *colon = memchr(text, ':', length);

    return colon && decode(text, (size_t)(colon - text), url->user) &&
           decode(colon + 1, (size_t)(text + length - colon - 1), url->password) && url->password[0];
}

/* "host", "host:port", "[address]:port" */
static bool read_host(struct redis_url *url, const char *text, size_t length)
{
    const char *bracket = *text == '[' ? memchr(text, ']', length) : NULL;
    const char *rest = bracket ? bracket + 1 : text + strcspn(text, ":/?");
    const char *end = text + length;

    strcpy(url->port, "6379");
    if (rest > end || !decode(text + !!bracket, (size_t)(rest - text) - 2 * !!bracket, url->host) ||
        !url->host[0])
        return false;
    return rest == end || (*rest == ':' && read_digits(rest + 1, (size_t)(end - rest - 1), 5, url->port));
}

static bool read_path(struct redis_url *url, const char *text)
{
    size_t length = strcspn(text, "?");
    const char *query = text + length;

    if (!decode(text, length, url->path) || length < 2)
        return false;
    return !*query ||
           (strncmp(query, "?db=", 4) == 0 && read_digits(query + 4, strlen(query + 4), 5, url->database));
}

const char *redis_url_read(struct redis_url *url, const char *text)
{
    bool is_unix = strncmp(text, "unix://", 7) == 0;

    *url = (struct redis_url){.host = ""};
    if (strncmp(text, "rediss://", 9) == 0)
        return "TLS is not spoken to a Redis; put stunnel or another proxy in between";
    if (!is_unix && strncmp(text, "redis://", 8) != 0)
        return EXPECTED;
    text += is_unix ? 7 : 8;
    size_t length = strcspn(text, "/");
    for (size_t at = length; at-- > 0;)
        if (text[at] == '@') {
            if (!read_userinfo(url, text, at))
                return EXPECTED;
            text += at + 1;
            length -= at + 1;
            break;
        }
    if (is_unix)
        return length == 0 && read_path(url, text) ? NULL : EXPECTED;
    if (!read_host(url, text, length))
        return EXPECTED;
    const char *path = text + length;
    if (path[0] && path[1] && !read_digits(path + 1, strlen(path + 1), 5, url->database))
        return EXPECTED;
    return NULL;
}
