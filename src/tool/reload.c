/* Compiles a changed configuration now, and tells running programs to look. */
#include <errno.h>

#include "state/control.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/setup.h"

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

/* How running programs learn of it: each looks at the number now and then. */
static int tell(struct open_state *state, bool is_new)
{
    int error = open_existing(state);
    const char *what = is_new ? "compiled" : "compiled already";

    if (error < 0 && error != -ENOENT)
        return TOOL_FAULTS;
    if (error == -ENOENT) {
        printf("%s; programs that start from now on use it\n", what);
        return TOOL_FINE;
    }
    control_change(state->map.header);
    map_close(&state->map);
    printf("%s; running programs take it within a second, those that start from now on use it\n", what);
    return TOOL_FINE;
}

int tool_reload(const struct tool_verb *verb, int argc, char **argv)
{
    const char *state_path = NULL;
    struct setup setup = {.config = NULL};
    const struct options_entry entries[] = {
        {"config", 0, OPTIONS_TEXT, &setup.config},
        {"state",  0, OPTIONS_TEXT, &state_path  },
        {NULL,     0, OPTIONS_FLAG, NULL         },
    };
    struct options options = {.verb = verb, .most = 0};
    struct open_state state;
    bool is_new = false;

    int status = options_read(&options, entries, argc, argv);
    if (status != OPTIONS_GO)
        return status;
    if (compile(&setup, &is_new) < 0 || open_find(&state, state_path) < 0)
        return TOOL_FAULTS;
    return tell(&state, is_new);
}
