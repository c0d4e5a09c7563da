#include "config/services.h"

#include <string.h>

#include "config/expand.h"
#include "config/policies.h"
#include "core/endpoint.h"

enum { EXPANSION_MOST = 4096, URLS_MOST = 16 };

static const uint32_t none = (uint32_t)MODEL_NONE;

/* Keys of a service that are no settings of the table. */
static const char *const own_keys[] = {"name", "url", "urls", "policy", NULL};

static const struct config_setting_t *member(const struct reader *reader,
                                             const struct config_setting_t *group, const char *name)
{
    return libconfig_member(reader->document, group, name);
}

/* ---- the name ---- */

/* The place of a name that rules can match: letters, no address, no wildcard, no port. */
static bool is_name(const char *text, struct pattern *pattern)
{
    return pattern_parse(pattern, text, strlen(text)) == PATTERN_FINE && pattern->kind == PATTERN_NAME &&
           pattern->port == 0;
}

static bool is_new(struct reader *reader, const struct config_setting_t *setting, const char *name)
{
    uint32_t before = model_find_service(reader->model, name);

    if (before == none)
        return true;
    const struct model_origin *origin = &model_service(reader->model, before)->origin;
    reader_fault(reader, setting, "name: the service \"%s\" stands at %s:%u already", name,
                 model_string(reader->model, model_source(reader->model, origin->source)->path),
                 origin->line);
    return false;
}

static bool read_name(struct reader *reader, const struct config_setting_t *group, struct pattern *pattern)
{
    static const char expected[] = "a host's name without port, such as \"user-service\"";
    const struct config_setting_t *setting = member(reader, group, "name");
    char quoted[256];

    if (!setting) {
        reader_fault(reader, group, "services: found no name, expected %s", expected);
        return false;
    }
    const char *text = reader_plain(reader, setting, "name", expected);
    if (!text)
        return false;
    if (is_name(text, pattern))
        return is_new(reader, setting, pattern->name);
    assign_quote(text, strlen(text), quoted, sizeof quoted);
    reader_fault(reader, setting, "name: found %s, expected %s", quoted, expected);
    return false;
}

/* ---- addresses ---- */

static bool complain(struct reader *reader, const struct config_setting_t *setting, const char *text,
                     bool is_template, enum endpoint_fault fault)
{
    char quoted[256];

    if (fault == ENDPOINT_CREDENTIALS) { /* which must not be shown */
        reader_fault(reader, setting, "url: expected %s", endpoint_fault_text(fault));
        return false;
    }
    assign_quote(text, strlen(text), quoted, sizeof quoted);
    reader_fault(reader, setting, "url: %s %s, expected %s", is_template ? "what is expanded from" : "found",
                 quoted, endpoint_fault_text(fault));
    return false;
}

/* A template is held against what it expands to just now; without an expansion the address is left out. */
static bool check_url(struct reader *reader, const struct config_setting_t *setting, const char *text)
{
    bool is_template = expand_is_template(text);
    char buffer[EXPANSION_MOST], reason[256];
    struct expand_fault fault;
    struct endpoint endpoint;

    if (is_template && !expand_is_sound(text, &fault)) {
        expand_explain(&fault, reason, sizeof reason);
        reader_fault(reader, setting, "url: %s", reason);
        return false;
    }
    if (is_template && expand_text(text, buffer, sizeof buffer, expand_environment, &fault) < 0) {
        expand_explain(&fault, reason, sizeof reason);
        reader_warn(reader, setting, "url: %s; without it the address is left out", reason);
        return true;
    }
    const char *address = is_template ? buffer : text;
    enum endpoint_fault wrong = endpoint_parse(&endpoint, address, strlen(address));
    return wrong == ENDPOINT_FINE || complain(reader, setting, text, is_template, wrong);
}

static bool read_url(struct reader *reader, const struct config_setting_t *setting)
{
    char found[256];

    if (libconfig_kind(setting) != LIBCONFIG_STRING) {
        reader_describe(reader, setting, found, sizeof found);
        reader_fault(reader, setting, "url: found %s, expected a string such as \"http://localhost:8001\"",
                     found);
        return false;
    }
    const char *text = libconfig_string(reader->document, setting);
    if (!check_url(reader, setting, text))
        return false;
    struct model_url url = {model_text(reader->model, text, strlen(text)),
                            reader_site(reader, setting).origin};
    struct model_url *kept = table_add(&reader->model->urls, sizeof *kept, 1);
    if (kept)
        *kept = url;
    return true;
}

static bool read_list(struct reader *reader, const struct config_setting_t *list)
{
    static const char expected[] =
        "a list of addresses, such as [\"http://10.0.0.5:8001\", \"http://10.0.0.6:8001\"]";
    uint32_t count;
    bool all = true;

    if (!reader_is_sequence(reader, list, "urls", expected))
        return false;
    count = libconfig_count(reader->document, list);
    if (count == 0 || count > URLS_MOST) {
        reader_fault(reader, list, "urls: found %u addresses, expected 1 to %u", count, (unsigned)URLS_MOST);
        return false;
    }
    for (uint32_t i = 0; i < count; i++)
        all &= read_url(reader, libconfig_item(reader->document, list, i));
    return all;
}

