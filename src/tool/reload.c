/* Compiles a changed configuration now, and tells running programs to look. */
#include <errno.h>

#include "state/control.h"
#include "tool/json.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/setup.h"

struct reload {
    struct setup setup;
    bool json;
    bool is_new; /* what holds had changed */
    struct open_state state;
    bool told; /* there are programs that may run: they share a state */
};

/*
 * What holds now: compiled, and without faults. Returns 0, or -1 after a complaint; *is_new when it had
 * changed.
 */
static int compile(const struct setup *setup, bool *is_new)
{
    const struct rules *rules = NULL;
    struct source_request request;
    struct source_paths paths;
    char reason[SOURCE_PATH_MOST];

    if (setup_apply(setup) < 0 || setup_request(setup, &request, &paths) < 0)
        return -1;
    *is_new = rules_open_for(&rules, &request, NULL, false, reason, sizeof reason) < 0;
    if (setup_rules(setup, &rules) < 0)
        return -1;
    if (rules)
        return 0;
    output_error("reload: there is no configuration; `gusset check` says where it is looked for");
    return -1;
}

static void print_json(const struct reload *reload, const char *file)
{
    struct json json = {.to = stdout};

    json_object(&json, NULL);
    if (file)
        json_text(&json, "file", file);
    else
        json_null(&json, "file");
    json_bool(&json, "compiled", reload->is_new);
    json_text(&json, "state", reload->state.path);
    json_bool(&json, "told", reload->told);
    json_end_object(&json);
    putchar('\n');
}

static void print(const struct reload *reload, const char *file)
{
    char name[SOURCE_PATH_MOST];

    snprintf(name, sizeof name, "%s", file ? file : "--policy");
    printf("%s: compiled%s; %s\n", output_clean(name), reload->is_new ? "" : " already",
           reload->told ? "running programs take it within a second, those that start from now on use it"
                        : "programs that start from now on use it");
}

/* By name: who has several files learns which one holds. */
static void show(const struct reload *reload)
{
    struct source_request request;
    struct source_paths paths;
    struct model model;

    setup_model_or_empty(&reload->setup, &model);
    const char *file =
        setup_request(&reload->setup, &request, &paths) == 0 ? setup_file(&model, &paths) : NULL;
    (reload->json ? print_json : print)(reload, file);
    model_clear(&model);
}

/* How running programs learn of it: each looks at the number now and then. */
static int tell(struct reload *reload)
{
    int error = open_existing(&reload->state);

    if (error < 0 && error != -ENOENT)
        return TOOL_FAULTS;
    if (error == 0) {
        control_change(reload->state.map.header);
        map_close(&reload->state.map);
        reload->told = true;
    }
    show(reload);
    return TOOL_FINE;
}

int tool_reload(const struct tool_verb *verb, int argc, char **argv)
{
    const char *state_path = NULL;
    struct reload reload = {.json = false};
    const struct options_entry entries[] = {
        {"config", 0, OPTIONS_TEXT, &reload.setup.config},
        {"state",  0, OPTIONS_TEXT, &state_path         },
        {"json",   0, OPTIONS_FLAG, &reload.json        },
        {NULL,     0, OPTIONS_FLAG, NULL                },
    };
    struct options options = {.verb = verb, .most = 0};

    int status = options_read(&options, entries, argc, argv);
    if (status != OPTIONS_GO)
        return status;
    if (compile(&reload.setup, &reload.is_new) < 0 || open_find(&reload.state, state_path) < 0)
        return TOOL_FAULTS;
    return tell(&reload);
}
