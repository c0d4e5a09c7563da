#include "gate/ready.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "config/value.h"
#include "gate/until.h"
#include "report/log.h"
#include "report/record.h"
#include "state/control.h"
#include "sys/together.h"

TOGETHER struct ready_now ready_now;

static struct ready *_Atomic published;
static struct ready *replaced; /* newest first; only ready_replace touches it, one thread at a time */
static uint64_t numbers = 1;
static atomic_bool is_inert;
static _Thread_local bool is_starting __attribute__((tls_model("initial-exec")));

void gate_stay_inert(void)
{
    atomic_store(&is_inert, true);
}

/*
 * The number last: while it is 0 nobody begins to look at the state. Who read another one a moment ago still
 * looks, so the state that was is not taken away.
 */
static void tell(struct ready *ready)
{
    atomic_store_explicit(&ready_now.number, 0, memory_order_release);
    if (!ready)
        return;
    atomic_store_explicit(&ready_now.header, ready->state.header, memory_order_release);
    atomic_store_explicit(&ready_now.number, ready->number, memory_order_release);
}

void ready_use(struct ready *ready)
{
    atomic_store_explicit(&published, ready, memory_order_release);
    tell(ready);
}

void ready_retire(void)
{
    gate_stay_inert();
    atomic_store(&published, NULL);
    tell(NULL);
}

/* Whether a comma-separated list holds the name; blanks around its members are nothing. */
static bool list_holds(const char *list, const char *name)
{
    struct value_word word;

    for (size_t at = 0; value_next(list, strlen(list), &at, &word);)
        if (value_is(word.text, word.length, name))
            return true;
    return false;
}

static bool is_skipped(const char *program)
{
    const char *only = getenv("GUSSET_ONLY"), *skip = getenv("GUSSET_SKIP");

    return (only && *only && !list_holds(only, program)) || (skip && list_holds(skip, program));
}

static int environment_mode(void)
{
    static const char *const names[] = {
        [POLICY_ENFORCE] = "enforce", [POLICY_SHADOW] = "shadow", [POLICY_OFF] = "off"};
    const char *mode = getenv("GUSSET_MODE");

    for (int i = 0; mode && i < (int)(sizeof names / sizeof *names); i++)
        if (strcmp(mode, names[i]) == 0)
            return i;
    return -1;
}

/* What is no target leaves the one that was: lines that go nowhere would be looked for. */
static void set_target(struct log_target *target, const char *path)
{
    size_t length = strlen(path);

    if (!log_is_target(path))
        return;
    if (strcmp(path, "stderr") == 0)
        length = 0;
    memcpy(target->path, path, length);
    target->path[length] = '\0';
}

/* GUSSET_LOG is "level" or "level:target"; it wins over the file. */
static void open_log(const struct rules_globals *globals)
{
    static const char *const levels[] = {"off", "error", "warn", "info", "debug"};
    struct log_target target = {.level = LOG_OFF};
    const char *wish = getenv("GUSSET_LOG");

    if (globals) {
        target.level = (enum log_level)globals->log_level;
        target.format = (enum log_format)globals->log_format;
        set_target(&target, globals->log_target);
    }
    if (wish && *wish) {
        size_t length = strcspn(wish, ":");
        for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
            if (strlen(levels[i]) == length && memcmp(levels[i], wish, length) == 0)
                target.level = (enum log_level)i;
        if (wish[length] == ':')
            set_target(&target, wish + length + 1);
    }
    log_open(&target);
}

/* The one line on standard error that a faulty configuration costs. */
static void complain(const char *text)
{
    struct log_target target = {.level = LOG_ERROR};

    log_open(&target);
    log_say(LOG_ERROR, "config", text);
}

static void hear_of_template(const char *sentence)
{
    log_say(LOG_WARN, "config", sentence);
}

static void open_state(struct ready *ready)
{
    const char *path = getenv("GUSSET_STATE"), *tally = getenv("GUSSET_TALLY");
    bool is_shared = false;

    if (!path || !*path) {
        path = ready->globals->state_path;
        is_shared = *path != '\0';
    }
    int error = map_open(&ready->state, path, ready->globals->state_hosts, is_shared, MAP_SHARE);
    if (error == 0 && ready->state.is_private)
        log_say(LOG_WARN, "state",
                "the shared state cannot be used; this process remembers for itself alone");
    if (tally && *tally)
        map_open(&ready->tally, tally, 0, false, MAP_EXISTING);
}

