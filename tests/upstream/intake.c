#include "intake.h"

#include <errno.h>

void intake_start(struct intake *intake, const struct request *request, bool keeps)
{
    *intake = (struct intake){.keeps = keeps, .left = request->length};
    if (request->chunked)
        *intake = (struct intake){.keeps = keeps, .stage = INTAKE_SIZE};
    else if (request->length)
        intake->stage = INTAKE_LENGTH;
}

static void keep(struct intake *intake, const char *bytes, size_t length, struct buffer *kept)
{
    if (!intake->keeps || intake->overflowed)
        return;
    if (buffer_length(kept) + length > INTAKE_KEPT_MOST) {
        intake->overflowed = true;
        buffer_clear(kept);
        return;
    }
    buffer_add(kept, bytes, length);
}

static size_t eat_data(struct intake *intake, const char *bytes, size_t length, struct buffer *kept)
{
    size_t piece = length < intake->left ? length : (size_t)intake->left;
    keep(intake, bytes, piece, kept);
    intake->left -= piece;
    if (intake->left == 0)
        intake->stage = intake->stage == INTAKE_CHUNK ? INTAKE_CHUNK_END : INTAKE_DONE;
    return piece;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int end_size_line(struct intake *intake)
{
    if (intake->width == 0)
        return -EPROTO;
    intake->stage = intake->left ? INTAKE_CHUNK : INTAKE_TRAILER;
    intake->width = 0;
    return 0;
}

static int eat_size(struct intake *intake, char c)
{
    int digit = hex_digit(c);
    if (c == '\n')
        return end_size_line(intake);
    if (c == '\r')
        return 0;
    if (c == ';' || c == ' ' || c == '\t') {
        intake->stage = INTAKE_EXTENSION;
        return 0;
    }
    if (digit < 0 || ++intake->width > 15)
        return -EPROTO;
    intake->left = intake->left * 16 + (unsigned)digit;
    return 0;
}

static int eat_chunk_end(struct intake *intake, char c)
{
    if (c == '\n')
        intake->stage = INTAKE_SIZE;
    else if (c != '\r')
        return -EPROTO;
    return 0;
}

static int eat_trailer(struct intake *intake, char c)
{
    if (c == '\n' && intake->width == 0)
        intake->stage = INTAKE_DONE;
    else if (c == '\n')
        intake->width = 0;
    else if (c != '\r' && ++intake->width > REQUEST_HEAD_MOST)
        return -EPROTO;
    return 0;
}

static int eat_framing(struct intake *intake, char c)
{
    switch (intake->stage) {
    case INTAKE_SIZE:
        return eat_size(intake, c);
    case INTAKE_EXTENSION:
        return c == '\n' ? end_size_line(intake) : 0;
    case INTAKE_CHUNK_END:
        return eat_chunk_end(intake, c);
    case INTAKE_TRAILER:
        return eat_trailer(intake, c);
    case INTAKE_DONE:
    case INTAKE_LENGTH:
    case INTAKE_CHUNK:
        break;
    }
    return -EPROTO;
}

ssize_t intake_eat(struct intake *intake, const char *bytes, size_t length, struct buffer *kept)
{
    size_t used = 0;
    while (used < length && intake->stage != INTAKE_DONE) {
        if (intake->stage == INTAKE_LENGTH || intake->stage == INTAKE_CHUNK)
            used += eat_data(intake, bytes + used, length - used, kept);
        else if (eat_framing(intake, bytes[used++]) < 0)
            return -EPROTO;
    }
    return (ssize_t)used;
}
