#include "tool/ruling_json.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/settings.h"
#include "config/variants.h"
#include "tool/json.h"

static void write_variants(const struct ruling *ruling, const struct model_rule *rule, struct json *json)
{
    if (!rule->variants_count)
        return;
    json_text(json, "by", variants_by_name(rule->by));
    json_array(json, "variants");
    for (uint32_t i = 0; i < rule->variants_count; i++) {
        struct ruling_share share = ruling_share(ruling, rule, i);
        json_object(json, NULL);
        json_text(json, "policy", share.policy);
        json_number(json, "weight", share.variant->weight);
        json_number(json, "ramp_ms", share.variant->ramp_ms);
        json_decimal(json, "share", strtod(share.now, NULL));
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_rules(const struct ruling *ruling, struct json *json)
{
    struct explain_candidate candidate;
    char origin[EXPLAIN_TEXT_MOST];
    bool is_won = false;

    json_array(json, "rules");
    for (uint32_t at = 0; explain_next(&ruling->model, &ruling->query, ruling->program, &at, &candidate);) {
        bool matches = candidate.verdict == EXPLAIN_MATCHES;
        ruling_origin(ruling, candidate.rule, origin, sizeof origin);
        json_object(json, NULL);
        json_text(json, "match", ruling_match(ruling, candidate.rule));
        if (candidate.path[0])
            json_text(json, "path", candidate.path);
        json_text(json, "policy", ruling_policy_name(ruling, candidate.rule->policy));
        json_text(json, "from", origin);
        json_bool(json, "matches", matches);
        json_bool(json, "wins", matches && !is_won);
        if (!matches)
            json_text(json, "why_not", explain_verdict_text(candidate.verdict));
        write_variants(ruling, candidate.rule, json);
        json_end_object(json);
        is_won |= matches;
    }
    json_end_array(json);
}

static void write_settings(const struct ruling *ruling, struct json *json)
{
    struct explain_setting setting;
    char text[EXPLAIN_TEXT_MOST];

    json_array(json, "settings");
    for (unsigned i = 0; i < settings_count(); i++) {
        if (!explain_setting(&ruling->model, ruling->policy, i, &setting))
            continue;
        json_object(json, NULL);
        json_text(json, "key", setting.entry->key);
        json_text(json, "value", setting.value);
        json_text(json, "from", ruling_setting_origin(ruling, &setting, text, sizeof text));
        if (setting.template)
            json_text(json, "template", setting.template);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_headers(const struct ruling *ruling, struct json *json)
{
    const struct policy *values = &model_policy(&ruling->model, ruling->policy)->values;
    char origin[EXPLAIN_TEXT_MOST];

    json_array(json, "headers");
    for (uint32_t i = 0; i < values->headers_count; i++) {
        const struct model_header *header = model_header(&ruling->model, values->headers_first + i);
        explain_origin(&ruling->model, &header->origin, origin, sizeof origin);
        json_object(json, NULL);
        json_text(json, "name", model_string(&ruling->model, header->name));
        json_text(json, "value", "(not shown)");
        json_bool(json, "override", header->override);
        json_text(json, "from", origin);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_service(const struct ruling *ruling, struct json *json)
{
    const struct model_service *service = model_service(&ruling->model, ruling->service);
    struct registry_url url;
    char text[RULING_TARGET], origin[EXPLAIN_TEXT_MOST];

    json_text(json, "service", model_string(&ruling->model, service->name));
    json_array(json, "addresses");
    for (uint32_t i = 0; i < service->urls_count; i++) {
        registry_url(&ruling->model, ruling->service, i, &url);
        explain_origin(&ruling->model, url.origin, origin, sizeof origin);
        json_object(json, NULL);
        bool is_led = ruling_leads(ruling, &url, text);
        json_text(json, is_led ? "goes_to" : "why_not", text);
        json_text(json, "from", origin);
        json_end_object(json);
    }
    json_end_array(json);
}

void ruling_json_print(const struct ruling *ruling)
{
    struct json json = {.to = stdout};
    bool is_found = ruling->policy != (uint32_t)MODEL_NONE;

    json_object(&json, NULL);
    if (!ruling->asked_policy) {
        json_text(&json, "place", ruling->place);
        json_text(&json, "door", ruling->address.is_url ? "http" : "connect");
        json_bool(&json, "configured", !ruling->is_assumed);
        json_bool(&json, "matched", is_found);
        write_rules(ruling, &json);
    }
    if (is_found) {
        json_text(&json, "policy", ruling_policy_name(ruling, ruling->policy));
        json_text(&json, "mode", ruling->standing.mode);
        json_text(&json, "mode_from", ruling->standing.from);
        if (ruling->service != (uint32_t)MODEL_NONE)
            write_service(ruling, &json);
        write_settings(ruling, &json);
        write_headers(ruling, &json);
    }
    json_end_object(&json);
    putchar('\n');
}
