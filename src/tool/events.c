/* The event ring, as lines for people or as NDJSON; -f goes on as events come. */
#include "report/events.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "sys/clock.h"
#include "tool/address.h"
#include "tool/json.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/sentence.h"

enum { LINES_DEFAULT = 20, PAUSE_MS = 100, LOOKS_A_FILE = 10 };

struct watch {
    const char *state_path, *host, *lines;
    bool json, follow;
    bool has_shown;
    uint32_t last; /* how many of those that are there */
    struct address address;
    struct open_state state;
    ino_t inode; /* of the file that is open */
};

/* ---- one event ---- */

static enum output_style style_of(enum events_kind kind)
{
    switch (kind) {
    case EVENTS_RESCUED:
    case EVENTS_CLOSED:
    case EVENTS_RESET:
    case EVENTS_HELD:
    case EVENTS_HEALTHY:
    case EVENTS_RELEASED:
        return OUTPUT_GOOD;
    case EVENTS_OPENED:
    case EVENTS_TRIPPED:
    case EVENTS_UNHEALTHY:
    case EVENTS_FOLLOWED:
    case EVENTS_EXHAUSTED:
    case EVENTS_UNFUNDED:
        return OUTPUT_BAD;
    case EVENTS_REJECTED:
    case EVENTS_LIMITED:
    case EVENTS_CROWDED:
    case EVENTS_WAITS:
    case EVENTS_OFFLINE:
    case EVENTS_LATE:
    case EVENTS_PROBE:
    case EVENTS_RETRY:
    case EVENTS_HEDGED:
    case EVENTS_STALE:
    case EVENTS_RESUMED:
    case EVENTS_FAULT:
    case EVENTS_FALLBACK:
        return OUTPUT_DOUBTFUL;
    case EVENTS_NONE:
    case EVENTS_KINDS:
        return OUTPUT_PLAIN;
    }
    return OUTPUT_PLAIN;
}

static void print_line(struct events_entry *event)
{
    char time[OUTPUT_NUMBER];

    printf("%s%s%s  %s%-9s%s  %s  %s", output_style(stdout, OUTPUT_DIM), output_time(event->unix_ms, time),
           output_style(stdout, OUTPUT_PLAIN), output_style(stdout, style_of(event->kind)),
           events_kind_name(event->kind), output_style(stdout, OUTPUT_PLAIN), output_clean(event->host),
           event->shadow ? "(shadow) " : "");
    sentence_print(stdout, event);
    printf("  %s[%u]%s\n", output_style(stdout, OUTPUT_DIM), event->pid, output_style(stdout, OUTPUT_PLAIN));
}

/* What detail says depends on the kind; NULL: nothing. */
static const char *name_of_detail(enum events_kind kind)
{
    switch (kind) {
    case EVENTS_RETRY:
    case EVENTS_WAITS:
        return "wait_ms";
    case EVENTS_HEDGED:
        return "after_ms";
    case EVENTS_RESCUED:
        return "took_ms";
    case EVENTS_REJECTED:
    case EVENTS_LIMITED:
        return "retry_in_ms";
    case EVENTS_OPENED:
    case EVENTS_TRIPPED:
    case EVENTS_UNHEALTHY:
    case EVENTS_FOLLOWED:
        return "open_ms";
    case EVENTS_RESUMED:
        return "kib";
    case EVENTS_STALE:
        return "age_s";
    case EVENTS_FAULT:
        return "fault";
    case EVENTS_FALLBACK:
        return "given_status";
    case EVENTS_HELD:
        return "held_ms";
    case EVENTS_EXHAUSTED:
    case EVENTS_UNFUNDED:
    case EVENTS_CROWDED:
    case EVENTS_OFFLINE:
    case EVENTS_LATE:
    case EVENTS_PROBE:
    case EVENTS_CLOSED:
    case EVENTS_RESET:
    case EVENTS_HEALTHY:
    case EVENTS_RELEASED:
    case EVENTS_NONE:
    case EVENTS_KINDS:
        return NULL;
    }
    return NULL;
}

static void print_json(const struct events_entry *event)
{
    struct json json = {.to = stdout};
    char time[OUTPUT_NUMBER];
    const char *detail = name_of_detail(event->kind);

    json_object(&json, NULL);
    json_number(&json, "number", event->number);
    json_text(&json, "time", output_time_utc(event->unix_ms, time));
    json_text(&json, "event", events_kind_name(event->kind));
    json_text(&json, "host", event->host);
    json_text(&json, "outcome", outcome_type_name(event->outcome));
    json_number(&json, "code", event->status);
    json_number(&json, "attempt", event->attempt);
    if (detail)
        json_number(&json, detail, event->detail);
    json_bool(&json, "shadow", event->shadow);
    json_number(&json, "pid", event->pid);
    json_end_object(&json);
    putchar('\n');
}

