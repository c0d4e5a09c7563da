#include "config/load.h"

#include <errno.h>
#include <string.h>

#include "config/hosts.h"
#include "config/order.h"
#include "config/policies.h"
#include "config/preset.h"
#include "config/services.h"
#include "config/syntax.h"
#include "config/value.h"

struct loading {
    struct reader reader;
    const struct source_request *request;
    const struct source_paths *paths;
    const char *file; /* that holds; NULL: none */
    bool is_locked;   /* it is the administrator's, and what the environment asks for does not count */
};

static bool is_said(const char *text)
{
    return text && text[0];
}

/* Who said it, for sentences: an option, where the command knows one; else the variable. */
static const char *said_by(const char *option, const char *variable)
{
    return option ? option : variable;
}

/* A syntax error in the place where it stands. */
static void report_syntax(const struct reader *reader, const char *path, const struct libconfig_fault *fault)
{
    char text[FAULT_TEXT_MOST] = "";
    struct value_text out = {text, sizeof text, 0};
    uint32_t source, line;
    if (fault->line == 0) {
        fault_add(reader->faults, path, 0, "%s", fault->text);
        return;
    }
    value_put(&out, fault->text);
    if (strncmp(fault->text, "mismatched element type", 23) == 0)
        value_put(&out, ": expected all in quotation marks, or none");
    include_locate(&reader->text, syntax_explain(&reader->text, fault->line, &out), &source, &line);
    fault_add(reader->faults, model_string(reader->model, model_source(reader->model, source)->path), line,
              "%s", text);
}

static int parse(struct reader *reader, const char *path)
{
    struct libconfig_fault fault;
    int result = libconfig_parse(reader->text.text.items, reader->text.text.count, &reader->document, &fault);
    if (result < 0)
        report_syntax(reader, path, &fault);
    return result;
}

static void forget(struct reader *reader)
{
    if (reader->document)
        libconfig_free(reader->document);
    reader->document = NULL;
    include_clear(&reader->text);
    table_clear(&reader->policies);
}

static bool says_locked(const struct reader *reader)
{
    const struct config_setting_t *locked =
        libconfig_member(reader->document, libconfig_root(reader->document), "locked");
    return locked && libconfig_kind(locked) == LIBCONFIG_BOOL && libconfig_bool(reader->document, locked);
}

/* Whether the file itself can be trusted and read, and speaks of locking. */
static bool mentions_lock(const char *path)
{
    struct fault_list ignored = {0};
    struct source_text own;
    bool result = source_read(path, &own, &ignored, path, 0) == 0 && strstr(own.text, "locked");
    source_clear(&own);
    fault_clear(&ignored);
    return result;
}

/*
 * Whether the administrator's file wants to be the only one. One that cannot be trusted or read locks
 * nothing; one that speaks of locking and cannot be parsed, or lacks an include, is a fault, because it may.
 */
static int look_for_lock(struct loading *loading)
{
    struct reader *reader = &loading->reader;
    struct fault_list found = {0};
    const char *path = loading->paths->system;

    int result = include_read(&reader->text, path, reader->model, &found);
    bool may_lock = result < 0
                        ? mentions_lock(path)
                        : memmem(reader->text.text.items, reader->text.text.count, "locked", 6) != NULL;
    for (uint32_t i = 0; may_lock && i < found.count; i++)
        fault_add(reader->faults, found.items[i].file, found.items[i].line, "%s", found.items[i].text);
    fault_clear(&found);
    if (result < 0 || !may_lock) {
        forget(reader);
        return may_lock ? result : 0;
    }
    result = parse(reader, path);
    if (result == 0 && says_locked(reader)) {
        loading->is_locked = true;
        loading->file = path;
    }
    forget(reader);
    return result;
}

/* Notes a path that was looked at, so that an image is stale once it changes; returns whether there is a
 * file. */
static bool note(struct loading *loading, const char *path)
{
    struct source_identity identity;
    source_identify(path, &identity);
    model_add_source(loading->reader.model, path, &identity);
    return identity.inode != 0;
}

