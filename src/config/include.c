#include "config/include.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/value.h"

struct piece { /* lines from `line` of the whole text on are those of a source from `local` on */
    uint32_t line;
    uint32_t source;
    uint32_t local;
};

/* What is the same for all files of one reading. */
struct reading {
    struct include_text *out;
    struct model *model;
    struct fault_list *faults;
    uint32_t line;    /* of the whole text, being written */
    uint32_t files;   /* read so far */
    uint32_t nesting; /* braces, brackets and parentheses that are open */
    int result;
};

/* A file on the way down: whose text includes whose. */
struct level {
    const struct level *above;
    const char *path;
    uint32_t depth;
    uint32_t source;
    struct source_text text;
    const char *at;
    uint32_t line;
};

static void read_file(struct reading *reading, const struct level *above, const char *path);

static void fail(struct reading *reading, int result)
{
    if (reading->result == 0)
        reading->result = result;
}

static void write_bytes(struct reading *reading, const char *bytes, size_t length)
{
    if (reading->out->text.count + length > SOURCE_SIZE_MOST) {
        if (reading->result == 0)
            fault_add(reading->faults, model_string(reading->model, model_source(reading->model, 0)->path), 0,
                      "with its includes larger than 16 MiB");
        fail(reading, -EFBIG);
        return;
    }
    char *room = length > 0 ? table_add(&reading->out->text, 1, (uint32_t)length) : NULL;
    if (room)
        memcpy(room, bytes, length);
    for (size_t i = 0; i < length; i++)
        reading->line += bytes[i] == '\n';
}

/* What is written next comes from this level's present line. */
static void begin_piece(struct reading *reading, const struct level *level)
{
    struct piece *piece = table_add(&reading->out->pieces, sizeof *piece, 1);
    if (piece)
        *piece = (struct piece){reading->line, level->source, level->line};
}

/* Moves on to `to`, counting lines, and writes what was passed. */
static void pass(struct reading *reading, struct level *level, const char *to)
{
    write_bytes(reading, level->at, (size_t)(to - level->at));
    for (; level->at < to; level->at++)
        level->line += *level->at == '\n';
}

static const char *end_of(const struct level *level)
{
    return level->text.text + level->text.length;
}

static const char *find_line_end(const struct level *level)
{
    const char *end = strchr(level->at, '\n');
    return end ? end : end_of(level);
}

static void pass_block_comment(struct reading *reading, struct level *level)
{
    const char *end = strstr(level->at + 2, "*/");
    if (!end) {
        fault_add(reading->faults, level->path, level->line, "the comment is not closed; expected */");
        fail(reading, -EINVAL);
    }
    pass(reading, level, end ? end + 2 : end_of(level));
}

/* libconfig takes \x00 for the end of the string, or drops it: never what was meant. */
static bool is_nul_escape(const char *at)
{
    return at[0] == '\\' && (at[1] == 'x' || at[1] == 'X') && at[2] == '0' && at[3] == '0';
}

static void pass_string(struct reading *reading, struct level *level)
{
    const char *end = level->at + 1;
    while (*end && *end != '"') {
        if (is_nul_escape(end)) {
            fault_add(reading->faults, level->path, level->line,
                      "the string holds a NUL (\\x00); expected text");
            fail(reading, -EINVAL);
        }
        end += end[0] == '\\' && end[1] ? 2 : 1;
    }
    if (!*end) {
        fault_add(reading->faults, level->path, level->line, "the string is not closed; expected \"");
        fail(reading, -EINVAL);
    }
    pass(reading, level, *end ? end + 1 : end);
}

static void pass_bracket(struct reading *reading, struct level *level)
{
    if (strchr("{[(", *level->at))
        reading->nesting++;
    else if (reading->nesting > 0)
        reading->nesting--;
    if (reading->nesting > INCLUDE_NESTING_MOST && reading->result == 0) {
        fault_add(reading->faults, level->path, level->line, "nested deeper than %d levels",
                  INCLUDE_NESTING_MOST);
        fail(reading, -EINVAL);
    }
    pass(reading, level, level->at + 1);
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '*';
}

/* Whether a word is a number that does not fit 32 bits and is not marked as a longer one. */
static bool is_long_unmarked(const char *word, size_t length)
{
    bool is_hex = length > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
    size_t at = is_hex ? 2 : word[0] == '-';
    uint64_t number = 0;

    if (at == length)
        return false;
    for (; at < length; at++) {
        char c = word[at];
        bool is_digit = c >= '0' && c <= '9';
        bool is_letter = is_hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'));
        if (!is_digit && !is_letter)
            return false;
        if (number <= INT32_MAX)
            number = number * (is_hex ? 16 : 10) + (uint64_t)(is_digit ? c - '0' : (c | 32) - 'a' + 10);
    }
    return number > INT32_MAX;
}

/* libconfig 1.5 cuts a number to 32 bits without a word, unless it is marked as a longer one. */
static void pass_word(struct reading *reading, struct level *level)
{
    const char *end = level->at;
    bool is_behind_point = level->at > level->text.text && level->at[-1] == '.';
    while (is_word(*end))
        end++;
    bool is_long = !is_behind_point && *end != '.' && is_long_unmarked(level->at, (size_t)(end - level->at));
    pass(reading, level, end);
    if (is_long)
        write_bytes(reading, "L", 1);
}

