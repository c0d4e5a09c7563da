/* Which rule wins for a place, which others would, and where each setting of its policy comes from. */
#include <stdlib.h>
#include <string.h>

#include "config/value.h"
#include "config/variants.h"
#include "core/method.h"
#include "tool/grid.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/ruling_json.h"
#include "tool/setup.h"

struct explain {
    struct setup setup;
    const char *method;
    bool json;
    struct ruling ruling;
};

/* ---- for people ---- */

/* "variants by tenant: 92.5 % standard, 7.5 % quick (of 10, ramp 1h)" */
static void print_variants(const struct ruling *ruling, const struct model_rule *rule)
{
    if (!rule->variants_count)
        return;
    printf("       variants%s%s:", rule->by ? " by " : "", rule->by ? variants_by_name(rule->by) : "");
    for (uint32_t i = 0; i < rule->variants_count; i++) {
        struct ruling_share share = ruling_share(ruling, rule, i);
        printf("%s %s %% %s", i ? "," : "", share.now, share.policy);
        if (share.variant->ramp_ms) {
            char ramp[32];
            struct value_text text = {ramp, sizeof ramp, 0};
            value_put_duration(&text, share.variant->ramp_ms);
            printf(" (weight %u, ramp %s)", share.variant->weight, ramp);
        }
    }
    putchar('\n');
}

static void print_rules(const struct ruling *ruling)
{
    struct explain_candidate candidate;
    char origin[EXPLAIN_TEXT_MOST];
    bool is_won = false;

    for (uint32_t at = 0; explain_next(&ruling->model, &ruling->query, ruling->program, &at, &candidate);) {
        bool matches = candidate.verdict == EXPLAIN_MATCHES, wins = matches && !is_won;
        const char *label = wins ? "rule  " : matches ? "also  " : "not   ";
        ruling_origin(ruling, candidate.rule, origin, sizeof origin);
        printf("%s%s%s match \"%s\"%s%s%s, policy %s, %s", wins ? output_style(stdout, OUTPUT_BOLD) : "",
               label, wins ? output_style(stdout, OUTPUT_PLAIN) : "", ruling_match(ruling, candidate.rule),
               candidate.path[0] ? ", path \"" : "", candidate.path, candidate.path[0] ? "\"" : "",
               ruling_policy_name(ruling, candidate.rule->policy), origin);
        if (!matches)
            printf(" (%s)", explain_verdict_text(candidate.verdict));
        putchar('\n');
        print_variants(ruling, candidate.rule);
        is_won |= wins;
    }
}

static void add_headers(struct ruling *ruling, struct grid *grid)
{
    const struct policy *values = &model_policy(&ruling->model, ruling->policy)->values;
    char origin[EXPLAIN_TEXT_MOST];

    for (uint32_t i = 0; i < values->headers_count; i++) {
        const struct model_header *header = model_header(&ruling->model, values->headers_first + i);
        explain_origin(&ruling->model, &header->origin, origin, sizeof origin);
        grid_add(grid, OUTPUT_PLAIN, "header %s", model_string(&ruling->model, header->name));
        grid_add(grid, OUTPUT_PLAIN, "(not shown)%s", header->override ? ", overrides the program's" : "");
        grid_add(grid, OUTPUT_DIM, "%s", origin);
    }
}

static void print_settings(struct ruling *ruling)
{
    static const struct grid_column columns[] = {
        {"SETTING", false},
        {"VALUE",   false},
        {"FROM",    false}
    };
    struct explain_setting setting;
    struct grid grid;
    char text[EXPLAIN_TEXT_MOST];

    grid_init(&grid, columns, sizeof columns / sizeof *columns);
    for (unsigned i = 0; i < settings_count(); i++) {
        if (!explain_setting(&ruling->model, ruling->policy, i, &setting))
            continue;
        bool is_text = setting.entry->kind == SETTINGS_TEXT;
        grid_add(&grid, OUTPUT_PLAIN, "%s", setting.entry->key);
        grid_add(&grid, OUTPUT_PLAIN, "%s", setting.value[0] ? setting.value : is_text ? "\"\"" : "none");
        grid_add(&grid, OUTPUT_DIM, "%s%s%s", ruling_setting_origin(ruling, &setting, text, sizeof text),
                 setting.template && !is_text ? ", as " : "",
                 setting.template && !is_text ? setting.template : "");
    }
    add_headers(ruling, &grid);
    grid_print(&grid, stdout);
    grid_clear(&grid);
}

static void print_absent_groups(const struct ruling *ruling)
{
    uint32_t told = model_policy(&ruling->model, ruling->policy)->values.groups;
    const char *before = "not applied: ";

    for (unsigned i = 0; i < settings_count(); i++) {
        const struct settings_entry *entry = settings_at(i);
        if (!(entry->group & ~told)) /* none, or of a group that was before */
            continue;
        printf("%s%.*s", before, (int)strcspn(entry->key, "."), entry->key);
        before = ", ";
        told |= entry->group;
    }
    if (before[0] == ',')
        putchar('\n');
}