static int choose_file(struct loading *loading)
{
    const struct source_paths *paths = loading->paths;
    bool has_system = !loading->request->ignores_lock && note(loading, paths->system);
    int result = has_system ? look_for_lock(loading) : 0;

    if (result < 0 || loading->is_locked)
        return result;
    if (paths->named[0]) {
        const char *by = said_by(loading->request->named_by, "GUSSET_CONFIG");
        loading->file = paths->named;
        if (note(loading, paths->named))
            return 0;
        fault_add(loading->reader.faults, by, 0, "%s: no such file", paths->named);
        return -ENOENT;
    }
    if (paths->user[0] && note(loading, paths->user))
        loading->file = paths->user;
    else if (has_system)
        loading->file = paths->system;
    return 0;
}

static const char *const structure[] = {"policies", "hosts", "services", NULL};

static bool take_structure(struct reader *reader, const struct config_setting_t *setting, void *context)
{
    const struct loading *loading = context;
    if (reader_is_named(setting, "locked") && strcmp(loading->file, loading->paths->system) != 0)
        reader_warn(reader, setting, "locked counts in %s only", SOURCE_SYSTEM_PATH);
    return reader_is_one_of(setting, structure);
}

/* Reads the file that holds: its settings, its policies and, unless a policy was named, its rules. */
static int read_file(struct loading *loading)
{
    struct reader *reader = &loading->reader;
    int result = include_read(&reader->text, loading->file, reader->model, reader->faults);
    if (result == 0)
        result = parse(reader, loading->file);
    if (result < 0)
        return result;

    const struct config_setting_t *root = libconfig_root(reader->document);
    const struct config_setting_t *policies = libconfig_member(reader->document, root, "policies");
    const struct config_setting_t *hosts = libconfig_member(reader->document, root, "hosts");
    const struct config_setting_t *services = libconfig_member(reader->document, root, "services");
    const bool has_rules = loading->is_locked || !is_said(loading->request->policy);
    reader_walk(reader, root, SETTINGS_OF_FILE, (uint32_t)MODEL_NONE,
                &(struct reader_own){structure, take_structure, loading});
    if (policies)
        policies_read(reader, policies);
    if (has_rules && hosts)
        hosts_read(reader, hosts);
    if (services)
        services_read(reader, services, has_rules);
    if (has_rules && !hosts && !services)
        fault_warn(reader->faults, loading->file, 0, "no hosts: nothing is wrapped");
    return 0;
}

/* --policy or $GUSSET_POLICY: one rule for every host. */
static void apply_named_policy(struct loading *loading)
{
    struct model *model = loading->reader.model;
    const char *name = loading->request->policy;
    uint32_t policy = policies_find(&loading->reader, name);
    char hint[256], quoted[256];

    if (policy == (uint32_t)MODEL_NONE) {
        policies_suggest(&loading->reader, name, hint, sizeof hint);
        assign_quote(name, strlen(name), quoted, sizeof quoted);
        fault_add(loading->reader.faults, said_by(loading->request->policy_by, "GUSSET_POLICY"), 0,
                  "unknown policy %s, %s", quoted, hint);
        return;
    }
    uint32_t match = model_text(model, "*", 1);
    struct model_rule *rule = table_add(&model->rules, sizeof *rule, 1);
    if (rule)
        *rule = (struct model_rule){
            .match = match, .kind = PATTERN_ANY, .policy = policy, .mode = -1, .origin = {.kind = MODEL_SET}};
}

static int load_all(struct loading *loading)
{
    struct model *model = loading->reader.model;
    struct fault_list *faults = loading->reader.faults;

    int result = choose_file(loading);
    if (result < 0)
        return result;
    bool is_named = is_said(loading->request->policy) && !loading->is_locked;
    if (!loading->file && !is_named) {
        model->is_empty = true;
        return 0;
    }
    result = loading->file ? read_file(loading) : 0;
    if (result < 0)
        return result;
    if (is_named)
        apply_named_policy(loading);
    if (is_said(loading->request->set) && !loading->is_locked)
        assign_set(model, loading->request->set, said_by(loading->request->set_by, "GUSSET_SET"), faults);
    if (!model_failed(model))
        order_rules(model, faults);
    return 0;
}

int load_model(struct model *model, const struct source_request *request, const struct source_paths *paths,
               struct fault_list *faults)
{
    struct loading loading = {
        .reader = {.model = model, .faults = faults},
        .request = request,
        .paths = paths,
    };
    int result = load_all(&loading);
    forget(&loading.reader);
    fault_sort(faults);
    if (model_failed(model) || result == -ENOMEM)
        return -ENOMEM;
    return result < 0 || faults->errors > 0 ? -EINVAL : 0;
}