/* Whether a directive begins here, at the start of a line; *quote is then its opening quotation mark. */
static bool is_directive(const char *at, const char **quote)
{
    static const char word[] = "@include";
    at += strspn(at, " \t");
    if (strncmp(at, word, sizeof word - 1) != 0)
        return false;
    at += sizeof word - 1;
    size_t blanks = strspn(at, " \t");
    *quote = at + blanks;
    return blanks > 0 && **quote == '"';
}

/* The path between the quotation marks, relative to the file that includes it. Returns what follows, or NULL.
 */
static const char *read_path(const struct level *level, const char *quote, char *path)
{
    struct value_text out = {path, SOURCE_PATH_MOST, 0};
    const char *at = quote + 1, *slash = strrchr(level->path, '/');

    path[0] = 0;
    if (*at != '/' && slash)
        value_put_bytes(&out, level->path, (size_t)(slash + 1 - level->path));
    for (; *at != '"'; at++) {
        if (*at == 0 || *at == '\n')
            return NULL;
        if (*at == '\\' && (at[1] == '\\' || at[1] == '"'))
            at++;
        value_put_bytes(&out, at, 1);
    }
    return out.length < SOURCE_PATH_MOST - 1 ? at + 1 : NULL;
}

/* The path is on the heap: who compiles may be a thread with a small stack, and includes are nested. */
static void include(struct reading *reading, struct level *level, const char *quote)
{
    char *path = malloc(SOURCE_PATH_MOST);
    const char *behind = path ? read_path(level, quote, path) : NULL;

    if (!path) {
        fail(reading, -ENOMEM);
        return;
    }
    if (!behind) {
        fault_add(reading->faults, level->path, level->line, "@include: expected a path in quotation marks");
        fail(reading, -EINVAL);
        pass(reading, level, find_line_end(level));
        free(path);
        return;
    }
    read_file(reading, level, path);
    free(path);
    level->at = behind;
    begin_piece(reading, level);
    write_bytes(reading, "/**/", 4); /* what follows is not the start of a line, for libconfig neither */
}

static void pass_one(struct reading *reading, struct level *level)
{
    const char *at = level->at;
    if (*at == '#' || (at[0] == '/' && at[1] == '/'))
        pass(reading, level, find_line_end(level));
    else if (at[0] == '/' && at[1] == '*')
        pass_block_comment(reading, level);
    else if (*at == '"')
        pass_string(reading, level);
    else if (strchr("{}[]()", *at))
        pass_bracket(reading, level);
    else if (is_word(*at))
        pass_word(reading, level);
    else
        pass(reading, level, at + 1);
}

static void read_level(struct reading *reading, struct level *level)
{
    const char *quote;
    level->at = level->text.text;
    level->line = 1;
    begin_piece(reading, level);
    while (*level->at && reading->result == 0) {
        bool is_start = level->at == level->text.text || level->at[-1] == '\n';
        if (is_start && is_directive(level->at, &quote))
            include(reading, level, quote);
        else
            pass_one(reading, level);
    }
    write_bytes(reading, "\n", 1); /* libconfig 1.5 knows no comment without an end of line */
}

static bool is_open_already(const struct level *level, const struct source_identity *identity)
{
    for (; level; level = level->above)
        if (level->text.identity.device == identity->device && level->text.identity.inode == identity->inode)
            return true;
    return false;
}

static void read_file(struct reading *reading, const struct level *above, const char *path)
{
    struct level level = {.above = above, .path = path, .depth = above ? above->depth + 1 : 0};
    const char *file = above ? above->path : path;
    uint32_t line = above ? above->line : 0;

    int result = source_read(path, &level.text, reading->faults, file, line);
    if (result < 0) {
        fail(reading, result);
        return;
    }
    if (is_open_already(above, &level.text.identity)) {
        fault_add(reading->faults, file, line, "@include: %s includes itself", path);
        fail(reading, -ELOOP);
    } else if (level.depth > INCLUDE_DEPTH_MOST || ++reading->files > INCLUDE_FILES_MOST) {
        fault_add(reading->faults, file, line, "@include: deeper than %d files, or more than %d in all",
                  INCLUDE_DEPTH_MOST, INCLUDE_FILES_MOST);
        fail(reading, -ELOOP);
    } else {
        level.source = model_add_source(reading->model, path, &level.text.identity);
        read_level(reading, &level);
    }
    source_clear(&level.text);
}

int include_read(struct include_text *out, const char *path, struct model *model, struct fault_list *faults)
{
    struct reading reading = {.out = out, .model = model, .faults = faults, .line = 1};
    read_file(&reading, NULL, path);
    if (reading.result == 0 && !table_add(&out->text, 1, 1))
        reading.result = -ENOMEM;
    if (reading.result == 0)
        out->text.count--;
    if (out->pieces.failed || out->text.failed)
        reading.result = -ENOMEM;
    return reading.result;
}

void include_locate(const struct include_text *text, uint32_t line, uint32_t *source, uint32_t *local)
{
    const struct piece *pieces = text->pieces.items;
    uint32_t low = 0, high = text->pieces.count;

    while (high - low > 1) { /* the last piece that begins at or before the line */
        uint32_t middle = low + (high - low) / 2;
        if (pieces[middle].line <= line)
            low = middle;
        else
            high = middle;
    }
    *source = pieces[low].source;
    *local = pieces[low].local + (line > pieces[low].line ? line - pieces[low].line : 0);
}

void include_clear(struct include_text *text)
{
    table_clear(&text->text);
    table_clear(&text->pieces);
}
