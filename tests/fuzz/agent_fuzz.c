/*
 * libFuzzer: what an agent is told by a Redis, and by whom writes there: replies, notices, and URLs by users.
 * A reply that is taken lies within its bytes and has no more values than there is room for, and more bytes
 * behind it change nothing; a notice that is read can be said again and is then the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/notice.h"
#include "agent/redis_url.h"
#include "agent/resp.h"

enum { VALUES = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "not so: %s\n", what);
    abort();
}

static void read_replies(const char *bytes, size_t length)
{
    struct resp_value values[VALUES], again[VALUES];

    for (long used = 1; used > 0 && length > 0; bytes += used, length -= (size_t)used) {
        used = resp_read(bytes, length, values, VALUES);
        if (used <= 0)
            return;
        expect((size_t)used <= length, "a reply lies within its bytes");
        unsigned count = values->type == RESP_ARRAY ? 1 + (unsigned)values->number : 1;
        expect(count <= VALUES, "there is room for its values");
        for (unsigned i = 0; i < count; i++)
            if (values[i].type == RESP_TEXT)
                expect(values[i].text >= bytes && values[i].text + values[i].length + 2 <= bytes + used,
                       "so do its texts");
        expect(resp_read(bytes, (size_t)used, again, VALUES) == used, "it needs no byte behind it");
        expect(resp_read(bytes, (size_t)used - 1, again, VALUES) == 0,
               "it is not whole without its last byte");
    }
}

static void say_again(const struct notice *notice)
{
    char *text = NULL;
    size_t length;
    FILE *to = open_memstream(&text, &length);
    struct notice again;

    expect(to != NULL, "memory");
    expect(notice_can_say(notice->host, notice->policy), "it can be said");
    notice_begin(to, 0xfedcba9876543210);
    notice_write(to, notice);
    fclose(to);
    const char *at = text;
    uint64_t memory;
    expect(notice_begins(&at, text + length, &memory) && memory == 0xfedcba9876543210 &&
               notice_next(&at, text + length, &again),
           "it is read again");
    expect(memcmp(notice, &again, sizeof again) == 0, "it is the same");
    free(text);
}

static void read_notices(const char *bytes, size_t length)
{
    const char *at = bytes, *end = bytes + length;
    struct notice notice;
    uint64_t memory;

    notice_begins(&at, end, &memory);
    while (memset(&notice, 0, sizeof notice), notice_next(&at, end, &notice))
        say_again(&notice);
    expect(at == end, "nothing is left");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct redis_url url;
    char *text = malloc(size + 1);

    expect(text != NULL, "memory");
    memcpy(text, data, size);
    text[size] = '\0';
    read_replies((const char *)data, size);
    read_notices((const char *)data, size);
    if (!redis_url_read(&url, text))
        expect((url.host[0] != 0) != (url.path[0] != 0), "a URL says a host or a path");
    free(text);
    return 0;
}
