/* Completions for the shells, and the words that they ask for when a user presses the key. */
#include "tool/completion.h"

#include <string.h>

#include "config/preset.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/reading.h"
#include "tool/setup.h"
#include "tool/usage.h"

static const struct {
    const char *name;
    void (*write)(FILE *to);
} shells[] = {
    {"bash", bash_write},
    {"zsh",  zsh_write },
    {"fish", fish_write}
};

/* ---- words: nothing is complained of, a shell asks in the midst of a line ---- */

static void list_hosts(void)
{
    struct open_state state;
    struct snapshot_list list;

    if (open_find(&state, NULL) < 0 ||
        map_open(&state.map, state.path, 0, state.may_be_shared, MAP_EXISTING) < 0)
        return;
    snapshot_take(&list, &state.map, NULL, NULL);
    for (unsigned i = 0; i < list.count; i++)
        if (i == 0 || strcmp(list.items[i].host, list.items[i - 1].host) != 0)
            puts(output_clean(list.items[i].host));
    snapshot_clear(&list);
    map_close(&state.map);
}

/* A policy that a rule overrides in place bears the name a second time. */
static bool is_first(const struct model *model, uint32_t index)
{
    return model_find_policy(model, model_string(model, model_policy(model, index)->values.name)) == index;
}

static void list_policies(void)
{
    struct setup setup = {.config = NULL};
    struct model model;

    setup_model_or_empty(&setup, &model);
    for (unsigned i = 0; preset_name(i); i++)
        puts(preset_name(i));
    for (uint32_t i = 0; i < model.policies.count; i++)
        if (model_policy(&model, i)->origin.kind == MODEL_FILE && is_first(&model, i))
            puts(model_string(&model, model_policy(&model, i)->values.name));
    model_clear(&model);
}

static void list_settings(void)
{
    for (unsigned i = 0; i < settings_count(); i++)
        if (settings_at(i)->place == SETTINGS_OF_POLICY)
            printf("%s=\n", settings_at(i)->key);
}

static void list_services(void)
{
    struct setup setup = {.config = NULL};
    struct model model;

    setup_model_or_empty(&setup, &model);
    for (uint32_t i = 0; i < model.services.count; i++)
        puts(model_string(&model, model_service(&model, i)->name));
    model_clear(&model);
}

static const struct {
    enum usage_kind kind;
    void (*list)(void);
} lists[] = {
    {USAGE_HOSTS,    list_hosts   },
    {USAGE_POLICIES, list_policies},
    {USAGE_SETTINGS, list_settings},
    {USAGE_SERVICES, list_services}
};

static bool list_words(const char *what)
{
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (strcmp(usage_list_name(lists[i].kind), what) == 0) {
            lists[i].list();
            return true;
        }
    return false;
}

int tool_completion(const struct tool_verb *verb, int argc, char **argv)
{
    const char *list = NULL;
    const struct options_entry entries[] = {
        {"list", 0, OPTIONS_TEXT, &list},
        {NULL,   0, OPTIONS_FLAG, NULL }
    };
    struct options options = {.verb = verb, .most = 1};

    int status = options_read(&options, entries, argc, argv);
    if (status != OPTIONS_GO)
        return status;
    if ((options.count == 0) == !list)
        return options_misused(verb, "expected bash, zsh or fish");
    if (list)
        return list_words(list) ? TOOL_FINE
                                : options_misused(verb, "--list takes hosts, policies, settings or services");
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(shells[i].name, options.operands[0]) == 0) {
            shells[i].write(stdout);
            return TOOL_FINE;
        }
    return options_misused(verb, "expected bash, zsh or fish, not %s", output_clean(options.operands[0]));
}