/* ---- the ring ---- */

static bool is_asked_for(const struct watch *watch, const struct events_entry *event)
{
    return !watch->host || address_matches(&watch->address, event->host);
}

/* Prints what is there from number on, and moves it behind. */
static void print_from(struct watch *watch, uint64_t *number)
{
    struct events_entry event;

    while (events_next(&watch->state.map, number, &event)) {
        if (!is_asked_for(watch, &event))
            continue;
        watch->has_shown = true;
        if (watch->json)
            print_json(&event);
        else
            print_line(&event);
    }
}

/* The number from which on there are no more than the last N that were asked for. */
static uint64_t first_of_last(struct watch *watch)
{
    uint64_t number = 0, count = 0;
    struct events_entry event;

    if (watch->last == UINT32_MAX)
        return 0;
    for (; events_next(&watch->state.map, &number, &event);)
        count += is_asked_for(watch, &event);
    uint64_t end = number;
    for (number = 0; count > watch->last && events_next(&watch->state.map, &number, &event);)
        count -= is_asked_for(watch, &event);
    return watch->last ? number : end;
}

static int open_ring(struct watch *watch)
{
    struct stat file;
    int error = open_existing(&watch->state);

    if (error == 0)
        watch->inode = stat(watch->state.path, &file) == 0 ? file.st_ino : 0;
    return error;
}

static bool was_replaced(const struct watch *watch)
{
    struct stat file;
    return stat(watch->state.path, &file) == 0 && file.st_ino != watch->inode;
}

/* Waits for the file, and for events in it; a new file in its place begins anew. */
static int follow(struct watch *watch, uint64_t number)
{
    for (unsigned looks = 0;; looks++) {
        if (watch->state.map.header && looks % LOOKS_A_FILE == 0 && was_replaced(watch)) {
            map_close(&watch->state.map);
            number = 0;
        }
        if (!watch->state.map.header) {
            int error = open_ring(watch);
            if (error < 0 && error != -ENOENT)
                return TOOL_FAULTS;
        }
        if (watch->state.map.header)
            print_from(watch, &number);
        if (fflush(stdout) != 0)
            return TOOL_FAULTS;
        clock_sleep_ms(PAUSE_MS);
    }
}

static int show(struct watch *watch)
{
    uint64_t number = 0;
    int error = open_ring(watch);

    if (error < 0 && error != -ENOENT)
        return TOOL_FAULTS;
    if (error == 0) {
        number = first_of_last(watch);
        print_from(watch, &number);
        if (!watch->has_shown && !watch->json && !watch->follow && watch->last)
            fputs("no events: nothing had to be decided; `gusset events -f` waits for what comes\n", stderr);
    } else if (!watch->json) {
        open_say_none(&watch->state, stdout);
    }
    int result = watch->follow ? follow(watch, number) : TOOL_FINE;
    map_close(&watch->state.map);
    return result;
}

int tool_events(const struct tool_verb *verb, int argc, char **argv)
{
    struct watch watch = {.last = LINES_DEFAULT};
    const struct options_entry entries[] = {
        {"json",   0,   OPTIONS_FLAG, &watch.json      },
        {"follow", 'f', OPTIONS_FLAG, &watch.follow    },
        {"lines",  'n', OPTIONS_TEXT, &watch.lines     },
        {"host",   0,   OPTIONS_TEXT, &watch.host      },
        {"state",  0,   OPTIONS_TEXT, &watch.state_path},
        {NULL,     0,   OPTIONS_FLAG, NULL             },
    };
    struct options options = {.verb = verb, .most = 0};

    int result = options_read(&options, entries, argc, argv);
    if (result != OPTIONS_GO)
        return result;
    if (watch.lines && strcmp(watch.lines, "all") == 0)
        watch.last = UINT32_MAX;
    else if (watch.lines && !options_number(watch.lines, UINT32_MAX - 1, &watch.last))
        return options_misused(verb, "-n takes a number of lines or `all`, not \"%s\"", watch.lines);
    const char *fault = watch.host ? address_parse(&watch.address, watch.host) : NULL;
    if (fault)
        return options_misused(verb, "--host: %s", fault);
    if (open_find(&watch.state, watch.state_path) < 0)
        return TOOL_FAULTS;
    return show(&watch);
}
