#include "gate/refresh.h"

#include <errno.h>

#include "report/log.h"
#include "state/control.h"
#include "sys/clock.h"

enum {
    LOOK_US = 500000,    /* how often the files are looked at, where a call comes by */
    FAULTY_US = 5000000, /* and those of which nothing came: a program must not parse them all the time */
    COMPILE_BYTES_MOST = 16384 /* about a millisecond's work (facts-performance) */
};

static _Atomic uint64_t next_look_us; /* monotonic */
static _Atomic uint64_t seen_changes; /* of the state's, 1 + the number: 0 before the first look */
static atomic_bool is_looking;        /* one thread does, the others go on as before */
static bool has_complained;

static void complain(const char *text)
{
    if (!has_complained)
        log_say(LOG_WARN, "config", text);
    has_complained = true;
}

/* New rules, or NULL where the old ones stay. */
static const struct rules *open_changed(const struct ready *ready, bool may_look, uint64_t now_us)
{
    char text[512] = "";
    const struct rules *rules = NULL;
    int error = rules_open_again(&rules, ready->rules, false, text, sizeof text);

    if (error == -ESTALE && may_look && rules_source_bytes(ready->rules) <= COMPILE_BYTES_MOST) {
        error = rules_open_again(&rules, ready->rules, true, text, sizeof text);
        if (error == 0 && rules)
            control_change(ready->state.header); /* those that only connect can take it now */
    }
    if (error < 0 && error != -ESTALE) {
        complain(text);
        atomic_store_explicit(&next_look_us, now_us + FAULTY_US, memory_order_relaxed);
    }
    return rules;
}

/*
 * Whether other rules hold now. Apart, because of the room on the stack that it takes: a thread's may be
 * small (facts-connect), and most who come by only ask.
 */
static __attribute__((noinline)) bool look(struct ready *ready, bool may_look, bool is_told, uint64_t now_us)
{
    atomic_store_explicit(&next_look_us, now_us + LOOK_US, memory_order_relaxed);
    if (!is_told && rules_are_fresh(ready->rules))
        return false;
    const struct rules *rules = open_changed(ready, may_look, now_us);
    if (!rules)
        return false;
    has_complained = false;
    ready_replace(rules);
    log_say(LOG_INFO, "reload", "the rules have changed, the new ones hold from now on");
    return true;
}

/* In a program that has just started nothing can have changed. */
static bool is_first_look(uint64_t changes, uint64_t now_us)
{
    uint64_t never = 0;

    if (!atomic_compare_exchange_strong(&seen_changes, &never, changes))
        return false;
    atomic_store_explicit(&next_look_us, now_us + LOOK_US, memory_order_relaxed);
    return true;
}

static bool look_alone(uint64_t changes, bool may_look, uint64_t now_us)
{
    const int kept = errno;
    bool has_changed = false;

    if (is_first_look(changes, now_us) || atomic_exchange(&is_looking, true))
        return false;
    struct ready *ready = ready_hold();
    bool is_told = atomic_exchange(&seen_changes, changes) != changes;
    has_changed = look(ready, may_look, is_told, now_us);
    /* What this process has compiled itself it need not be told. */
    atomic_store(&seen_changes, 1 + control_changes(control_word(ready->state.header)));
    ready_drop(ready);
    atomic_store(&is_looking, false);
    errno = kept;
    return has_changed;
}

bool refresh_look(struct ready *ready, bool may_look)
{
    uint64_t changes = 1 + control_changes(control_word(ready->state.header));
    bool is_told = atomic_load_explicit(&seen_changes, memory_order_relaxed) != changes;

    if (!is_told && !may_look)
        return false;
    uint64_t now_us = clock_coarse_us();
    if (!is_told && now_us < atomic_load_explicit(&next_look_us, memory_order_relaxed))
        return false;
    return look_alone(changes, may_look, now_us);
}
