/* The services of a model, as this process would read them: addresses expanded, and what they would be asked.
 */
#ifndef GUSSET_TOOL_REGISTRY_H
#define GUSSET_TOOL_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "config/model.h"
#include "core/endpoint.h"

enum { REGISTRY_TEXT = 1280 };

struct registry_url {
    const char *template;     /* as written, where it holds ${…}; else NULL */
    char text[REGISTRY_TEXT]; /* expanded; where it cannot be used, a sentence that says why */
    bool is_usable;
    struct endpoint endpoint;      /* of text */
    char variables[REGISTRY_TEXT]; /* those of the template that the environment sets, ", " between; "" */
    const struct model_origin *origin;
};

/* The index-th address of a service (0..urls_count-1). */
void registry_url(const struct model *model, uint32_t service, uint32_t index, struct registry_url *url);

/* What a health check asks: a URL, or tcp://HOST:PORT, tls://HOST:PORT. False where there is no check. */
bool registry_health(const struct model *model, uint32_t service, const struct registry_url *url, char *text,
                     size_t size);

/*
 * Where a call would go: a URL for a path of HTTP, HOST:PORT for a connect (path NULL). is_encrypted: https
 * was asked for. False, with the reason in text, when it would not go to this address.
 */
bool registry_target(const struct model *model, uint32_t service, const struct registry_url *url,
                     const struct place *asked, bool is_encrypted, const char *path, char *text, size_t size);

#endif
