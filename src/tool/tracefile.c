#include "tool/tracefile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/method.h"
#include "tool/address.h"
#include "tool/output.h"

enum { KEY_MOST = 32, LINE_MOST = 2048 };

/* ---- a line: a flat object of texts and whole numbers ---- */

struct field {
    char key[KEY_MOST];
    char text[PLACE_TEXT_MAX]; /* "" where it is a number */
    int64_t number;
};

static bool take(const char **at, char c)
{
    *at += strspn(*at, " \t");
    if (**at != c)
        return false;
    ++*at;
    return true;
}

/* A text in quotes; what the record escapes (in a policy's name) is of no interest here, and taken as it
 * stands. */
static bool take_text(const char **at, char *text, size_t room)
{
    size_t length = 0;

    if (!take(at, '"'))
        return false;
    for (; **at && **at != '"'; ++*at) {
        if (**at == '\\' && (*at)[1])
            ++*at;
        if (length + 1 < room)
            text[length++] = **at;
    }
    text[length] = '\0';
    return take(at, '"');
}

static bool take_field(const char **at, struct field *field)
{
    char *end;

    field->text[0] = '\0';
    field->number = 0;
    if (!take_text(at, field->key, sizeof field->key) || !take(at, ':'))
        return false;
    if (**at == '"')
        return take_text(at, field->text, sizeof field->text);
    field->number = strtoll(*at, &end, 10);
    if (end == *at || field->number < 0)
        return false;
    *at = end;
    return true;
}

static bool read_outcome(const char *name, struct outcome *outcome)
{
    for (uint8_t type = 0; type < OUTCOME_TYPES; type++)
        if (strcmp(outcome_type_name(type), name) == 0) {
            outcome->type = type;
            return true;
        }
    return false;
}

/* A key that is not known is of a later version, and passed over. */
static void store(const struct field *field, struct trace_line *line, bool *is_whole, char *host)
{
    const struct {
        const char *key;
        uint64_t *to;
    } numbers[] = {
        {"pid",       &line->pid      },
        {"call",      &line->call     },
        {"opened_us", &line->opened_us},
        {"began_us",  &line->began_us },
        {"ended_us",  &line->ended_us },
        {"hedged_us", &line->hedged_us}
    };

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(field->key, numbers[i].key) == 0)
            *numbers[i].to = (uint64_t)field->number;
    if (strcmp(field->key, "host") == 0)
        snprintf(host, PLACE_TEXT_MAX, "%s", field->text);
    else if (strcmp(field->key, "method") == 0)
        line->method = method_from_name(field->text, strlen(field->text));
    else if (strcmp(field->key, "attempt") == 0)
        line->attempt = (uint32_t)field->number;
    else if (strcmp(field->key, "outcome") == 0)
        *is_whole &= read_outcome(field->text, &line->outcome);
    else if (strcmp(field->key, "status") == 0)
        line->outcome.status = (uint16_t)field->number;
    else if (strcmp(field->key, "curl") == 0)
        line->outcome.curl = (uint8_t)field->number;
    else if (strcmp(field->key, "errno") == 0)
        line->outcome.os_error = (uint16_t)field->number;
    else if (strcmp(field->key, "retry_after_ms") == 0)
        line->retry_after_ms = field->number;
    else if (strcmp(field->key, "sent") == 0)
        line->sent = field->number;
    else if (strcmp(field->key, "idempotent") == 0)
        line->idempotent = field->number;
    else if (strcmp(field->key, "elsewhere") == 0)
        line->is_elsewhere = field->number;
}

bool tracefile_parse(const char *text, struct trace_line *line, char host[PLACE_TEXT_MAX])
{
    struct field field;
    bool is_whole = true;

    *line = (struct trace_line){.retry_after_ms = -1, .outcome = {.type = OUTCOME_TYPES}};
    host[0] = '\0';
    if (!take(&text, '{'))
        return false;
    do {
        if (!take_field(&text, &field))
            return false;
        store(&field, line, &is_whole, host);
    } while (take(&text, ','));
    return take(&text, '}') && is_whole && host[0] && line->outcome.type != OUTCOME_TYPES && line->attempt &&
           line->ended_us >= line->began_us && line->began_us >= line->opened_us &&
           (!line->hedged_us || line->hedged_us >= line->began_us);
}

/* ---- the file ---- */

static void *grown(void *items, size_t count, size_t size)
{
    if (count & (count - 1)) /* the room is a power of two */
        return items;
    void *more = realloc(items, (count ? 2 * count : 1) * size);
    if (!more)
        output_die("out of memory");
    return more;
}

static bool is_same_host(const struct place *a, const struct place *b)
{
    return a->port == b->port && a->family == b->family && strcmp(a->name, b->name) == 0;
}

/* The index of the host, which is added where it is new; false when the text is none. */
static bool find_host(struct trace *trace, const char *text, uint32_t *index)
{
    struct address address;

    if (address_parse(&address, text) || (!address.place.port && address.place.family != PLACE_UNIX))
        return false;
    for (*index = 0; *index < trace->host_count; ++*index)
        if (is_same_host(&trace->hosts[*index], &address.place))
            return true;
    trace->hosts = grown(trace->hosts, trace->host_count, sizeof *trace->hosts);
    trace->hosts[trace->host_count++] = address.place;
    return true;
}

static bool add_line(struct trace *trace, const char *text)
{
    struct trace_line line;
    char host[PLACE_TEXT_MAX];

    if (!tracefile_parse(text, &line, host) || !find_host(trace, host, &line.host))
        return false;
    trace->lines = grown(trace->lines, trace->line_count, sizeof *trace->lines);
    trace->lines[trace->line_count++] = line;
    return true;
}

static int read_lines(struct trace *trace, FILE *file)
{
    char text[LINE_MOST];

    for (unsigned number = 1; fgets(text, sizeof text, file); number++) {
        size_t length = strcspn(text, "\n");
        if (!text[length] && feof(file)) {
            output_warn("replay: line %u is cut off, it is passed over", number);
            break; /* the program may be running */
        }
        text[length] = '\0';
        if (!add_line(trace, text)) {
            output_error(
                "replay: line %u is none of a record; `gusset run --record FILE -- COMMAND` makes one",
                number);
            return -1;
        }
    }
    return ferror(file) ? -1 : 0;
}

int tracefile_read(struct trace *trace, const char *path)
{
    FILE *file = fopen(path, "re");

    *trace = (struct trace){.hosts = NULL};
    if (!file) {
        output_error("replay: the record cannot be read: %s", strerror(errno));
        return -1;
    }
    int result = read_lines(trace, file);
    fclose(file);
    if (result == 0 && trace->line_count == 0) {
        output_error(
            "replay: the record is empty: no rule meant a call of the program; see `gusset doctor PROGRAM`");
        return -1;
    }
    return result;
}

void tracefile_clear(struct trace *trace)
{
    free(trace->hosts);
    free(trace->lines);
    *trace = (struct trace){.hosts = NULL};
}
