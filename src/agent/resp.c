#include "agent/resp.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { DIGITS = 18 }; /* fit an int64_t whatever they are */

void resp_write(FILE *to, const char *const words[])
{
    unsigned count = 0;

    while (words[count])
        count++;
    fprintf(to, "*%u\r\n", count);
    for (unsigned i = 0; i < count; i++)
        fprintf(to, "$%zu\r\n%s\r\n", strlen(words[i]), words[i]);
}

/* What is still to be read. */
struct input {
    const char *at, *end;
};

/* A line, without its end. Returns 1, 0 when it is not whole yet, -EBADMSG for a return without a newline. */
static int read_line(struct input *input, const char **line, size_t *length)
{
    const char *end = memchr(input->at, '\r', (size_t)(input->end - input->at));

    if (!end || end + 1 == input->end)
        return 0;
    if (end[1] != '\n')
        return -EBADMSG;
    *line = input->at;
    *length = (size_t)(end - input->at);
    input->at = end + 2;
    return 1;
}

static bool read_number(const char *text, size_t length, int64_t *number)
{
    bool is_negative = length > 0 && *text == '-';
    size_t at = is_negative;

    *number = 0;
    if (length > DIGITS || at == length)
        return false;
    for (; at < length && text[at] >= '0' && text[at] <= '9'; at++)
        *number = *number * 10 + (text[at] - '0');
    if (at != length)
        return false;
    *number = is_negative ? -*number : *number;
    return true;
}

/* The bytes of a text, and the end of line behind them. */
static int read_bytes(struct input *input, struct resp_value *value, int64_t length)
{
    if (length == -1)
        return 1;
    if (length < 0)
        return -EBADMSG;
    if (input->end - input->at < 2 || length > input->end - input->at - 2)
        return 0;
    value->type = RESP_TEXT;
    value->text = input->at;
    value->length = (size_t)length;
    input->at += length + 2;
    return memcmp(input->at - 2, "\r\n", 2) == 0 ? 1 : -EBADMSG;
}

/* A value; of an array only how many follow. Returns as read_line does. */
static int read_value(struct input *input, struct resp_value *value)
{
    const char *line;
    size_t length;
    int64_t number = 0;
    int result = read_line(input, &line, &length);

    *value = (struct resp_value){.type = RESP_NIL};
    if (result <= 0)
        return result;
    if (length == 0)
        return -EBADMSG;
    bool is_text = *line == '+' || *line == '-';
    if (!is_text && !read_number(line + 1, length - 1, &number))
        return -EBADMSG;
    value->text = line + 1;
    value->length = is_text ? length - 1 : 0;
    value->number = number;
    switch (*line) {
    case '+':
        value->type = RESP_STATUS;
        return 1;
    case '-':
        value->type = RESP_ERROR;
        return 1;
    case ':':
        value->type = RESP_INTEGER;
        return 1;
    case '$':
        return read_bytes(input, value, number);
    case '*':
        value->type = number < 0 ? RESP_NIL : RESP_ARRAY;
        return number >= -1 ? 1 : -EBADMSG;
    default:
        return -EBADMSG;
    }
}

long resp_read(const char *bytes, size_t length, struct resp_value *values, unsigned most)
{
    struct input input = {bytes, bytes + length};
    int result = most > 0 ? read_value(&input, values) : -EBADMSG;
    int64_t items = result > 0 && values->type == RESP_ARRAY ? values->number : 0;

    if (items >= most)
        return -EBADMSG;
    for (int64_t i = 1; result > 0 && i <= items; i++) {
        result = read_value(&input, &values[i]);
        if (result > 0 && values[i].type == RESP_ARRAY)
            return -EBADMSG;
    }
    return result > 0 ? input.at - bytes : result;
}
