#include "agent/page.h"

#include <stdlib.h>

#include "core/breaker.h"
#include "report/events.h"
#include "sys/clock.h"
#include "tool/output.h"
#include "tool/sentence.h"
#include "tool/style.h"
#include "tool/utf8.h"
#include "tool/vitals.h"

enum { EVENTS_SHOWN = 50 };

/* clang-format off */
static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>gusset</title>\n"
    "<meta name=\"viewport\" content=\"width=device-width\"><meta http-equiv=\"refresh\" content=\"5\">\n"
    "<style>\n"
    ":root{color-scheme:light dark}\n"
    "body{font:14px/1.45 system-ui,sans-serif;margin:1.5rem auto;max-width:76rem;padding:0 1rem}\n"
    "h1{font-size:1.3rem}h2{font-size:1rem;margin:1.6rem 0 .4rem}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%}\n"
    "th,td{text-align:left;padding:.2rem .7rem .2rem 0;border-bottom:1px solid #8884;white-space:nowrap}\n"
    "th{font-weight:600;color:#777}.n{text-align:right;font-variant-numeric:tabular-nums}\n"
    ".good{color:#1a7f37}.bad{color:#d1242f;font-weight:600}.doubtful{color:#9a6700}.dim,footer{color:#777}\n"
    "</style></head><body>\n<h1>gusset</h1>\n";
/* clang-format on */

/* ---- text ---- */

static void put(FILE *to, const char *text)
{
    static const struct {
        char byte;
        const char *entity;
    } entities[] = {
        {'&',  "&amp;" },
        {'<',  "&lt;"  },
        {'>',  "&gt;"  },
        {'"',  "&quot;"},
        {'\'', "&#39;" }
    };

    while (*text) {
        unsigned length = utf8_length(text);
        const char *entity =
            length == 0 || (unsigned char)*text < ' ' || *text == 0x7f ? "\xef\xbf\xbd" : NULL;
        for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
            if (*text == entities[i].byte)
                entity = entities[i].entity;
        if (entity)
            fputs(entity, to);
        else
            fwrite(text, 1, length, to);
        text += length ? length : 1;
    }
}

static const char *class_of(enum output_style style)
{
    switch (style) {
    case OUTPUT_GOOD:
        return "good";
    case OUTPUT_BAD:
        return "bad";
    case OUTPUT_DOUBTFUL:
        return "doubtful";
    case OUTPUT_DIM:
        return "dim";
    case OUTPUT_PLAIN:
    case OUTPUT_BOLD:
        break;
    }
    return "";
}

static void cell(FILE *to, enum output_style style, const char *text)
{
    fprintf(to, "<td class=\"%s\">", class_of(style));
    put(to, text);
    fputs("</td>", to);
}

static void count(FILE *to, uint64_t number)
{
    fprintf(to, "<td class=\"n\">%llu</td>", (unsigned long long)number);
}

static void duration(FILE *to, uint64_t us)
{
    char text[OUTPUT_NUMBER];

    fputs("<td class=\"n\">", to);
    put(to, us ? output_duration(us, text) : "-");
    fputs("</td>", to);
}

/* A heading behind a bar stands over numbers. */
static void table(FILE *to, const char *title, const char *const headings[])
{
    fprintf(to, "<h2>%s</h2>\n<div class=\"wide\"><table><tr>", title);
    for (; *headings; headings++)
        fprintf(to, **headings == '|' ? "<th class=\"n\">%s</th>" : "<th>%s</th>",
                *headings + (**headings == '|'));
    fputs("</tr>\n", to);
}

static void end_table(FILE *to)
{
    fputs("</table></div>\n", to);
}

/* ---- services ---- */

static void write_services(FILE *to, const struct reading *reading)
{
    static const char *const headings[] = {"service",   "address",    "health", "since",
                                           "|failures", "last error", NULL};
    char time[OUTPUT_NUMBER];
    struct vitals vitals;
    bool has_any = false;

    for (unsigned i = 0; i < reading->buckets.count; i++) {
        const struct snapshot *bucket = &reading->buckets.items[i];
        if (!vitals_of(bucket, &vitals))
            continue;
        if (!has_any)
            table(to, "Services", headings);
        has_any = true;
        fputs("<tr>", to);
        cell(to, OUTPUT_PLAIN, bucket->policy + 1);
        cell(to, OUTPUT_PLAIN, bucket->host);
        cell(to, style_health(vitals.state), vitals_state_name(vitals.state));
        cell(to, OUTPUT_DIM, vitals.since_unix_ms ? output_time(vitals.since_unix_ms, time) : "-");
        count(to, vitals.failures);
        cell(to, OUTPUT_PLAIN,
             vitals.last.type == OUTCOME_SUCCESS ? "-" : outcome_type_name(vitals.last.type));
        fputs("</tr>\n", to);
    }
    if (has_any)
        end_table(to);
}

