/* A growing run of bytes, written at the end and read from the front.
 * Zero is a valid, empty buffer. Out of memory ends the server: it is a tool of tests. */
#ifndef BUFFER_H
#define BUFFER_H

#include <stddef.h>

struct buffer {
    char *bytes;
    size_t start; /* of what is not yet read */
    size_t end;
    size_t room;
};

size_t buffer_length(const struct buffer *b);

/* The first unread byte; valid until the next addition. */
char *buffer_front(const struct buffer *b);

/* Makes room for at least `more` bytes and returns where they go; buffer_commit() counts them in.
 * buffer_spare() is how many fit there, which may be more than were asked for. */
char *buffer_reserve(struct buffer *b, size_t more);
size_t buffer_spare(const struct buffer *b);
void buffer_commit(struct buffer *b, size_t added);

void buffer_add(struct buffer *b, const void *bytes, size_t length);
void buffer_add_text(struct buffer *b, const char *text);
void buffer_add_number(struct buffer *b, unsigned long long number);
void buffer_addf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Forgets `length` bytes at the front. */
void buffer_drop(struct buffer *b, size_t length);

/* Empties, and keeps the memory for the next use unless it is much. */
void buffer_empty(struct buffer *b);

/* Frees; the buffer is zero again. */
void buffer_clear(struct buffer *b);

#endif
