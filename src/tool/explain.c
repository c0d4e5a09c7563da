/* Which rule wins for a place, which others would, and where each setting of its policy comes from. */
#include "config/explain.h"

#include <stdlib.h>
#include <string.h>

#include "config/preset.h"
#include "config/value.h"
#include "config/variants.h"
#include "core/method.h"
#include "sys/clock.h"
#include "tool/address.h"
#include "tool/grid.h"
#include "tool/json.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/registry.h"
#include "tool/setup.h"
#include "tool/standing.h"

struct explain {
    struct setup setup;
    const char *method, *program, *policy_name;
    bool json;
    bool is_assumed; /* there is no configuration: what `gusset run` would take */
    struct address address;
    char place[PLACE_TEXT_MAX];
    struct rules_query query;
    struct model model;
    const struct model_rule *winner; /* NULL: none */
    uint32_t policy;                 /* MODEL_NONE: none */
    uint32_t service;                /* MODEL_NONE: the place names none */
    struct standing standing;
};

/* ---- finding ---- */

static void find_winner(struct explain *explain)
{
    struct explain_candidate candidate;

    explain->policy = explain->service = (uint32_t)MODEL_NONE;
    for (uint32_t at = 0; explain_next(&explain->model, &explain->query, explain->program, &at, &candidate);)
        if (candidate.verdict == EXPLAIN_MATCHES) {
            explain->winner = candidate.rule;
            explain->policy = candidate.rule->policy;
            break;
        }
    if (explain->query.place->family == PLACE_NAME)
        explain->service = model_find_service(&explain->model, explain->query.place->name);
    if (!explain->winner && explain->service != (uint32_t)MODEL_NONE)
        explain->policy = model_service(&explain->model, explain->service)->policy;
}

static void find_policy(struct explain *explain)
{
    explain->service = (uint32_t)MODEL_NONE;
    explain->policy = model_find_policy(&explain->model, explain->policy_name);
    if (explain->policy == (uint32_t)MODEL_NONE) /* locked: what was asked for did not count */
        explain->policy = preset_add(&explain->model, explain->policy_name);
}

static const char *policy_name(const struct explain *explain, uint32_t policy)
{
    return model_string(&explain->model, model_policy(&explain->model, policy)->values.name);
}

static const char *match_of(const struct explain *explain, const struct model_rule *rule)
{
    return model_string(&explain->model, rule->match);
}

/* The rule that stands for --policy, or for nothing at all, has no place in a file. */
static void origin_of_rule(const struct explain *explain, const struct model_rule *rule, char *text,
                           size_t size)
{
    if (rule->origin.kind == MODEL_SET)
        snprintf(text, size, "%s", explain->is_assumed ? "gusset run" : "GUSSET_POLICY");
    else
        explain_origin(&explain->model, &rule->origin, text, size);
}

/* A variant of a rule, and the share that it has now. */
struct share {
    const struct variant *variant;
    const char *policy;
    char now[32]; /* "9.5" */
};

static struct share share_of(const struct explain *explain, const struct model_rule *rule, uint32_t index)
{
    const struct variant *variants = model_variant(&explain->model, rule->variants_first);
    struct share share = {&variants[index], policy_name(explain, variants[index].policy), ""};
    struct value_text text = {share.now, sizeof share.now, 0};
    uint64_t now_ms = clock_unix_ms(), changed_ms = model_changed_ms(&explain->model);
    uint64_t age_ms = now_ms > changed_ms ? now_ms - changed_ms : 0;

    value_put_decimal(&text, variant_share_bp(variants, rule->variants_count, index, age_ms), 2, 0);
    return share;
}

/* ---- for people ---- */

