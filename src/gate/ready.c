#include "gate/ready.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "report/log.h"

static struct ready *_Atomic published;
static atomic_bool is_inert;
static _Thread_local bool is_starting __attribute__((tls_model("initial-exec")));

void gate_stay_inert(void)
{
    atomic_store(&is_inert, true);
}

/* Whether a comma-separated list holds the name. */
static bool list_holds(const char *list, const char *name)
{
    size_t length = strlen(name);

    while (*list) {
        size_t item = strcspn(list, ",");
        if (item == length && memcmp(list, name, length) == 0)
            return true;
        list += item + (list[item] == ',');
    }
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

static void set_target(struct log_target *target, const char *path)
{
    size_t length = strlen(path);

    if (strcmp(path, "stderr") == 0 || length >= sizeof target->path)
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

/*
 * Where connect() comes first there must be no malloc: the record is a page of its own. Two threads may both
 * start; the first to publish wins.
 */
static struct ready *start(bool may_compile)
{
    char text[512] = "";
    const struct rules *rules = NULL;

    rules_listen(hear_of_template);
    int error = rules_open(&rules, program_invocation_short_name, may_compile, text, sizeof text);
    if (error == -ESTALE && !may_compile)
        return NULL; /* a call that may compile will come, or `gusset reload` */
    if (error < 0 || !rules) {
        if (error < 0)
            complain(text);
        gate_stay_inert();
        return NULL;
    }
    struct ready *ready =
        mmap(NULL, sizeof *ready, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (ready == MAP_FAILED)
        return NULL;
    ready->rules = rules;
    ready->globals = rules_globals(rules);
    ready->environment_mode = environment_mode();
    open_log(ready->globals);
    open_state(ready);
    if (!ready->state.header) {
        munmap(ready, sizeof *ready);
        gate_stay_inert();
        return NULL;
    }
    struct ready *other = NULL;
    if (atomic_compare_exchange_strong(&published, &other, ready))
        return ready;
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
