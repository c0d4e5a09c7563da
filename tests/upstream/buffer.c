#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUFFER_LEAST = 512,
    BUFFER_KEPT = 16 * 1024, /* thousands of idle connections each keep at most this */
};

size_t buffer_length(const struct buffer *b)
{
    return b->end - b->start;
}

char *buffer_front(const struct buffer *b)
{
    return b->bytes ? b->bytes + b->start : NULL; /* NULL + 0 is undefined */
}

size_t buffer_spare(const struct buffer *b)
{
    return b->room - b->end;
}

static void move_to_front(struct buffer *b)
{
    if (b->start == 0)
        return;
    memmove(b->bytes, b->bytes + b->start, b->end - b->start);
    b->end -= b->start;
    b->start = 0;
}

static void grow(struct buffer *b, size_t least)
{
    size_t room = b->room ? b->room : BUFFER_LEAST;
    while (room < least)
        room *= 2;
    char *bytes = realloc(b->bytes, room);
    if (!bytes) {
        fprintf(stderr, "upstream: out of memory for a buffer of %zu bytes, ending\n", room);
        exit(1);
    }
    b->bytes = bytes;
    b->room = room;
}

char *buffer_reserve(struct buffer *b, size_t more)
{
    if (b->room - b->end < more) {
        move_to_front(b);
        if (b->room - b->end < more)
            grow(b, b->end + more);
    }
    return b->bytes + b->end;
}

void buffer_commit(struct buffer *b, size_t added)
{
    b->end += added;
}

void buffer_add(struct buffer *b, const void *bytes, size_t length)
{
    if (length == 0)
        return;
    memcpy(buffer_reserve(b, length), bytes, length);
    b->end += length;
}

void buffer_add_text(struct buffer *b, const char *text)
{
    buffer_add(b, text, strlen(text));
}

/* Every reply writes two numbers; printf would be a tenth of its cost. */
void buffer_add_number(struct buffer *b, unsigned long long number)
{
    char digits[24];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    buffer_add(b, digits + at, sizeof digits - at);
}

void buffer_addf(struct buffer *b, const char *format, ...)
{
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, list);
    if (length > 0) {
        size_t room = (size_t)length + 1;
        vsnprintf(buffer_reserve(b, room), room, format, again);
        b->end += (size_t)length;
    }
    va_end(again);
    va_end(list);
}

void buffer_drop(struct buffer *b, size_t length)
{
    b->start += length;
    if (b->start == b->end)
        b->start = b->end = 0;
}

void buffer_empty(struct buffer *b)
{
    if (b->room > BUFFER_KEPT)
        buffer_clear(b);
    b->start = b->end = 0;
}

void buffer_clear(struct buffer *b)
{
    free(b->bytes);
    *b = (struct buffer){0};
}
