#include "tool/circuit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/explain.h"
#include "config/preset.h"
#include "config/rules.h"
#include "config/value.h"
#include "core/breaker.h"
#include "core/method.h"
#include "state/slots.h"
#include "sys/clock.h"
#include "tool/output.h"
#include "tool/setup.h"

/* A circuit that is closed so starts with a clean window, or the next failure would open it again. */
static void forget_failures(struct layout_host *slot)
{
    for (int i = 0; i < WINDOW_SLOTS; i++)
        atomic_store_explicit(&slot->outcomes[i], 0, memory_order_relaxed);
    for (int i = 0; i < WINDOW_SLOTS; i++)
        atomic_store_explicit(&slot->slow[i], 0, memory_order_relaxed);
    atomic_store_explicit(&slot->calm, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->patience_ms, 0, memory_order_relaxed);
}

static void tell(struct map *map, const struct snapshot *host, enum events_kind kind, uint32_t duration_ms)
{
    struct events_entry event = {.unix_ms = clock_unix_ms(),
                                 .key = host->key,
                                 .pid = (uint32_t)getpid(),
                                 .detail = duration_ms,
                                 .kind = kind,
                                 .shadow = host->is_shadow};

    memcpy(event.host, host->host, strnlen(host->host, sizeof event.host - 1));
    events_put(map, &event);
}

void circuit_set(struct map *map, const struct snapshot *host, uint64_t word, enum events_kind kind,
                 uint32_t duration_ms)
{
    if (!slots_is_still(host->slot, host->key))
        return; /* another host lives there by now */
    if (breaker_state(word) != BREAKER_OPEN)
        forget_failures(host->slot);
    atomic_store(&host->slot->circuit, word);
    if (kind != EVENTS_NONE)
        tell(map, host, kind, duration_ms);
}

bool circuit_follow(struct map *map, const struct snapshot *host, uint64_t word, enum events_kind kind,
                    uint32_t duration_ms)
{
    uint64_t found = host->circuit;
    bool is_open = breaker_state(word) == BREAKER_OPEN;

    if (!slots_is_still(host->slot, host->key))
        return false;
    /* The mark comes first: who sees the circuit without it would take it for this machine's own. */
    atomic_store(&host->slot->elsewhere, is_open ? word : 0);
    if (!atomic_compare_exchange_strong(&host->slot->circuit, &found, word))
        return false;
    if (!is_open)
        forget_failures(host->slot);
    if (kind != EVENTS_NONE)
        tell(map, host, kind, duration_ms);
    return true;
}

bool circuit_read_duration(const char *text, uint32_t *duration_ms)
{
    uint64_t ms;

    if (!value_duration(text, strlen(text), &ms) || ms == 0 || ms > UINT32_MAX)
        return false;
    *duration_ms = (uint32_t)ms;
    return true;
}

bool circuit_has_port(const struct address *address)
{
    return address->place.family == PLACE_UNIX || address->place.port != 0;
}

/* ---- places for hosts that are not known yet ---- */

/* What is to be made, and for which verb. */
struct making {
    struct map *map;
    const struct address *address;
    const char *policy; /* NULL: by the rules */
    const char *verb;
};

static void make_slot(const struct making *making, const char *policy)
{
    char host[PLACE_TEXT_MAX];
    size_t length = place_print(&making->address->place, host);

    slots_take(making->map, host, length, policy, strlen(policy), clock_now_us() / 1000);
}

/* Where nothing is refused a circuit would only look open. */
static void complain_of_mode(const char *verb, const struct rules_query *query, enum policy_mode mode)
{
    const struct setup setup = {.config = NULL};
    struct explain_candidate candidate = {.verdict = EXPLAIN_OTHER_PORT};
    struct model model;
    char origin[EXPLAIN_TEXT_MOST] = "of this place";

    setup_model_or_empty(&setup, &model);
    for (uint32_t at = 0; explain_next(&model, query, NULL, &at, &candidate);)
        if (candidate.verdict == EXPLAIN_MATCHES) {
            snprintf(origin, sizeof origin, "at ");
            explain_origin(&model, &candidate.rule->origin, origin + 3, sizeof origin - 3);
            break;
        }
    model_clear(&model);
    output_error("%s: the rule %s is %s: nothing is refused until it says mode = \"enforce\"", verb,
                 output_clean(origin), mode == POLICY_SHADOW ? "in shadow" : "off");
}

/*
 * The memory that the rules give to the place: as a GET, and as a bare connect. A host's own circuit has
 * no policy. Returns 0, or -1 after a complaint where rules are there but none that refuses.
 */
static int make_slots_by_rules(const struct making *making, const struct rules *rules)
{
    const char *path = making->address->is_url ? making->address->path : "/";
    const struct rules_query queries[] = {
        {.place = &making->address->place, .method = METHOD_GET, .path = path, .path_length = strlen(path)},
        {.place = &making->address->place                   },
    };
    struct rules_match match;
    const struct rules_query *idle = NULL;
    enum policy_mode mode = POLICY_ENFORCE;
    bool refuses = false;

    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        if (!rules_find(rules, &queries[i], &match) || !(match.policy->settings->groups & POLICY_BREAKER))
            continue;
        if (match.mode != POLICY_ENFORCE) {
            idle = &queries[i];
            mode = match.mode;
            continue;
        }
        refuses = true;
        bool by_host = match.policy->settings->breaker.scope == POLICY_SCOPE_HOST;
        make_slot(making, by_host ? "" : match.policy->name);
    }
    if (refuses || !idle)
        return 0;
    complain_of_mode(making->verb, idle, mode);
    return -1;
}

/* A slip must not look like success: no program would ask for the circuit of a policy that is not there. */
static bool is_known(const char *policy)
{
    const struct setup setup = {.config = NULL};
    struct model model;

    setup_model_or_empty(&setup, &model);
    bool result = model_find_policy(&model, policy) != (uint32_t)MODEL_NONE ||
                  preset_add(&model, policy) != (uint32_t)MODEL_NONE;
    model_clear(&model);
    return result;
}

static int make_slots(const struct making *making)
{
    const struct setup setup = {.config = NULL};
    const struct rules *rules = NULL;

    if (!circuit_has_port(making->address))
        return 0; /* the known ports are meant */
    if (making->policy) {
        if (is_known(making->policy))
            make_slot(making, making->policy);
        return 0; /* a policy of another configuration may have a slot nevertheless */
    }
    if (setup_rules(&setup, &rules) < 0)
        return -1;
    if (!rules && (setup_assume() < 0 || setup_rules(&setup, &rules) < 0))
        return -1; /* no configuration: standard, as `gusset run` takes it */
    return rules ? make_slots_by_rules(making, rules) : 0;
}

int circuit_make(struct map *map, const struct address *address, const char *policy, const char *verb)
{
    const struct making making = {map, address, policy, verb};
    return make_slots(&making);
}
