/* Names every fault of a configuration. */
#include <errno.h>
#include <string.h>

#include "tool/json.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/setup.h"

struct check {
    struct model model;
    struct fault_list faults;
    struct source_paths paths;
    bool is_empty, failed;
};

/* Whether the policy is what a rule overrides in place. */
static bool is_of_rule(const struct model *model, uint32_t policy)
{
    const struct model_origin *own = &model_policy(model, policy)->origin;

    for (uint32_t i = 0; i < model->rules.count; i++) {
        const struct model_rule *rule = model_rule(model, i);
        if (rule->policy == policy && rule->origin.source == own->source && rule->origin.line == own->line)
            return true;
    }
    return false;
}

static uint32_t own_policies(const struct model *model)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->policies.count; i++)
        count += model_policy(model, i)->origin.kind == MODEL_FILE && !is_of_rule(model, i);
    return count;
}

static const char *file_of(const struct check *check)
{
    const char *file = setup_file(&check->model, &check->paths);
    return file ? file : "--policy";
}

static const char *plural(uint32_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

static void print_for_people(const struct check *check)
{
    uint32_t warnings =
        check->faults.count > check->faults.errors ? check->faults.count - check->faults.errors : 0;
    uint32_t policies = own_policies(&check->model), rules = check->model.rules.count;

    setup_print_faults(stdout, &check->faults);
    if (check->is_empty) {
        printf("no configuration: neither %s nor %s is there; `gusset check FILE` checks another\n",
               check->paths.user[0] ? check->paths.user : "a user's file", check->paths.system);
        return;
    }
    if (check->failed) {
        printf("%s%s: %u %s%s\n", output_style(stdout, OUTPUT_BAD), file_of(check), check->faults.errors,
               plural(check->faults.errors, "fault", "faults"), output_style(stdout, OUTPUT_PLAIN));
        return;
    }
    printf("%s%s: fine%s, %u %s, %u %s", output_style(stdout, OUTPUT_GOOD), file_of(check),
           output_style(stdout, OUTPUT_PLAIN), policies, plural(policies, "policy", "policies"), rules,
           plural(rules, "rule", "rules"));
    if (check->model.services.count)
        printf(", %u %s", check->model.services.count,
               plural(check->model.services.count, "service", "services"));
    if (warnings)
        printf(", %u %s", warnings, plural(warnings, "warning", "warnings"));
    putchar('\n');
}

static void print_json(const struct check *check)
{
    struct json json = {.to = stdout};

    json_object(&json, NULL);
    if (check->is_empty)
        json_null(&json, "file");
    else
        json_text(&json, "file", file_of(check));
    json_bool(&json, "fine", !check->failed && !check->is_empty);
    json_number(&json, "errors", check->faults.errors);
    json_number(&json, "policies", own_policies(&check->model));
    json_number(&json, "rules", check->model.rules.count);
    json_number(&json, "services", check->model.services.count);
    json_array(&json, "faults");
    for (uint32_t i = 0; i < check->faults.count; i++) {
        const struct fault *fault = &check->faults.items[i];
        json_object(&json, NULL);
        json_text(&json, "file", fault->file);
        json_number(&json, "line", fault->line);
        json_text(&json, "severity", fault->is_warning ? "warning" : "error");
        json_text(&json, "text", fault->text);
        json_end_object(&json);
    }
    json_end_array(&json);
    json_end_object(&json);
    putchar('\n');
}

/* A file that is named is looked at for itself: whatever else holds here or was asked for. */
static int load(struct check *check, const struct setup *setup, const char *named)
{
    struct source_request request = {.named = named, .named_by = "check", .ignores_lock = true};

    if (model_init(&check->model) < 0)
        output_die("out of memory");
    if (setup_apply(setup) < 0)
        return -1;
    if (!named && setup_request(setup, &request, &check->paths) < 0)
        return -1;
    if (named && source_find(&request, &check->paths) < 0) {
        output_error("check: the file's path is too long, or the working directory is gone");
        return -1;
    }
    int result = load_model(&check->model, &request, &check->paths, &check->faults);
    check->failed = result < 0;
    check->is_empty = result == 0 && check->model.is_empty;
    if (result == -ENOMEM)
        output_die("out of memory");
    return 0;
}

int tool_check(const struct tool_verb *verb, int argc, char **argv)
{
    bool json = false;
    struct setup setup = {.config = NULL};
    const struct options_entry entries[] = {
        {"json",   0, OPTIONS_FLAG, &json        },
        {"config", 0, OPTIONS_TEXT, &setup.config},
        {"set",    0, OPTIONS_EACH, &setup.sets  },
        {NULL,     0, OPTIONS_FLAG, NULL         },
    };
    struct options options = {.verb = verb, .most = 1};
    struct check check = {.failed = false};

    int status = options_read(&options, entries, argc, argv);
    if (status != OPTIONS_GO)
        return status;
    if (options.count && setup.config)
        return options_misused(verb, "FILE and --config both name a file");
    status = TOOL_FAULTS;
    if (load(&check, &setup, options.count ? options.operands[0] : NULL) == 0) {
        if (json)
            print_json(&check);
        else
            print_for_people(&check);
        status = check.failed || check.is_empty ? TOOL_FAULTS : TOOL_FINE;
    }
    fault_clear(&check.faults);
    model_clear(&check.model);
    return status;
}
