#include "tool/setup.h"

#include <stdlib.h>
#include <string.h>

#include "config/explain.h"
#include "config/wish.h"
#include "tool/compiled.h"
#include "tool/output.h"

static int put(const char *name, const char *value)
{
    if (setenv(name, value, 1) == 0)
        return 0;
    output_error("out of memory");
    return -1;
}

/* Relative paths are spelled out: the program may change its folder. */
static int put_path(const char *name, const char *path, const char *what)
{
    const struct source_request request = {.named = path};
    struct source_paths paths;

    if (source_find(&request, &paths) == 0)
        return put(name, paths.named);
    output_error("the path of the %s is too long, or the working directory is gone", what);
    return -1;
}

static int put_config(const char *config)
{
    const char *inherited = getenv("GUSSET_CONFIG");

    if (!config && (!inherited || !*inherited))
        return 0;
    if (config && !*config) {
        output_error("--config names no file");
        return -1;
    }
    return put_path("GUSSET_CONFIG", config ? config : inherited, "configuration");
}

int setup_state(void)
{
    const char *state = getenv("GUSSET_STATE");

    return state && *state && *state != '/' ? put_path("GUSSET_STATE", state, "state") : 0;
}

/* What an outer `gusset run` set stays below. */
static int put_sets(const struct options_list *sets)
{
    const char *inherited = getenv("GUSSET_SET");
    size_t size = inherited ? strlen(inherited) + 2 : 1;

    if (sets->count == 0)
        return 0;
    for (unsigned i = 0; i < sets->count; i++) {
        const char *equals = strchr(sets->items[i], '=');
        if (!equals || equals == sets->items[i] || strpbrk(sets->items[i], "\r\n")) {
            output_error("--set takes KEY=VALUE, such as retry.attempts=4");
            return -1;
        }
        size += strlen(sets->items[i]) + 1;
    }
    char *lines = calloc(1, size);
    if (!lines)
        output_die("out of memory");
    if (inherited && *inherited)
        strcat(strcat(lines, inherited), "\n");
    for (unsigned i = 0; i < sets->count; i++)
        strcat(strcat(lines, sets->items[i]), i + 1 < sets->count ? "\n" : "");
    int result = put("GUSSET_SET", lines);
    free(lines);
    return result;
}

/* What an outer `gusset run` assumed for want of a file is for this one to decide again. */
static void drop_assumed(void)
{
    const char *policy = getenv("GUSSET_POLICY"), *implied = getenv("GUSSET_POLICY_IMPLIED");

    if (policy && implied && strcmp(policy, implied) == 0)
        unsetenv("GUSSET_POLICY");
    unsetenv("GUSSET_POLICY_IMPLIED");
}

int setup_assume(void)
{
    return put("GUSSET_POLICY_IMPLIED", "standard") < 0 ? -1 : put("GUSSET_POLICY", "standard");
}

int setup_apply(const struct setup *setup)
{
    drop_assumed();
    if (put_config(setup->config) < 0 || setup_state() < 0 || put_sets(&setup->sets) < 0)
        return -1;
    if (setup->policy)
        return put("GUSSET_POLICY", setup->policy);
    if (setup->config)
        unsetenv("GUSSET_POLICY"); /* of an outer run: the file that is named here says more */
    return 0;
}

int setup_request(const struct setup *setup, struct source_request *request, struct source_paths *paths)
{
    wish_read(request);
    request->named_by = setup->config ? "--config" : NULL;
    request->policy_by = setup->policy ? "--policy" : NULL;
    request->set_by = setup->sets.count ? "--set" : NULL;
    if (source_find(request, paths) == 0)
        return 0;
    output_error("the path of the configuration is too long, or the working directory is gone");
    return -1;
}

void setup_print_faults(FILE *to, const struct fault_list *faults)
{
    char text[FAULT_TEXT_MOST + SOURCE_PATH_MOST + 32];

    for (uint32_t i = 0; i < faults->count; i++) {
        enum output_style style = faults->items[i].is_warning ? OUTPUT_DOUBTFUL : OUTPUT_BAD;
        fault_print(&faults->items[i], text, sizeof text);
        fprintf(to, "%s%s%s\n", output_style(to, style), output_clean(text), output_style(to, OUTPUT_PLAIN));
    }
}

static bool is_there(const char *path)
{
    struct source_identity identity;

    source_identify(path, &identity);
    return path[0] && identity.inode != 0;
}

/* Only the system's file can lock the others out; elsewhere the word counts for nothing. */
static bool is_locked(const struct model *model, const struct source_paths *paths)
{
    struct explain_setting setting;
    size_t length = strlen(paths->system);

    return model->globals.locked &&
           explain_setting(model, (uint32_t)MODEL_NONE, (unsigned)settings_find("locked", 6), &setting) &&
           strncmp(setting.origin, paths->system, length) == 0 && setting.origin[length] == ':';
}

const char *setup_file(const struct model *model, const struct source_paths *paths)
{
    if (paths->named[0] && !is_locked(model, paths))
        return paths->named;
    if (is_there(paths->user) && !is_locked(model, paths))
        return paths->user;
    return is_there(paths->system) ? paths->system : NULL;
}

int setup_model(const struct setup *setup, struct model *model)
{
    struct source_request request;
    struct source_paths paths;
    struct fault_list faults = {0};

    if (model_init(model) < 0)
        output_die("out of memory");
    if (setup_request(setup, &request, &paths) < 0)
        return -1;
    int result = load_model(model, &request, &paths, &faults);
    if (result < 0) {
        setup_print_faults(stderr, &faults);
        if (faults.errors == 0)
            output_error("the configuration cannot be read: %s", strerror(-result));
    }
    fault_clear(&faults);
    return result < 0 ? -1 : 0;
}

void setup_model_or_empty(const struct setup *setup, struct model *model)
{
    struct source_request request;
    struct source_paths paths;
    struct fault_list faults = {0};

    if (model_init(model) < 0)
        output_die("out of memory");
    if (setup_request(setup, &request, &paths) == 0 && load_model(model, &request, &paths, &faults) < 0) {
        model_clear(model);
        if (model_init(model) < 0)
            output_die("out of memory");
    }
    fault_clear(&faults);
}

int setup_rules(const struct setup *setup, const struct rules **rules)
{
    struct source_request request;
    struct source_paths paths;
    struct model model;
    char reason[FAULT_TEXT_MOST + SOURCE_PATH_MOST];

    if (setup_request(setup, &request, &paths) < 0)
        return -1;
    if (compiled_rules(rules, &request, reason, sizeof reason) == 0)
        return 0;
    if (setup_model(setup, &model) == 0) /* else it has named them all */
        output_error("%s", output_clean(reason));
    model_clear(&model);
    return -1;
}