/* "variants by tenant: 92.5 % standard, 7.5 % quick (of 10, ramp 1h)" */
static void print_variants(const struct explain *explain, const struct model_rule *rule)
{
    if (!rule->variants_count)
        return;
    printf("       variants%s%s:", rule->by ? " by " : "", rule->by ? variants_by_name(rule->by) : "");
    for (uint32_t i = 0; i < rule->variants_count; i++) {
        struct share share = share_of(explain, rule, i);
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

static void print_rules(const struct explain *explain)
{
    struct explain_candidate candidate;
    char origin[EXPLAIN_TEXT_MOST];
    bool is_won = false;

    for (uint32_t at = 0;
         explain_next(&explain->model, &explain->query, explain->program, &at, &candidate);) {
        bool matches = candidate.verdict == EXPLAIN_MATCHES, wins = matches && !is_won;
        const char *label = wins ? "rule  " : matches ? "also  " : "not   ";
        origin_of_rule(explain, candidate.rule, origin, sizeof origin);
        printf("%s%s%s match \"%s\"%s%s%s, policy %s, %s", wins ? output_style(stdout, OUTPUT_BOLD) : "",
               label, wins ? output_style(stdout, OUTPUT_PLAIN) : "", match_of(explain, candidate.rule),
               candidate.path[0] ? ", path \"" : "", candidate.path, candidate.path[0] ? "\"" : "",
               policy_name(explain, candidate.rule->policy), origin);
        if (!matches)
            printf(" (%s)", explain_verdict_text(candidate.verdict));
        putchar('\n');
        print_variants(explain, candidate.rule);
        is_won |= wins;
    }
}

/*
 * A built-in policy's own settings are the table's defaults where it says nothing: that is its word all
 * the same.
 */
static const char *origin_of(const struct explain *explain, const struct explain_setting *setting, char *text,
                             size_t size)
{
    uint32_t policy = explain->policy;

    if (strcmp(setting->origin, "default") != 0)
        return setting->origin;
    while (model_policy(&explain->model, policy)->base != (uint32_t)MODEL_NONE)
        policy = model_policy(&explain->model, policy)->base;
    const struct model_policy *root = model_policy(&explain->model, policy);
    if (root->origin.kind != MODEL_BUILT_IN || !(root->values.groups & setting->entry->group))
        return setting->origin;
    explain_origin(&explain->model, &root->origin, text, size);
    return text;
}

static void add_headers(struct explain *explain, struct grid *grid)
{
    const struct policy *values = &model_policy(&explain->model, explain->policy)->values;
    char origin[EXPLAIN_TEXT_MOST];

    for (uint32_t i = 0; i < values->headers_count; i++) {
        const struct model_header *header = model_header(&explain->model, values->headers_first + i);
        explain_origin(&explain->model, &header->origin, origin, sizeof origin);
        grid_add(grid, OUTPUT_PLAIN, "header %s", model_string(&explain->model, header->name));
        grid_add(grid, OUTPUT_PLAIN, "(not shown)%s", header->override ? ", overrides the program's" : "");
        grid_add(grid, OUTPUT_DIM, "%s", origin);
    }
}

static void print_settings(struct explain *explain)
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
        if (!explain_setting(&explain->model, explain->policy, i, &setting))
            continue;
        bool is_text = setting.entry->kind == SETTINGS_TEXT;
        grid_add(&grid, OUTPUT_PLAIN, "%s", setting.entry->key);
        grid_add(&grid, OUTPUT_PLAIN, "%s", setting.value[0] ? setting.value : is_text ? "\"\"" : "none");
        grid_add(&grid, OUTPUT_DIM, "%s%s%s", origin_of(explain, &setting, text, sizeof text),
                 setting.template && !is_text ? ", as " : "",
                 setting.template && !is_text ? setting.template : "");
    }
    add_headers(explain, &grid);
    grid_print(&grid, stdout);
    grid_clear(&grid);
}

