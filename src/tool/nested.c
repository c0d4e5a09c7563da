#include "tool/nested.h"

#include <stdio.h>
#include <string.h>

#include "tool/open.h"
#include "tool/snapshot.h"

struct repeated {
    const char *host; /* borrowed */
    uint64_t calls, repetitions;
};

/* A host has a memory for each policy. In shadow nothing was tried fewer times. */
static unsigned add_up(const struct snapshot_list *list, struct repeated *most)
{
    struct repeated now = {.host = ""};
    unsigned hosts = 0;

    *most = now;
    for (unsigned i = 0; i < list->count; i++) { /* sorted by host */
        const struct snapshot *host = &list->items[i];
        if (strcmp(host->host, now.host) != 0)
            now = (struct repeated){.host = host->host};
        if (host->is_shadow)
            continue;
        hosts += !now.repetitions && host->counters[LAYOUT_COUNT_nested];
        now.calls += host->counters[LAYOUT_COUNT_calls];
        now.repetitions += host->counters[LAYOUT_COUNT_nested];
        if (now.repetitions > most->repetitions || strcmp(most->host, now.host) == 0)
            *most = now;
    }
    return hosts;
}

/* One sentence, of the host where it happens most. */
static void tell(struct reach *reach, const struct snapshot_list *list)
{
    struct repeated most;
    unsigned others = add_up(list, &most);
    char more[48] = "";

    if (others == 0)
        return;
    if (--others)
        snprintf(more, sizeof more, " (and on %u other %s)", others, others == 1 ? "host" : "hosts");
    reach_note(
        reach,
        "nested retries: of %llu calls to %s%s, %llu were repetitions by the program itself, which gusset "
        "tried fewer times; let one of the two retry: without curl's --retry or the like, or with "
        "retry.attempts = 1 in the rule",
        (unsigned long long)most.calls, most.host, more, (unsigned long long)most.repetitions);
}

void nested_note(struct reach *reach, const char *state)
{
    struct snapshot_list list = {0};
    struct open_state open;

    if (open_find(&open, state) < 0 ||
        map_open(&open.map, open.path, 0, open.may_be_shared, MAP_EXISTING) < 0)
        return;
    snapshot_take(&list, &open.map, NULL, NULL);
    tell(reach, &list);
    snapshot_clear(&list);
    map_close(&open.map);
}
