#include "gate/refresh.h"

#include <errno.h>

#include "report/log.h"
#include "state/control.h"
#include "sys/clock.h"
#include "sys/generation.h"

enum {
    LOOK_US = 500000,    /* how often the files are looked at, where a call comes by */
    FAULTY_US = 5000000, /* and those of which nothing came: a program must not parse them all the time */
    COMPILE_BYTES_MOST = 16384 /* about a millisecond's work (facts-performance) */
};

static _Atomic uint64_t next_look_us; /* monotonic */
static _Atomic uint64_t seen_changes; /* of the state's, 1 + the number: 0 before the first look */
static bool has_complained;

/* The process (sys/generation) of which a thread looks, while the others go on as before; 0: none does. */
static _Atomic uint64_t looker;
static _Thread_local bool is_looker __attribute__((tls_model("initial-exec")));

/*
 * When this process was forked another thread of its parent's was looking, and may have held locks of the
 * loader's or of locales, which a fork resets for nobody: here nothing is compiled any more.
 */
static bool was_left_behind;

static void complain(const char *text)
{
    if (!has_complained)
        log_say(LOG_WARN, "config", text);
    has_complained = true;
}

/*
 * False where a thread looks already. One that has stayed behind in the process that forked this one does
 * not, unless it is ourselves: a signal handler has forked, and what it came into is not over.
 */
static bool begin(void)
{
    uint64_t self = generation_now(), other = 0;

    if (atomic_compare_exchange_strong(&looker, &other, self))
        return is_looker = true;
    if (other == self || is_looker || !atomic_compare_exchange_strong(&looker, &other, self))
        return false;
    return was_left_behind = is_looker = true;
}

static void end(void)
{
    is_looker = false;
    atomic_store(&looker, 0);
}

/* New rules, or NULL where the old ones stay. What this process has compiled itself it need not be told. */
static const struct rules *open_changed(const struct ready *ready, bool may_look, uint64_t *changes,
                                        uint64_t now_us)
{
    char text[512] = "";
    const struct rules *rules = NULL;
    int error = rules_open_again(&rules, ready->rules, false, text, sizeof text);

    if (error == -ESTALE && may_look && !was_left_behind &&
        rules_source_bytes(ready->rules) <= COMPILE_BYTES_MOST) {
        error = rules_open_again(&rules, ready->rules, true, text, sizeof text);
        if (error == 0 && rules) {
            control_change(ready->state.header); /* those that only connect can take it now */
            ++*changes;
        }
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
static __attribute__((noinline)) bool look(struct ready *ready, bool may_look, bool is_told,
                                           uint64_t *changes, uint64_t now_us)
{
    atomic_store_explicit(&next_look_us, now_us + LOOK_US, memory_order_relaxed);
    if (!is_told && rules_are_fresh(ready->rules))
        return false;
    const struct rules *rules = open_changed(ready, may_look, changes, now_us);
    if (!rules)
        return false;
    has_complained = false;
    ready_replace(rules);
    log_say(LOG_INFO, "reload", "the rules have changed, the new ones hold from now on");
    return true;
}

/* 0 before the first look. */
static bool is_told_of(uint64_t changes)
{
    return atomic_load_explicit(&seen_changes, memory_order_relaxed) != changes;
}

/* In a program that has just started nothing can have changed, unless it was told so since. */
static void begin_to_watch(const struct ready *ready)
{
    uint64_t never = 0;

    if (atomic_compare_exchange_strong(&seen_changes, &never, 1 + ready->changes))
        atomic_store_explicit(&next_look_us, clock_coarse_us() + LOOK_US, memory_order_relaxed);
}

/*
 * What was seen is written down last: a child that is forked meanwhile has yet to see it. A change of
 * another's that comes meanwhile is not in the number, and looked at next.
 */
static bool look_alone(uint64_t changes, bool may_look, uint64_t now_us)
{
    const int kept = errno;
    bool is_told = is_told_of(changes);

    if (!begin())
        return false;
    struct ready *ready = ready_hold();
    bool has_changed = ready && look(ready, may_look, is_told, &changes, now_us);
    atomic_store(&seen_changes, changes);
    if (ready)
        ready_drop(ready);
    end();
    errno = kept;
    return has_changed;
}

bool refresh_look(struct ready *ready, bool may_look)
{
    uint64_t changes = 1 + control_changes(control_word(ready->state.header));

    if (is_told_of(changes))
        begin_to_watch(ready);
    bool is_told = is_told_of(changes);
    if (!is_told && !may_look)
        return false;
    uint64_t now_us = clock_coarse_us();
    if (!is_told && now_us < atomic_load_explicit(&next_look_us, memory_order_relaxed))
        return false;
    return look_alone(changes, may_look, now_us);
}