static struct ready *new_record(void)
{
    void *record =
        mmap(NULL, sizeof(struct ready), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return record == MAP_FAILED ? NULL : record;
}

static void set_rules(struct ready *ready, const struct rules *rules)
{
    ready->rules = rules;
    ready->globals = rules_globals(rules);
    open_log(ready->globals);
}

/* Who only connects does not look at files: that they were compiled by this process is told to all. */
static int open_rules(const struct rules **rules, bool may_compile, bool *is_compiled, char *text,
                      size_t size)
{
    int error = rules_open(rules, program_invocation_short_name, false, text, size);

    *is_compiled = error == -ESTALE && may_compile;
    return *is_compiled ? rules_open(rules, program_invocation_short_name, true, text, size) : error;
}

/*
 * Where connect() comes first there must be no malloc: the record is a page of its own. Two threads may both
 * start; the first to publish wins.
 */
static struct ready *start(bool may_compile)
{
    char text[512] = "";
    const struct rules *rules = NULL;
    bool is_compiled;

    rules_listen(hear_of_template);
    int error = open_rules(&rules, may_compile, &is_compiled, text, sizeof text);
    if (error == -ESTALE)
        return NULL; /* a call that may compile, in a thread that can, will come, or `gusset reload` */
    if (error < 0 || !rules) {
        if (error < 0)
            complain(text);
        gate_stay_inert();
        return NULL;
    }
    struct ready *ready = new_record();
    if (!ready)
        return NULL;
    ready->number = 1;
    set_rules(ready, rules);
    ready->environment_mode = environment_mode();
    ready->ends_us = until_inherited_us();
    record_open(getenv("GUSSET_RECORD"));
    open_state(ready);
    if (!ready->state.header) {
        munmap(ready, sizeof *ready);
        gate_stay_inert();
        return NULL;
    }
    if (is_compiled)
        control_change(ready->state.header);
    ready->changes = control_changes(control_word(ready->state.header));
    struct ready *other = NULL;
    if (atomic_compare_exchange_strong(&published, &other, ready)) {
        tell(ready);
        if (!atomic_load(&is_inert))
            return ready;
        ready_retire(); /* so another thread has said meanwhile */
        return NULL;
    }
    map_close(&ready->state);
    map_close(&ready->tally);
    munmap(ready, sizeof *ready);
    return other;
}

static struct ready *start_guarded(bool may_compile)
{
    int saved = errno;
    struct ready *ready = NULL;

    is_starting = true;
    if (is_skipped(program_invocation_short_name) || environment_mode() == POLICY_OFF)
        gate_stay_inert();
    else
        ready = start(may_compile);
    is_starting = false;
    errno = saved;
    return ready;
}

struct ready *gate_ready(bool may_compile)
{
    struct ready *ready = atomic_load_explicit(&published, memory_order_acquire);

    if (ready)
        return ready;
    if (atomic_load_explicit(&is_inert, memory_order_relaxed) || is_starting)
        return NULL;
    return start_guarded(may_compile);
}

struct ready *ready_hold(void)
{
    for (;;) {
        struct ready *ready = atomic_load(&published);
        if (!ready)
            return NULL;
        atomic_fetch_add(&ready->holders, 1);
        if (atomic_load(&published) == ready)
            return ready;
        atomic_fetch_sub(&ready->holders, 1);
    }
}

void ready_drop(struct ready *ready)
{
    atomic_fetch_sub(&ready->holders, 1);
}

/* A record whose rules nobody holds any more, or a new one. */
static struct ready *spare_record(void)
{
    struct ready *spare = NULL;

    for (struct ready *old = replaced; old; old = old->next) {
        if (atomic_load(&old->holders))
            continue;
        const struct rules *rules = old->rules;
        old->rules = NULL;
        if (rules)
            rules_close(rules);
        spare = old;
    }
    if (!spare)
        return new_record();
    for (struct ready **link = &replaced; *link; link = &(*link)->next)
        if (*link == spare) {
            *link = spare->next;
            break;
        }
    return spare;
}

void ready_replace(const struct rules *rules)
{
    struct ready *old = atomic_load(&published), *ready = old ? spare_record() : NULL;

    if (!ready) { /* no memory: the old policy stays; or retired */
        rules_close(rules);
        return;
    }
    ready->number = ++numbers;
    ready->state = old->state;
    ready->tally = old->tally;
    ready->environment_mode = old->environment_mode;
    ready->ends_us = old->ends_us;
    ready->changes = old->changes;
    set_rules(ready, rules);
    struct ready *expected = old;
    bool is_published = atomic_compare_exchange_strong(&published, &expected, ready);
    if (is_published)
        tell(ready);
    if (atomic_load(&published) != ready) /* retired meanwhile */
        tell(NULL);
    struct ready *over = is_published ? old : ready;
    over->next = replaced;
    replaced = over;
}