static void print_absent_groups(const struct explain *explain)
{
    uint32_t told = model_policy(&explain->model, explain->policy)->values.groups;
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

static bool leads(const struct explain *explain, const struct registry_url *url, char *text, size_t size)
{
    const struct address *address = &explain->address;

    return registry_target(&explain->model, explain->service, url, &address->place, address->is_encrypted,
                           address->is_url ? address->path : NULL, text, size);
}

static void print_service(const struct explain *explain)
{
    const struct model_service *service = model_service(&explain->model, explain->service);
    const char *goes = strcmp(explain->standing.mode, "enforce") == 0 ? "goes to" : "would go to";
    struct registry_url url;
    char text[REGISTRY_TEXT + ADDRESS_PATH_MOST], origin[EXPLAIN_TEXT_MOST];

    for (uint32_t i = 0; i < service->urls_count; i++) {
        registry_url(&explain->model, explain->service, i, &url);
        explain_origin(&explain->model, url.origin, origin, sizeof origin);
        bool is_led = leads(explain, &url, text, sizeof text);
        printf("%s %s, %s\n", is_led ? (i ? "or     " : goes) : "not to ", text, origin);
    }
}

static void print_for_people(struct explain *explain)
{
    if (explain->policy_name) {
        printf("%spolicy%s %s\n", output_style(stdout, OUTPUT_BOLD), output_style(stdout, OUTPUT_PLAIN),
               explain->policy_name);
    } else {
        printf("%s%s%s%s\n", output_style(stdout, OUTPUT_BOLD), explain->place,
               output_style(stdout, OUTPUT_PLAIN), explain->address.is_url ? "" : ", as connect() sees it");
        if (explain->is_assumed)
            puts("there is no configuration: this is what `gusset run` would do; a bare LD_PRELOAD does "
                 "nothing");
        print_rules(explain);
    }
    if (explain->policy == (uint32_t)MODEL_NONE) {
        puts("no rule matches: gusset leaves such a call alone");
        return;
    }
    printf("mode   %s, %s\n", explain->standing.mode, explain->standing.from);
    if (explain->service != (uint32_t)MODEL_NONE)
        print_service(explain);
    putchar('\n');
    if (explain->winner && explain->winner->variants_count)
        printf("settings of %s; `gusset explain --policy` prints the others'\n",
               policy_name(explain, explain->policy));
    print_settings(explain);
    print_absent_groups(explain);
}

/* ---- JSON ---- */

static void write_variants(const struct explain *explain, const struct model_rule *rule, struct json *json)
{
    if (!rule->variants_count)
        return;
    json_text(json, "by", variants_by_name(rule->by));
    json_array(json, "variants");
    for (uint32_t i = 0; i < rule->variants_count; i++) {
        struct share share = share_of(explain, rule, i);
        json_object(json, NULL);
        json_text(json, "policy", share.policy);
        json_number(json, "weight", share.variant->weight);
        json_number(json, "ramp_ms", share.variant->ramp_ms);
        json_decimal(json, "share", strtod(share.now, NULL));
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_rules(const struct explain *explain, struct json *json)
{
    struct explain_candidate candidate;
    char origin[EXPLAIN_TEXT_MOST];
    bool is_won = false;

    json_array(json, "rules");
    for (uint32_t at = 0;
         explain_next(&explain->model, &explain->query, explain->program, &at, &candidate);) {
        bool matches = candidate.verdict == EXPLAIN_MATCHES;
        origin_of_rule(explain, candidate.rule, origin, sizeof origin);
        json_object(json, NULL);
        json_text(json, "match", match_of(explain, candidate.rule));
        if (candidate.path[0])
            json_text(json, "path", candidate.path);
        json_text(json, "policy", policy_name(explain, candidate.rule->policy));
        json_text(json, "from", origin);
        json_bool(json, "matches", matches);
        json_bool(json, "wins", matches && !is_won);
        if (!matches)
            json_text(json, "why_not", explain_verdict_text(candidate.verdict));
        write_variants(explain, candidate.rule, json);
        json_end_object(json);
        is_won |= matches;
    }
    json_end_array(json);
}

static void write_settings(const struct explain *explain, struct json *json)
{
    struct explain_setting setting;
    char text[EXPLAIN_TEXT_MOST];

    json_array(json, "settings");
    for (unsigned i = 0; i < settings_count(); i++) {
        if (!explain_setting(&explain->model, explain->policy, i, &setting))
            continue;
        json_object(json, NULL);
        json_text(json, "key", setting.entry->key);
        json_text(json, "value", setting.value);
        json_text(json, "from", origin_of(explain, &setting, text, sizeof text));
        if (setting.template)
            json_text(json, "template", setting.template);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_headers(const struct explain *explain, struct json *json)
{
    const struct policy *values = &model_policy(&explain->model, explain->policy)->values;
    char origin[EXPLAIN_TEXT_MOST];

    json_array(json, "headers");
    for (uint32_t i = 0; i < values->headers_count; i++) {
        const struct model_header *header = model_header(&explain->model, values->headers_first + i);
        explain_origin(&explain->model, &header->origin, origin, sizeof origin);
        json_object(json, NULL);
        json_text(json, "name", model_string(&explain->model, header->name));
        json_text(json, "value", "(not shown)");
        json_bool(json, "override", header->override);
        json_text(json, "from", origin);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_service(const struct explain *explain, struct json *json)
{
    const struct model_service *service = model_service(&explain->model, explain->service);
    struct registry_url url;
    char text[REGISTRY_TEXT + ADDRESS_PATH_MOST], origin[EXPLAIN_TEXT_MOST];

    json_text(json, "service", model_string(&explain->model, service->name));
    json_array(json, "addresses");
    for (uint32_t i = 0; i < service->urls_count; i++) {
        registry_url(&explain->model, explain->service, i, &url);
        explain_origin(&explain->model, url.origin, origin, sizeof origin);
        json_object(json, NULL);
        bool is_led = leads(explain, &url, text, sizeof text);
        json_text(json, is_led ? "goes_to" : "why_not", text);
        json_text(json, "from", origin);
        json_end_object(json);
    }
    json_end_array(json);
}

static void print_json(const struct explain *explain)
{
    struct json json = {.to = stdout};
    bool is_found = explain->policy != (uint32_t)MODEL_NONE;

    json_object(&json, NULL);
    if (!explain->policy_name) {
        json_text(&json, "place", explain->place);
        json_text(&json, "door", explain->address.is_url ? "http" : "connect");
        json_bool(&json, "configured", !explain->is_assumed);
        json_bool(&json, "matched", is_found);
        write_rules(explain, &json);
    }
    if (is_found) {
        json_text(&json, "policy", policy_name(explain, explain->policy));
        json_text(&json, "mode", explain->standing.mode);
        json_text(&json, "mode_from", explain->standing.from);
        if (explain->service != (uint32_t)MODEL_NONE)
            write_service(explain, &json);
        write_settings(explain, &json);
        write_headers(explain, &json);
    }
    json_end_object(&json);
    putchar('\n');
}

/* ---- the verb ---- */

/* With no configuration at all the question is answered for `gusset run`. */
static int load(struct explain *explain)
{
    if (setup_apply(&explain->setup) < 0)
        return -1;
    int result = setup_model(&explain->setup, &explain->model);
    if (result < 0 || !explain->model.is_empty)
        return result;
    explain->is_assumed = true;
    model_clear(&explain->model);
    return setup_assume() < 0 ? -1 : setup_model(&explain->setup, &explain->model);
}

static int answer(struct explain *explain)
{
    int result = load(explain);

    if (result == 0) {
        if (explain->policy_name)
            find_policy(explain);
        else
            find_winner(explain);
        standing_find(&explain->standing, &explain->model, explain->winner,
                      explain->policy_name ? NULL : explain->place);
        if (explain->policy_name && explain->policy == (uint32_t)MODEL_NONE)
            output_error("explain: there is no policy %s", explain->policy_name);
        else if (explain->json)
            print_json(explain);
        else
            print_for_people(explain);
        result = explain->policy == (uint32_t)MODEL_NONE ? -1 : 0;
    }
    model_clear(&explain->model);
    return result < 0 ? TOOL_FAULTS : TOOL_FINE;
}

/* Makes the query; a sentence about what is wrong, or NULL. */
static const char *ask(struct explain *explain, const char *place)
{
    const char *fault = address_parse(&explain->address, place);
    const char *method = explain->method ? explain->method : "GET";

    if (fault)
        return fault;
    if (explain->address.place.family != PLACE_UNIX && explain->address.place.port == 0)
        return "no port is given; say HOST:PORT, [ADDRESS]:PORT or a URL";
    if (explain->method && !explain->address.is_url)
        return "a connect() has no method; say a URL";
    place_print(&explain->address.place, explain->place);
    explain->query.place = &explain->address.place;
    if (explain->address.is_url) {
        explain->query.method = method_from_name(method, strlen(method));
        explain->query.path = explain->address.path;
        explain->query.path_length = explain->address.path_length;
    }
    return NULL;
}

int tool_explain(const struct tool_verb *verb, int argc, char **argv)
{
    struct explain explain = {.json = false};
    const struct options_entry entries[] = {
        {"config",  0, OPTIONS_TEXT, &explain.setup.config},
        {"set",     0, OPTIONS_EACH, &explain.setup.sets  },
        {"method",  0, OPTIONS_TEXT, &explain.method      },
        {"program", 0, OPTIONS_TEXT, &explain.program     },
        {"policy",  0, OPTIONS_TEXT, &explain.policy_name },
        {"json",    0, OPTIONS_FLAG, &explain.json        },
        {NULL,      0, OPTIONS_FLAG, NULL                 },
    };
    struct options options = {.verb = verb, .most = 1};

    int status = options_read(&options, entries, argc, argv);
    if (status != OPTIONS_GO)
        return status;
    if ((options.count == 0) == !explain.policy_name)
        return options_misused(verb, "expected a URL, HOST:PORT or --policy NAME, one of them");
    explain.setup.policy = explain.policy_name;
    const char *fault = options.count ? ask(&explain, options.operands[0]) : NULL;
    if (fault)
        return options_misused(verb, "%s", fault);
    return answer(&explain);
}
