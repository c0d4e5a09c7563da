#include "tool/scout.h"

#include <pthread.h>
#include <stdlib.h>

#include "sys/clock.h"

enum { EACH_MS = 1000 }; /* for records that may not be kept at all */

/* The thread has it in common with its owner, whoever is longer there. */
struct scout {
    struct endpoint url; /* what discover borrows from */
    struct discover discover;
    struct arena memory;
    uint64_t asked_ms; /* monotonic, when a thread was sent */
    _Atomic bool is_out;
    _Atomic unsigned holders;
};

struct scout *scout_new(const struct endpoint *url)
{
    struct scout *scout = calloc(1, sizeof *scout);

    if (!scout)
        return NULL;
    scout->url = *url;
    scout->url.path = NULL; /* nobody asks for it, and its text may go */
    scout->url.path_length = 0;
    scout->discover.like.scheme = url->scheme;
    scout->discover.like.place = url->place;
    scout->discover.domain = endpoint_srv_domain(&scout->url);
    scout->holders = 1;
    return scout;
}

void scout_free(struct scout *scout)
{
    if (atomic_fetch_sub(&scout->holders, 1) > 1)
        return;
    arena_clear(&scout->memory);
    free(scout);
}

static void *ask(void *context)
{
    struct scout *scout = context;

    discover_addresses(&scout->discover, &scout->memory, true);
    scout->is_out = false;
    scout_free(scout);
    return NULL;
}

static void send_thread(struct scout *scout)
{
    pthread_t thread;

    scout->asked_ms = clock_now_us() / 1000;
    scout->is_out = true;
    atomic_fetch_add(&scout->holders, 1);
    if (pthread_create(&thread, NULL, ask, scout) == 0) {
        pthread_detach(thread);
        return;
    }
    scout->is_out = false;
    atomic_fetch_sub(&scout->holders, 1);
}

const struct route_list *scout_addresses(struct scout *scout, bool may_wait)
{
    const struct route_list *known = discover_addresses(&scout->discover, &scout->memory, may_wait);
    uint64_t now_ms = clock_now_us() / 1000;
    bool is_over = !known || now_ms >= atomic_load(&scout->discover.until_ms);

    if (!may_wait && is_over && !scout->is_out && now_ms - scout->asked_ms >= EACH_MS)
        send_thread(scout);
    return known;
}