/* ---- hosts ---- */

static void write_host(FILE *to, const struct snapshot *host, uint64_t now_ms)
{
    static const enum layout_counter shown[] = {LAYOUT_COUNT_calls,    LAYOUT_COUNT_attempts,
                                                LAYOUT_COUNT_retries,  LAYOUT_COUNT_rescued,
                                                LAYOUT_COUNT_rejected, LAYOUT_COUNT_failed};
    char circuit[SNAPSHOT_CIRCUIT], policy[LAYOUT_POLICY_TEXT + 16];

    snprintf(policy, sizeof policy, "%s%s", snapshot_policy(host), host->is_shadow ? " (shadow)" : "");
    fputs("<tr>", to);
    cell(to, OUTPUT_PLAIN, host->host);
    cell(to, OUTPUT_DIM, policy);
    cell(to, style_circuit(host), snapshot_circuit(host, now_ms, circuit));
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        count(to, host->counters[shown[i]]);
    duration(to, snapshot_latency_us(host, 0.5));
    duration(to, snapshot_latency_us(host, 0.99));
    fputs("</tr>\n", to);
}

static void write_hosts(FILE *to, const struct reading *reading)
{
    static const char *const headings[] = {"host",      "policy",   "circuit",  "|calls",
                                           "|attempts", "|retries", "|rescued", "|rejected",
                                           "|failed",   "|p50",     "|p99",     NULL};

    table(to, "Hosts", headings);
    for (unsigned i = 0; i < reading->hosts.count; i++)
        write_host(to, &reading->hosts.items[i], reading->now_us / 1000);
    end_table(to);
}

/* ---- events ---- */

static void write_event(FILE *to, const struct events_entry *event)
{
    char time[OUTPUT_NUMBER], *sentence = NULL;
    size_t length;
    FILE *text = open_memstream(&sentence, &length);

    if (!text)
        return;
    sentence_print(text, event);
    if (fclose(text) == 0) {
        fputs("<tr>", to);
        cell(to, OUTPUT_DIM, output_time(event->unix_ms, time));
        cell(to, OUTPUT_PLAIN, events_kind_name(event->kind));
        cell(to, OUTPUT_PLAIN, event->host);
        cell(to, event->shadow ? OUTPUT_DIM : OUTPUT_PLAIN, sentence);
        fputs("</tr>\n", to);
    }
    free(sentence);
}

/* The newest first, as who looks wants them. */
static void write_events(FILE *to, struct map *map)
{
    static const char *const headings[] = {"time", "event", "host", "what", NULL};
    struct events_entry events[EVENTS_SHOWN];
    uint64_t end = events_end(map), number = end > EVENTS_SHOWN ? end - EVENTS_SHOWN : 0;
    unsigned found = 0;

    while (found < EVENTS_SHOWN && events_next(map, &number, &events[found]))
        found++;
    table(to, "Events", headings);
    while (found > 0)
        write_event(to, &events[--found]);
    end_table(to);
}

void page_write(FILE *to, struct reading *reading, const char *note)
{
    char time[OUTPUT_NUMBER];

    fputs(head, to);
    if (reading->exists) {
        fprintf(to, "<p>mode %s, %llu unprotected</p>\n", reading_mode(reading),
                (unsigned long long)reading_unprotected(reading));
        write_services(to, reading);
        write_hosts(to, reading);
        write_events(to, &reading->state.map);
    } else {
        fputs("<p>Nothing was judged yet: there is no state file.</p>\n", to);
    }
    fputs("<footer><p>", to);
    put(to, output_time_utc(clock_unix_ms(), time));
    fputs(" · ", to);
    put(to, reading->state.path);
    fputs(" · ", to);
    put(to, note);
    fputs(" · <a href=\"/status\">status</a> <a href=\"/metrics\">metrics</a> <a "
          "href=\"/health\">health</a></p></footer>\n"
          "</body></html>\n",
          to);
}
