/* The registry: where each service runs, how it is checked, and where each value comes from. */
#include <string.h>

#include "config/explain.h"
#include "tool/grid.h"
#include "tool/json.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/registry.h"
#include "tool/setup.h"
#include "tool/tool.h"

struct services {
    struct setup setup;
    struct model model;
    const char *wanted; /* NULL: all */
};

/* Settings that speak of a check mean nothing where there is none. */
static bool is_told(const struct model_service *service, const struct explain_setting *setting)
{
    return service->has_health || strncmp(setting->entry->key, "health.", 7) != 0;
}

static const char *policy_of(const struct model *model, const struct model_service *service)
{
    return service->has_policy ? model_string(model, model_policy(model, service->policy)->values.name) : "";
}

static bool is_wanted(const struct services *services, const struct model_service *service)
{
    return !services->wanted || strcmp(services->wanted, model_string(&services->model, service->name)) == 0;
}

/* ---- for people ---- */

static void add_row(struct grid *grid, const char **name, const char *key, const char *value)
{
    grid_add(grid, OUTPUT_BOLD, "%s", *name);
    grid_add(grid, OUTPUT_PLAIN, "%s", key);
    grid_add(grid, OUTPUT_PLAIN, "%s", value);
    *name = "";
}

static void add_url(const struct model *model, uint32_t service, const struct registry_url *url,
                    const char **name, struct grid *grid)
{
    char origin[EXPLAIN_TEXT_MOST], health[REGISTRY_TEXT];

    explain_origin(model, url->origin, origin, sizeof origin);
    add_row(grid, name, "address", url->text);
    if (url->template)
        grid_add(grid, url->is_usable ? OUTPUT_DIM : OUTPUT_BAD, "%s, as %s%s%s", origin, url->template,
                 url->variables[0] ? "; from the environment: " : "; none of it from the environment",
                 url->variables);
    else
        grid_add(grid, OUTPUT_DIM, "%s", origin);
    if (!registry_health(model, service, url, health, sizeof health))
        return;
    add_row(grid, name, "health", health);
    grid_add(grid, OUTPUT_DIM, "%s", "");
}

static void add_settings(const struct model *model, uint32_t index, const char **name, struct grid *grid)
{
    const struct model_service *service = model_service(model, index);
    struct explain_setting setting;
    char origin[EXPLAIN_TEXT_MOST];

    if (service->has_policy) {
        explain_origin(model, &service->origin, origin, sizeof origin);
        add_row(grid, name, "policy", policy_of(model, service));
        grid_add(grid, OUTPUT_DIM, "%s", origin);
    }
    for (unsigned i = 0; i < settings_count(); i++) {
        if (!explain_service_setting(model, index, i, &setting) || !is_told(service, &setting))
            continue;
        add_row(grid, name, setting.entry->key, setting.value);
        grid_add(grid, OUTPUT_DIM, "%s%s%s", setting.origin, setting.template ? ", as " : "",
                 setting.template ? setting.template : "");
    }
}

static void print_for_people(const struct services *services)
{
    static const struct grid_column columns[] = {
        {"SERVICE", false},
        {"SETTING", false},
        {"VALUE",   false},
        {"FROM",    false}
    };
    const struct model *model = &services->model;
    struct registry_url url;
    struct grid grid;

    grid_init(&grid, columns, sizeof columns / sizeof *columns);
    for (uint32_t i = 0; i < model->services.count; i++) {
        const struct model_service *service = model_service(model, i);
        const char *name = model_string(model, service->name);
        if (!is_wanted(services, service))
            continue;
        for (uint32_t j = 0; j < service->urls_count; j++) {
            registry_url(model, i, j, &url);
            add_url(model, i, &url, &name, &grid);
        }
        add_settings(model, i, &name, &grid);
    }
    grid_print(&grid, stdout);
    grid_clear(&grid);
}

/* ---- JSON ---- */

static void write_url(const struct model *model, uint32_t service, const struct registry_url *url,
                      struct json *json)
{
    char text[EXPLAIN_TEXT_MOST + REGISTRY_TEXT];

    json_object(json, NULL);
    if (url->is_usable)
        json_text(json, "address", url->text);
    else
        json_text(json, "fault", url->text);
    if (registry_health(model, service, url, text, sizeof text))
        json_text(json, "health", text);
    explain_origin(model, url->origin, text, sizeof text);
    json_text(json, "from", text);
    if (url->template) {
        json_text(json, "template", url->template);
        json_text(json, "environment", url->variables);
    }
    json_end_object(json);
}

static void write_settings(const struct model *model, uint32_t index, struct json *json)
{
    struct explain_setting setting;

    json_array(json, "settings");
    for (unsigned i = 0; i < settings_count(); i++) {
        if (!explain_service_setting(model, index, i, &setting) ||
            !is_told(model_service(model, index), &setting))
            continue;
        json_object(json, NULL);
        json_text(json, "key", setting.entry->key);
        json_text(json, "value", setting.value);
        json_text(json, "from", setting.origin);
        if (setting.template)
            json_text(json, "template", setting.template);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_service(const struct model *model, uint32_t index, struct json *json)
{
    const struct model_service *service = model_service(model, index);
    struct registry_url url;
    char origin[EXPLAIN_TEXT_MOST];

    explain_origin(model, &service->origin, origin, sizeof origin);
    json_object(json, NULL);
    json_text(json, "name", model_string(model, service->name));
    json_text(json, "from", origin);
    if (service->has_policy)
        json_text(json, "policy", policy_of(model, service));
    json_array(json, "addresses");
    for (uint32_t i = 0; i < service->urls_count; i++) {
        registry_url(model, index, i, &url);
        write_url(model, index, &url, json);
    }
    json_end_array(json);
    write_settings(model, index, json);
    json_end_object(json);
}

static void print_json(const struct services *services)
{
    struct json json = {.to = stdout};

    json_object(&json, NULL);
    json_array(&json, "services");
    for (uint32_t i = 0; i < services->model.services.count; i++)
        if (is_wanted(services, model_service(&services->model, i)))
            write_service(&services->model, i, &json);
    json_end_array(&json);
    json_end_object(&json);
    putchar('\n');
}

/* ---- the verb ---- */

static int answer(struct services *services, bool json)
{
    const struct model *model = &services->model;

    if (setup_apply(&services->setup) < 0 || setup_model(&services->setup, &services->model) < 0)
        return TOOL_FAULTS;
    if (services->wanted && model_find_service(model, services->wanted) == (uint32_t)MODEL_NONE) {
        output_error("services: there is no service %s; `gusset services` lists those that are",
                     services->wanted);
        return TOOL_FAULTS;
    }
    if (json)
        print_json(services);
    else if (model->services.count)
        print_for_people(services);
    else
        puts("no services: the configuration has none");
    return TOOL_FINE;
}

int tool_services(const struct tool_verb *verb, int argc, char **argv)
{
    struct services services = {.wanted = NULL};
    bool json = false;
    const struct options_entry entries[] = {
        {"config", 0, OPTIONS_TEXT, &services.setup.config},
        {"json",   0, OPTIONS_FLAG, &json                 },
        {NULL,     0, OPTIONS_FLAG, NULL                  },
    };
    struct options options = {.verb = verb, .most = 1};

    int status = options_read(&options, entries, argc, argv);
    if (status != OPTIONS_GO)
        return status;
    services.wanted = options.count ? options.operands[0] : NULL;
    status = answer(&services, json);
    model_clear(&services.model);
    return status;
}
