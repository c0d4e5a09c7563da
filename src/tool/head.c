#include "tool/head.h"

#include <string.h>
#include <strings.h>

#include "tool/address.h"

enum { METHOD = 16, VERSION = 16, HOST = PLACE_TEXT_MAX + 1, OK = 200 };

/* A word and the one byte behind it, which is end; NULL where it is empty, too long or ends otherwise. */
static const char *take_word(const char *text, char end, char *out, size_t size)
{
    size_t length = 0;

    while (text[length] > ' ' && text[length] < 0x7f)
        length++;
    if (length == 0 || length >= size || text[length] != end)
        return NULL;
    memcpy(out, text, length);
    out[length] = '\0';
    return text + length + 1;
}

/* The value of the Host field, without the blanks around it. False: there is none, more than one, or no room.
 */
static bool take_host(const char *lines, char host[HOST])
{
    static const char name[] = "host:";
    bool is_found = false;

    for (const char *line = lines; strncmp(line, "\r\n", 2) != 0; line = strstr(line, "\r\n") + 2) {
        if (strncasecmp(line, name, sizeof name - 1) != 0)
            continue;
        const char *value = line + sizeof name - 1;
        value += strspn(value, " \t");
        size_t length = strcspn(value, "\r\n");
        while (length > 0 && strchr(" \t", value[length - 1]))
            length--;
        if (is_found || length >= HOST)
            return false;
        memcpy(host, value, length);
        host[length] = '\0';
        is_found = true;
    }
    return is_found;
}

static bool is_this_machine(const char *host)
{
    struct address address;

    return !address_parse(&address, host) && !address.is_url &&
           (address.place.family == PLACE_IPV4 || address.place.family == PLACE_IPV6 ||
            place_is_loopback(&address.place));
}

static int judge_host(const char *lines, bool is_wanted, bool is_local)
{
    char host[HOST];

    if (!take_host(lines, host))
        return is_wanted ? 400 : OK;
    return is_local && !is_this_machine(host) ? 421 : OK;
}

int head_read(struct head *head, const char *text, bool is_local)
{
    char method[METHOD], version[VERSION];

    text = take_word(text, ' ', method, sizeof method);
    text = text ? take_word(text, ' ', head->path, sizeof head->path) : NULL;
    text = text ? take_word(text, '\r', version, sizeof version) : NULL;
    if (!text || *text++ != '\n' || strncmp(version, "HTTP/", 5) != 0)
        return 400;
    head->is_head = strcmp(method, "HEAD") == 0;
    head->path[strcspn(head->path, "?")] = '\0';
    if (strcmp(version + 5, "1.1") != 0 && strcmp(version + 5, "1.0") != 0)
        return 505;
    int status = judge_host(text, version[7] == '1', is_local);
    if (status != OK)
        return status;
    return head->is_head || strcmp(method, "GET") == 0 ? OK : 405;
}
