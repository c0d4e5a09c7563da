#include "tool/registry.h"

#include <stdio.h>
#include <string.h>

#include "config/expand.h"
#include "config/value.h"

/* The variables that are set, by name; what they hold is seen in the address. */
static void name_variables(const char *template, char *text, size_t size)
{
    struct value_text out = {text, size, 0};
    struct expand_use use;
    char name[256];

    text[0] = '\0';
    for (const char *at = template; expand_next(&at, &use);) {
        if (use.is_file || use.name_length >= sizeof name)
            continue;
        memcpy(name, use.name, use.name_length);
        name[use.name_length] = '\0';
        if (!expand_environment(name) || strstr(text, name))
            continue;
        value_put(&out, out.length ? ", " : "");
        value_put(&out, name);
    }
}

static bool expand(struct registry_url *url)
{
    struct expand_fault fault;

    if (expand_text(url->template, url->text, sizeof url->text, expand_environment, &fault) >= 0)
        return true;
    expand_explain(&fault, url->text, sizeof url->text);
    return false;
}

void registry_url(const struct model *model, uint32_t service, uint32_t index, struct registry_url *url)
{
    const struct model_url *from = model_url(model, model_service(model, service)->urls_first + index);
    const char *text = model_string(model, from->text);

    *url = (struct registry_url){.origin = &from->origin};
    if (expand_is_template(text)) {
        url->template = text;
        name_variables(text, url->variables, sizeof url->variables);
        if (!expand(url))
            return;
    } else {
        snprintf(url->text, sizeof url->text, "%s", text);
    }
    enum endpoint_fault fault = endpoint_parse(&url->endpoint, url->text, strlen(url->text));
    url->is_usable = fault == ENDPOINT_FINE;
    if (!url->is_usable)
        snprintf(url->text, sizeof url->text, "no address, expected %s", endpoint_fault_text(fault));
}

/* "localhost:8001", without a port that goes without saying, or is not known. */
static void print_host(const struct endpoint *endpoint, uint16_t usual, char *text)
{
    size_t length = place_print(&endpoint->place, text);

    if (endpoint->place.port == usual || endpoint->place.port == 0)
        text[strrchr(text, ':') ? (size_t)(strrchr(text, ':') - text) : length] = '\0';
}

static const char *prefix_of(const struct model_service *service, const struct registry_url *url,
                             size_t *length)
{
    *length = service->values.prefix ? url->endpoint.path_length : 0;
    return url->endpoint.path;
}

static void print_url(const struct model_service *service, const struct registry_url *url,
                      enum endpoint_scheme scheme, const char *path, char *text, size_t size)
{
    char host[PLACE_TEXT_MAX];
    size_t length;
    const char *prefix = prefix_of(service, url, &length);

    print_host(&url->endpoint, scheme == ENDPOINT_HTTPS ? 443 : 80, host);
    snprintf(text, size, "%s://%s%.*s%s", endpoint_scheme_name(scheme), host, (int)length, prefix, path);
}

bool registry_health(const struct model *model, uint32_t service, const struct registry_url *url, char *text,
                     size_t size)
{
    const struct model_service *own = model_service(model, service);
    const char *path = model_string(model, own->values.health_path);
    bool is_http = own->values.health_type == SETTINGS_HEALTH_HTTP;
    char host[PLACE_TEXT_MAX];

    if (!own->has_health || !url->is_usable)
        return false;
    if (is_http) {
        bool is_https = url->endpoint.scheme == ENDPOINT_HTTPS;
        print_url(own, url, is_https ? ENDPOINT_HTTPS : ENDPOINT_HTTP, path, text, size);
        return true;
    }
    print_host(&url->endpoint, 0, host);
    snprintf(text, size, "%s://%s", own->values.health_type == SETTINGS_HEALTH_TLS ? "tls" : "tcp", host);
    return true;
}

bool registry_target(const struct model *model, uint32_t service, const struct registry_url *url,
                     const struct place *asked, bool is_encrypted, const char *path, char *text, size_t size)
{
    const struct model_service *own = model_service(model, service);
    struct registry_url at = *url;

    if (!url->is_usable) {
        snprintf(text, size, "%s", url->text);
        return false;
    }
    if (is_encrypted && url->endpoint.scheme == ENDPOINT_HTTP) {
        snprintf(text, size, "%s: https never becomes http", url->text);
        return false;
    }
    if (url->endpoint.is_srv) {
        snprintf(text, size, "what the DNS says of %s", url->endpoint.place.name);
        return true;
    }
    if (at.endpoint.place.port == 0)
        at.endpoint.place.port = asked->port;
    enum endpoint_scheme scheme = is_encrypted ? ENDPOINT_HTTPS : ENDPOINT_HTTP;
    if (url->endpoint.scheme != ENDPOINT_ANY)
        scheme = url->endpoint.scheme;
    if (path)
        print_url(own, &at, scheme, path, text, size);
    else
        print_host(&at.endpoint, 0, text);
    return true;
}