static void print_service(const struct ruling *ruling)
{
    const struct model_service *service = model_service(&ruling->model, ruling->service);
    const char *goes = strcmp(ruling->standing.mode, "enforce") == 0 ? "goes to" : "would go to";
    struct registry_url url;
    char text[RULING_TARGET], origin[EXPLAIN_TEXT_MOST];

    for (uint32_t i = 0; i < service->urls_count; i++) {
        registry_url(&ruling->model, ruling->service, i, &url);
        explain_origin(&ruling->model, url.origin, origin, sizeof origin);
        bool is_led = ruling_leads(ruling, &url, text);
        printf("%s %s, %s\n", is_led ? (i ? "or     " : goes) : "not to ", text, origin);
    }
}

static void print_for_people(struct ruling *ruling)
{
    if (ruling->asked_policy) {
        printf("%spolicy%s %s\n", output_style(stdout, OUTPUT_BOLD), output_style(stdout, OUTPUT_PLAIN),
               ruling->asked_policy);
    } else {
        printf("%s%s%s%s\n", output_style(stdout, OUTPUT_BOLD), ruling->place,
               output_style(stdout, OUTPUT_PLAIN), ruling->address.is_url ? "" : ", as connect() sees it");
        if (ruling->is_assumed)
            puts("there is no configuration: this is what `gusset run` would do; a bare LD_PRELOAD does "
                 "nothing");
        print_rules(ruling);
    }
    if (ruling->policy == (uint32_t)MODEL_NONE) {
        puts("no rule matches: gusset leaves such a call alone");
        return;
    }
    printf("mode   %s, %s\n", ruling->standing.mode, ruling->standing.from);
    if (ruling->service != (uint32_t)MODEL_NONE)
        print_service(ruling);
    putchar('\n');
    if (ruling->winner && ruling->winner->variants_count)
        printf("settings of %s; `gusset explain --policy` prints the others'\n",
               ruling_policy_name(ruling, ruling->policy));
    print_settings(ruling);
    print_absent_groups(ruling);
}

/* ---- the verb ---- */

/* With no configuration at all the question is answered for `gusset run`. */
static int load(struct explain *explain)
{
    struct ruling *ruling = &explain->ruling;

    if (setup_apply(&explain->setup) < 0)
        return -1;
    int result = setup_model(&explain->setup, &ruling->model);
    if (result < 0 || !ruling->model.is_empty)
        return result;
    ruling->is_assumed = true;
    model_clear(&ruling->model);
    return setup_assume() < 0 ? -1 : setup_model(&explain->setup, &ruling->model);
}

static int answer(struct explain *explain)
{
    struct ruling *ruling = &explain->ruling;
    int result = load(explain);

    if (result == 0) {
        ruling_find(ruling);
        if (ruling->asked_policy && ruling->policy == (uint32_t)MODEL_NONE)
            output_error("explain: there is no policy %s", ruling->asked_policy);
        else if (explain->json)
            ruling_json_print(ruling);
        else
            print_for_people(ruling);
        result = ruling->policy == (uint32_t)MODEL_NONE ? -1 : 0;
    }
    model_clear(&ruling->model);
    return result < 0 ? TOOL_FAULTS : TOOL_FINE;
}

/* Makes the query; a sentence about what is wrong, or NULL. */
static const char *ask(struct explain *explain, const char *place)
{
    struct ruling *ruling = &explain->ruling;
    struct address *address = &ruling->address;
    const char *fault = address_parse(address, place);
    const char *method = explain->method ? explain->method : "GET";

    if (fault)
        return fault;
    if (address->place.family != PLACE_UNIX && address->place.port == 0)
        return "no port is given; say HOST:PORT, [ADDRESS]:PORT or a URL";
    if (explain->method && !address->is_url)
        return "a connect() has no method; say a URL";
    place_print(&address->place, ruling->place);
    ruling->query.place = &address->place;
    if (address->is_url) {
        ruling->query.method = method_from_name(method, strlen(method));
        ruling->query.path = address->path;
        ruling->query.path_length = address->path_length;
    }
    return NULL;
}

int tool_explain(const struct tool_verb *verb, int argc, char **argv)
{
    struct explain explain = {.json = false};
    const struct options_entry entries[] = {
        {"config",  0, OPTIONS_TEXT, &explain.setup.config       },
        {"set",     0, OPTIONS_EACH, &explain.setup.sets         },
        {"method",  0, OPTIONS_TEXT, &explain.method             },
        {"program", 0, OPTIONS_TEXT, &explain.ruling.program     },
        {"policy",  0, OPTIONS_TEXT, &explain.ruling.asked_policy},
        {"json",    0, OPTIONS_FLAG, &explain.json               },
        {NULL,      0, OPTIONS_FLAG, NULL                        },
    };
    struct options options = {.verb = verb, .most = 1};

    int status = options_read(&options, entries, argc, argv);
    if (status != OPTIONS_GO)
        return status;
    if ((options.count == 0) == !explain.ruling.asked_policy)
        return options_misused(verb, "expected a URL, HOST:PORT or --policy NAME, one of them");
    explain.setup.policy = explain.ruling.asked_policy;
    const char *fault = options.count ? ask(&explain, options.operands[0]) : NULL;
    if (fault)
        return options_misused(verb, "%s", fault);
    return answer(&explain);
}
