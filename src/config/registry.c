#include "config/registry.h"

#include <errno.h>
#include <string.h>

#include "config/scratch.h"
#include "config/value.h"

enum { SENTENCE_MOST = 512 };

bool registry_open(struct registry *registry, const struct image *image, struct arena *arena)
{
    registry->image = image;
    registry->arena = arena;
    registry->services = arena_take(arena, image->header->services.count * sizeof *registry->services);
    return registry->services != NULL;
}

static const char *expand_or_keep(struct registry *registry, struct scratch *scratch, const char *text,
                                  const char *subject)
{
    if (!expand_is_template(text))
        return text;
    text = scratch_expand(scratch, text, subject);
    return text ? arena_copy(registry->arena, text) : NULL;
}

/* Reads the addresses; false for one that is left out, after the listener was told. */
static bool ready_url(struct registry *registry, struct scratch *scratch, const char *text, const char *name,
                      struct endpoint *url)
{
    char subject[320] = "service ", reason[SENTENCE_MOST] = "expected ";
    struct value_text out = {subject, sizeof subject, strlen(subject)};
    struct value_text why = {reason, sizeof reason, strlen(reason)};

    value_put(&out, name);
    value_put(&out, ": an address is left out: ");
    text = text ? expand_or_keep(registry, scratch, text, subject) : NULL;
    if (!text)
        return false;
    enum endpoint_fault fault = endpoint_parse(url, text, strlen(text));
    if (fault == ENDPOINT_FINE)
        return true;
    value_put(&why, endpoint_fault_text(fault));
    scratch_say(subject, reason);
    return false;
}

static void ready_urls(struct registry *registry, struct scratch *scratch, const struct image_service *from,
                       struct rules_service *service)
{
    uint32_t room = registry->image->header->urls.count; /* a damaged count must not ask for the world */
    uint32_t count = from->urls_count < room ? from->urls_count : room;
    struct endpoint *urls = count ? arena_take(registry->arena, count * sizeof *urls) : NULL;

    for (uint32_t i = 0; urls && i < count; i++)
        service->url_count += ready_url(registry, scratch, image_url(registry->image, from->urls_first + i),
                                        service->name, &urls[service->url_count]);
    service->urls = urls;
}

static const struct settings_service *patch_service(struct registry *registry, struct scratch *scratch,
                                                    const struct image_service *from)
{
    struct settings_service *own = from->patches_count ? arena_take(registry->arena, sizeof *own) : NULL;
    if (!own)
        return &from->values;
    *own = from->values;
    scratch_patch(scratch, registry->image, from->patches_first, from->patches_count, SETTINGS_OF_SERVICE,
                  own);
    return own;
}

static const struct rules_service *make_service(struct registry *registry, uint32_t index)
{
    const struct image_service *from = image_service(registry->image, index);
    struct rules_service *service = arena_take(registry->arena, sizeof *service);
    const struct rules_service *first = NULL;
    struct scratch scratch = {0};

    if (!service || !scratch_open(&scratch))
        return NULL;
    service->name = image_string(registry->image, from->name);
    service->settings = patch_service(registry, &scratch, from);
    service->has_health = from->has_health != 0;
    const char *path =
        expand_or_keep(registry, &scratch, image_string(registry->image, service->settings->health_path),
                       "health.path keeps its default: ");
    service->health_path = path && path[0] == '/' ? path : "/";
    ready_urls(registry, &scratch, from, service);
    scratch_close(&scratch);
    if (!atomic_compare_exchange_strong(&registry->services[index], &first, service))
        return first;
    return service;
}

const struct rules_service *registry_at(struct registry *registry, uint32_t index)
{
    if (index >= registry->image->header->services.count)
        return NULL;
    const struct rules_service *service =
        atomic_load_explicit(&registry->services[index], memory_order_acquire);
    if (service)
        return service;
    const int kept = errno;
    service = make_service(registry, index);
    errno = kept;
    return service;
}
