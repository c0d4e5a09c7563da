#include "config/syntax.h"

#include <string.h>
#include <strings.h>

#include "config/assign.h"

enum { DEPTH_MOST = 64 };

/* A line of the whole text, without its end. Returns false when there is no such line. */
static bool find_line(const struct include_text *text, uint32_t number, struct value_word *line)
{
    const char *at = text->text.items;
    for (; number > 1 && at; number--) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    *line = (struct value_word){at, at ? strcspn(at, "\r\n") : 0};
    return line->length > 0;
}

/* Behind a string or a comment that begins here; at itself where none does. */
static const char *skip(const char *at)
{
    const char *end;

    if (*at == '"') {
        for (at++; *at && *at != '"'; at++)
            at += *at == '\\' && at[1];
        return *at ? at + 1 : at;
    }
    if (*at == '#' || strncmp(at, "//", 2) == 0)
        return at + strcspn(at, "\n");
    if (strncmp(at, "/*", 2) == 0)
        return (end = strstr(at + 2, "*/")) ? end + 2 : at + strlen(at);
    return at;
}

/* ---- what is never closed ---- */

struct opened {
    char bracket;
    uint32_t line;
};

/* The innermost bracket that the text opens and does not close; its line is 0 where there is none. */
static struct opened find_open(const char *text)
{
    struct opened stack[DEPTH_MOST + 1] = {
        {0, 0}
    };
    unsigned depth = 0;
    uint32_t line = 1;

    while (*text) {
        const char *behind = skip(text);
        for (; text < behind; text++)
            line += *text == '\n';
        if (!*text)
            break;
        if (strchr("([{", *text) && depth < DEPTH_MOST)
            stack[++depth] = (struct opened){*text, line};
        else if (strchr(")]}", *text) && depth > 0)
            depth--;
        line += *text++ == '\n';
    }
    return stack[depth];
}

/* The last line that holds more than blanks. */
static uint32_t last_line(const char *text)
{
    uint32_t line = 1, last = 1;

    for (; *text; text++) {
        if (*text == '\n')
            line++;
        else if (!strchr(" \t\r", *text))
            last = line;
    }
    return last;
}

static uint32_t explain_end(const char *text, struct value_text *out)
{
    struct opened opened = find_open(text);

    if (opened.line == 0) {
        value_put(out, ": the text ends within a setting");
        return last_line(text);
    }
    value_put(out, ": the ");
    value_put_bytes(out, &opened.bracket, 1);
    value_put(out, " of this line is not closed");
    return opened.line;
}

/* ---- what stands in a line ---- */

/* Whether a bracket of the line closes behind a comma, which may stand lines above. */
static bool has_trailing_comma(const char *start, const struct value_word *line)
{
    for (const char *at = line->text; at < line->text + line->length; at++) {
        const char *before = at;
        while (before > start && strchr(" \t\r\n", before[-1]))
            before--;
        if ((*at == ')' || *at == ']') && before > start && before[-1] == ',')
            return true;
    }
    return false;
}

static bool is_number(const struct value_word *word)
{
    const char *first = word->text + (strchr("+-", *word->text) != NULL);
    size_t length = word->length - (size_t)(first - word->text);

    if (length > 2 && first[0] == '0' && strchr("xX", first[1]))
        return strspn(first + 2, "0123456789abcdefABCDEFL") >= length - 2;
    return strspn(first, "0123456789.eE+-L") >= length && strcspn(first, "0123456789") < length;
}

static bool is_boolean(const struct value_word *word)
{
    return (word->length == 4 && strncasecmp(word->text, "true", 4) == 0) ||
           (word->length == 5 && strncasecmp(word->text, "false", 5) == 0);
}

/* A word in the place of a value that is neither number nor boolean, nor in quotation marks. */
static bool find_bare_word(const struct value_word *line, struct value_word *word)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.*%-+";
    const char *end = line->text + line->length;

    for (const char *at = line->text; at < end;) {
        const char *behind = skip(at);
        if (behind > at) {
            at = behind;
            continue;
        }
        if (*at++ != '=')
            continue;
        at += strspn(at, " \t");
        size_t length = strspn(at, letters);
        *word = (struct value_word){at, length};
        at += length;
        if (length > 0 && strchr(";,)]}\r\n", at[strspn(at, " \t")]) && !is_number(word) && !is_boolean(word))
            return true;
    }
    return false;
}

/* Whether what is opened behind `at` is closed before `end`; what is no proof is none. */
static bool is_closed(const char *at, const char *end)
{
    int depth = 0;
    for (; at < end; at++) {
        if (*at == '"') {
            for (at++; at < end && *at != '"'; at++)
                at += *at == '\\';
        } else if (strchr("([{", *at)) {
            depth++;
        } else if (strchr(")]}", *at) && --depth <= 0) {
            return depth == 0;
        }
    }
    return false;
}

/* Headers hold secrets: neither a line of theirs nor a value is shown, nor an address with a password. */
static bool may_be_shown(const char *at, const struct value_word *line)
{
    const char *end = line->text + line->length;
    if (memmem(line->text, line->length, "value", 5) ||
        (memmem(line->text, line->length, "://", 3) && memchr(line->text, '@', line->length)))
        return false;
    while ((at = memmem(at, (size_t)(end - at), "headers", 7))) {
        at += 7;
        if (!is_closed(at, line->text))
            return false;
    }
    return true;
}

static void put_quoted(struct value_text *out, const char *before, const struct value_word *word)
{
    char quoted[256];

    assign_quote(word->text, word->length, quoted, sizeof quoted);
    value_put(out, before);
    value_put(out, quoted);
}

uint32_t syntax_explain(const struct include_text *text, uint32_t number, struct value_text *out)
{
    static const char mark[] = "\xef\xbb\xbf";
    const char *start = text->text.items;
    struct value_word line, word;

    if (number > last_line(start))
        return explain_end(start, out);
    if (!find_line(text, number, &line))
        return number;
    if (strncmp(line.text, mark, 3) == 0) {
        value_put(out, ": the file begins with a byte order mark (BOM), expected none");
        return number;
    }
    if (has_trailing_comma(start, &line))
        value_put(out, ": a comma stands before the closing bracket, expected none there");
    if (!may_be_shown(start, &line))
        return number;
    if (find_bare_word(&line, &word))
        put_quoted(out, ": a text stands without quotation marks, expected ", &word);
    size_t blanks = strspn(line.text, " \t");
    if (blanks < line.length)
        put_quoted(out, ", in the line ", &(struct value_word){line.text + blanks, line.length - blanks});
    return number;
}
