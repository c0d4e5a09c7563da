#include "curl/block.h"

#include <string.h>
#include <strings.h>

#include "core/retry.h"
#include "sys/clock.h"

static bool is_named(const char *line, size_t size, const char *name, size_t name_length)
{
    return size > name_length && line[name_length] == ':' && strncasecmp(line, name, name_length) == 0;
}

static void read_value(const char *line, size_t size, size_t name_length, const char **value,
                       size_t *value_length)
{
    const char *start = line + name_length + 1, *end = line + size;

    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (end > start && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *value = start;
    *value_length = (size_t)(end - start);
}

static int64_t read_number(const char *text, size_t length)
{
    int64_t number = 0;

    if (!length || length > 15)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

/* Out of line: a success, which is nearly every reply, does not come here and need not save registers for it.
 */
static __attribute__((noinline)) void note_line(struct block *block, const char *line, size_t size)
{
    static const char retry_after[] = "Retry-After", location[] = "Location",
                      content_length[] = "Content-Length";
    const char *value;
    size_t length;

    if (is_named(line, size, location, sizeof location - 1)) {
        block->has_location = true;
    } else if (is_named(line, size, content_length, sizeof content_length - 1)) {
        read_value(line, size, sizeof content_length - 1, &value, &length);
        block->content_length = read_number(value, length);
    } else if (is_named(line, size, retry_after, sizeof retry_after - 1)) {
        read_value(line, size, sizeof retry_after - 1, &value, &length);
        block->retry_after_ms = retry_after_ms(value, length, (int64_t)(clock_unix_ms() / 1000));
    }
}

/*
 * "HTTP/1.1 503 Busy", "HTTP/2 503": the status, or 0 when the line begins no block. libcurl has checked the
 * line before it hands it over; until 8.1 it took more blanks than one.
 */
static int read_status(const char *line, size_t size)
{
    size_t at = size > 9 && line[8] == ' ' && line[9] != ' ' ? 9 : 5; /* nearly always "HTTP/1.1 200" */
    int status = 0;

    if (size < 5 || memcmp(line, "HTTP/", 5) != 0)
        return 0;
    if (at == 5) {
        while (at < size && line[at] != ' ')
            at++;
        while (at < size && line[at] == ' ')
            at++;
    }
    for (size_t end = at + 3; at < end && at < size && line[at] >= '0' && line[at] <= '9'; at++)
        status = status * 10 + (line[at] - '0');
    return status;
}

void block_init(struct block *block)
{
    *block = (struct block){.retry_after_ms = -1, .content_length = -1};
}

bool block_read(struct block *block, const char *line, size_t size)
{
    if (block->has_ended || !block->status) {
        int status = read_status(line, size);
        if (status > 0) {
            block_init(block);
            block->status = status;
            return false;
        }
    }
    if (block_is_blank(line, size)) {
        bool ends = !block->has_ended;
        block->has_ended = true;
        return ends;
    }
    if (block->status >= 300)
        note_line(block, line, size);
    return false;
}
