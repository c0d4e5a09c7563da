#include "gate/discover.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "core/srv.h"
#include "sys/clock.h"
#include "sys/dns.h"

enum {
    AGAIN_MS = 5000,
    LONGEST_S = 24 * 3600,
    QUIET = 15 /* times what the question took: servers that are silent must not hold a program half of its
                  time */
};

struct route_list *discover_list(struct arena *memory, const struct route_address *like, uint32_t count)
{
    struct route_list *list = arena_take(memory, sizeof *list + count * sizeof list->items[0]);

    if (!list)
        return NULL;
    list->count = count;
    for (uint32_t i = 0; i < count; i++) {
        list->items[i].scheme = like->scheme;
        list->items[i].place = like->place;
        list->items[i].path = like->path;
        list->items[i].path_length = like->path_length;
    }
    return list;
}

/* RFC 2782: without records the domain itself is the host; its port is the one that was asked for. */
static struct route_list *take_domain(const struct discover *discover, struct arena *memory)
{
    struct route_list *list = discover_list(memory, &discover->like, 1);

    if (list)
        place_from_host(&list->items[0].place, discover->domain, strlen(discover->domain), 0);
    return list;
}

static struct route_list *take_records(const struct discover *discover, struct arena *memory,
                                       const struct srv_answer *answer)
{
    struct route_list *list = discover_list(memory, &discover->like, answer->count);

    for (uint32_t i = 0; list && i < answer->count; i++) {
        list->items[i].place = answer->records[i].place;
        list->items[i].priority = answer->records[i].priority;
        list->items[i].weight = answer->records[i].weight;
    }
    return list;
}

/* Lists are kept for good, so one that says the same again is not made. */
static bool says_the_same(const struct route_list *list, const struct srv_answer *answer)
{
    if (!list || list->count != answer->count)
        return false;
    for (uint32_t i = 0; i < answer->count; i++) {
        const struct route_address *a = &list->items[i];
        const struct srv_record *b = &answer->records[i];
        if (a->priority != b->priority || a->weight != b->weight || a->place.port != b->place.port ||
            strcmp(a->place.name, b->place.name) != 0)
            return false;
    }
    return true;
}

static bool is_domain(const struct discover *discover, const struct route_list *list)
{
    return list && list->count == 1 && list->items[0].place.port == 0 &&
           strcmp(list->items[0].place.name, discover->domain) == 0;
}

/* A reply and what is read of it: more than a small stack has. */
struct question {
    uint8_t reply[DNS_ANSWER_MOST];
    struct srv_answer answer;
};

static enum srv_verdict ask(const char *name, struct question *question)
{
    long length = dns_ask_srv(name, question->reply, sizeof question->reply);

    if (length >= 0)
        return srv_read(&question->answer, question->reply, (size_t)length);
    return length == -ENOENT ? SRV_NONE : SRV_BROKEN;
}

/* What is to be published now, and for how long. */
static struct route_list *learn(const struct discover *discover, struct arena *memory, struct route_list *old,
                                struct question *question, uint64_t *life_ms)
{
    *life_ms = AGAIN_MS;
    switch (ask(discover->like.place.name, question)) {
    case SRV_FOUND:
        *life_ms = (uint64_t)(question->answer.ttl_s < LONGEST_S ? question->answer.ttl_s : LONGEST_S) * 1000;
        return says_the_same(old, &question->answer) ? old
                                                     : take_records(discover, memory, &question->answer);
    case SRV_NONE:
        return is_domain(discover, old) ? old : take_domain(discover, memory);
    case SRV_REFUSED:
        return old && old->count == 0 ? old : discover_list(memory, &discover->like, 0);
    case SRV_BROKEN:
        break;
    }
    return old ? old : take_domain(discover, memory);
}

static struct route_list *look(struct discover *discover, struct arena *memory, struct route_list *old)
{
    struct question *question =
        mmap(NULL, sizeof *question, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t life_ms = AGAIN_MS, began_ms = clock_now_us() / 1000;

    if (question == MAP_FAILED)
        return old;
    struct route_list *list = learn(discover, memory, old, question, &life_ms);
    munmap(question, sizeof *question);
    if (list)
        atomic_store_explicit(&discover->published, list, memory_order_release);
    uint64_t now_ms = clock_now_us() / 1000, quiet_ms = (now_ms - began_ms) * QUIET;
    atomic_store(&discover->until_ms, now_ms + (life_ms > quiet_ms ? life_ms : quiet_ms));
    return list;
}

/* One thread asks, the others go on with what was known; the first ones ask side by side. */
struct route_list *discover_addresses(struct discover *discover, struct arena *memory, bool may_ask)
{
    struct route_list *known = atomic_load_explicit(&discover->published, memory_order_acquire);
    uint64_t until_ms = atomic_load(&discover->until_ms), now_ms = clock_now_us() / 1000;

    if (!may_ask || (known && now_ms < until_ms))
        return known;
    if (known && !atomic_compare_exchange_strong(&discover->until_ms, &until_ms, now_ms + AGAIN_MS))
        return known;
    return look(discover, memory, known);
}