static bool read_urls(struct reader *reader, const struct config_setting_t *group)
{
    const struct config_setting_t *url = member(reader, group, "url"), *urls = member(reader, group, "urls");

    if (url && urls) {
        reader_fault(reader, urls, "urls: url stands there as well; expected one of them");
        return false;
    }
    if (url)
        return read_url(reader, url);
    if (urls)
        return read_list(reader, urls);
    reader_fault(reader, group, "services: found neither url nor urls, expected url = \"http://…\"");
    return false;
}

/* ---- its policy, and the rule that follows from it ---- */

static bool find_policy(struct reader *reader, const struct config_setting_t *setting, uint32_t *policy)
{
    char quoted[256], hint[256];
    const char *name = reader_plain(reader, setting, "policy", "a policy's name");

    *policy = name ? policies_find(reader, name) : none;
    if (!name || *policy != none)
        return name != NULL;
    assign_quote(name, strlen(name), quoted, sizeof quoted);
    policies_suggest(reader, name, hint, sizeof hint);
    reader_fault(reader, setting, "policy: unknown policy %s, %s", quoted, hint);
    return false;
}

/* Where no policy is named and no rule matches, one that applies nothing: the service is found all the same.
 */
static uint32_t plain_policy(struct reader *reader, struct model_origin origin)
{
    static const char name[] = "service";

    for (uint32_t i = 0; i < reader->model->services.count; i++) {
        const struct model_service *before = model_service(reader->model, i);
        if (before->policy != none && !before->has_policy)
            return before->policy;
    }
    return model_add_policy(reader->model, name, none, origin);
}

static bool says_as_much(const struct model *model, const struct model_rule *rule,
                         const struct pattern *pattern)
{
    return rule->kind == PATTERN_NAME && rule->port == 0 && rule->methods == 0 && rule->paths_count == 0 &&
           rule->programs_count == 0 && strcmp(model_string(model, rule->name), pattern->name) == 0;
}

static void add_rule(struct reader *reader, const struct pattern *pattern,
                     const struct model_service *service)
{
    struct model *model = reader->model;

    for (uint32_t i = 0; i < model->rules.count; i++)
        if (says_as_much(model, model_rule(model, i), pattern))
            return;
    struct model_rule *rule = table_add(&model->rules, sizeof *rule, 1);
    if (rule)
        *rule = (struct model_rule){
            .match = service->name,
            .name = service->name,
            .kind = PATTERN_NAME,
            .name_length = pattern->name_length,
            .policy = service->policy,
            .mode = -1,
            .origin = service->origin,
        };
}

/* ---- a service ---- */

static bool take_member(struct reader *reader, const struct config_setting_t *setting, void *context)
{
    uint32_t service = *(const uint32_t *)context;

    if (reader_is_one_of(setting, own_keys))
        return true;
    if (!reader_is_named(setting, "health"))
        return false;
    model_service(reader->model, service)->has_health = true;
    if (libconfig_kind(setting) != LIBCONFIG_STRING)
        return false;
    reader_take(reader, setting, service, (unsigned)settings_find("health.path", 11));
    return true;
}

static void read_service(struct reader *reader, const struct config_setting_t *group, bool with_rules)
{
    struct pattern pattern = {.name_length = 0};
    uint32_t policy = none;

    if (libconfig_kind(group) != LIBCONFIG_GROUP) {
        reader_fault(reader, group, "services: expected groups { name = …; url = …; } in the list");
        return;
    }
    const struct config_setting_t *named = member(reader, group, "policy");
    bool is_fine = read_name(reader, group, &pattern);
    is_fine &= !named || find_policy(reader, named, &policy);
    uint32_t index =
        model_add_service(reader->model, is_fine ? pattern.name : "", reader_site(reader, group).origin);
    if (index == none)
        return;
    reader_walk(reader, group, SETTINGS_OF_SERVICE, index,
                &(struct reader_own){own_keys, take_member, &index});
    is_fine &= read_urls(reader, group);
    struct model_service *service = model_service(reader->model, index);
    service->urls_count = reader->model->urls.count - service->urls_first;
    service->has_policy = policy != none;
    service->policy = named ? policy : plain_policy(reader, service->origin);
    if (is_fine && service->has_policy && with_rules)
        add_rule(reader, &pattern, service);
}

void services_read(struct reader *reader, const struct config_setting_t *list, bool with_rules)
{
    if (libconfig_kind(list) != LIBCONFIG_LIST) {
        char found[256];
        reader_describe(reader, list, found, sizeof found);
        reader_fault(reader, list, "services: found %s, expected a list ( { name = …; url = …; }, { … } )",
                     found);
        return;
    }
    for (uint32_t i = 0; i < libconfig_count(reader->document, list); i++)
        read_service(reader, libconfig_item(reader->document, list, i), with_rules);
}
