#include "tool/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/slots.h"
#include "sys/clock.h"
#include "tool/figures.h"
#include "tool/output.h"

enum { HOSTS = 1024 };

/* ---- the file ---- */

static int make_folder(struct tally *tally)
{
    const char *wished = getenv("TMPDIR");
    const char *const folders[] = {"/dev/shm", wished ? wished : "/tmp", "/tmp"};

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (folders[i][0] != '/')
            continue;
        snprintf(tally->folder, sizeof tally->folder, "%.3900s/gusset-run-XXXXXX", folders[i]);
        if (mkdtemp(tally->folder)) /* 0700 */
            return 0;
    }
    tally->folder[0] = '\0';
    return -1;
}

static void remove_file(struct tally *tally)
{
    map_close(&tally->map);
    unlink(tally->path);
    if (tally->folder[0])
        rmdir(tally->folder);
}

int tally_open(struct tally *tally)
{
    const char *outer = getenv("GUSSET_TALLY");

    *tally = (struct tally){.folder = ""};
    snprintf(tally->outer, sizeof tally->outer, "%s", outer ? outer : "");
    if (make_folder(tally) == 0) {
        snprintf(tally->path, sizeof tally->path, "%.4000s/tally", tally->folder);
        if (map_open(&tally->map, tally->path, HOSTS, false, MAP_SHARE) == 0 && !tally->map.is_private &&
            setenv("GUSSET_TALLY", tally->path, 1) == 0)
            return 0;
        remove_file(tally);
    }
    output_warn(
        "no report: there is no room for its count in /dev/shm, $TMPDIR or /tmp; the program runs without");
    return -1;
}

static void add_host(struct map *to, struct layout_host *from)
{
    struct layout_host *host =
        slots_take(to, from->host, strnlen(from->host, sizeof from->host), from->policy,
                   strnlen(from->policy, sizeof from->policy), clock_now_us() / 1000);
    if (!host)
        return;
    for (unsigned i = 0; i < LAYOUT_COUNTERS_ROOM; i++)
        atomic_fetch_add(&host->counters[i], atomic_load(&from->counters[i]));
    for (unsigned i = 0; i < LAYOUT_LATENCY_BUCKETS; i++)
        atomic_fetch_add(&host->latency[i], atomic_load(&from->latency[i]));
    for (unsigned i = 0; i < LAYOUT_ERRORS; i++)
        atomic_fetch_add(&host->errors[i], atomic_load(&from->errors[i]));
}

/* The calls of this run are calls of the run around it as well. */
static void tell_outer(struct tally *tally)
{
    struct map outer;

    if (!tally->outer[0] || map_open(&outer, tally->outer, 0, false, MAP_EXISTING) < 0)
        return;
    for (uint32_t i = 0; i < tally->map.host_count; i++) {
        struct layout_host *host = slots_at(&tally->map, i);
        if (host)
            add_host(&outer, host);
    }
    map_close(&outer);
}

void tally_close(struct tally *tally)
{
    tell_outer(tally);
    remove_file(tally);
}

/* ---- the table ---- */

static void print_table(const struct snapshot_list *list)
{
    static const struct grid_column columns[] = {
        {"HOST",   false},
        {"POLICY", false},
        FIGURES_COLUMNS
    };
    struct grid grid;
    struct snapshot total;

    grid_init(&grid, columns, sizeof columns / sizeof *columns);
    for (unsigned i = 0; i < list->count; i++) {
        grid_add(&grid, OUTPUT_PLAIN, "%s", list->items[i].host);
        grid_add(&grid, OUTPUT_PLAIN, "%s%s", snapshot_policy(&list->items[i]),
                 list->items[i].is_shadow ? " (shadow)" : "");
        figures_add(&grid, &list->items[i]);
    }
    if (list->count > 1) {
        figures_sum(&total, list);
        grid_add(&grid, OUTPUT_BOLD, "total");
        grid_add(&grid, OUTPUT_PLAIN, "%s", "");
        figures_add(&grid, &total);
    }
    grid_print(&grid, stderr);
    grid_clear(&grid);
}

static void print_for_people(const struct snapshot_list *list, const char *program)
{
    const char *bold = output_style(stderr, OUTPUT_BOLD), *plain = output_style(stderr, OUTPUT_PLAIN);
    const char *mode = getenv("GUSSET_MODE");

    if (list->count == 0 && mode && strcmp(mode, "off") == 0) {
        fprintf(stderr, "%sgusset:%s saw no call of %s: gusset is off (GUSSET_MODE)\n", bold, plain, program);
        return;
    }
    if (list->count == 0) {
        fprintf(stderr,
                "%sgusset:%s saw no call of %s; does it use libcurl or connect(), and does a rule match? "
                "`gusset explain URL` tells\n",
                bold, plain, program);
        return;
    }
    fprintf(stderr, "%sgusset:%s what was done for %s\n", bold, plain, program);
    print_table(list);
    figures_print_note(list, stderr);
}

/* ---- JSON ---- */

static void print_json(const struct snapshot_list *list, const char *program, bool shadow)
{
    struct json json = {.to = stderr};
    struct snapshot total;

    json_object(&json, NULL);
    json_text(&json, "program", program);
    json_bool(&json, "shadow", shadow);
    json_array(&json, "hosts");
    for (unsigned i = 0; i < list->count; i++) {
        json_object(&json, NULL);
        json_text(&json, "host", list->items[i].host);
        json_text(&json, "policy", list->items[i].policy);
        json_bool(&json, "shadow", list->items[i].is_shadow);
        figures_write(&json, &list->items[i]);
        json_end_object(&json);
    }
    json_end_array(&json);
    json_object(&json, "total");
    figures_sum(&total, list);
    figures_write(&json, &total);
    json_end_object(&json);
    json_end_object(&json);
    fputc('\n', stderr);
}

void tally_print(const struct tally *tally, const char *program, bool shadow, bool json)
{
    struct map map = tally->map;
    struct snapshot_list list;

    snapshot_take(&list, &map, NULL, NULL);
    if (json)
        print_json(&list, program, shadow);
    else
        print_for_people(&list, program);
    snapshot_clear(&list);
}
