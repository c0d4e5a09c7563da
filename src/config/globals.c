#include "config/globals.h"

#include <string.h>

#include "config/scratch.h"
#include "config/value.h"

struct expansion {
    struct scratch scratch;
    const struct image *image;
    struct arena *arena;
};

/* A text, expanded; instead, where it is unfit. */
static const char *expand(struct expansion *expansion, uint32_t string, const char *key,
                          bool (*fits)(const char *), const char *instead)
{
    char subject[64];
    struct value_text out = {subject, sizeof subject, 0};
    const char *text = image_string(expansion->image, string);

    value_put(&out, key);
    value_put(&out, " is passed over: ");
    if (expand_is_template(text))
        text = scratch_expand(&expansion->scratch, text, subject);
    if (!text)
        return instead;
    if (!fits(text)) {
        scratch_say(subject, "its value does not fit");
        return instead;
    }
    text = text == expansion->scratch.text ? arena_copy(expansion->arena, text) : text;
    return text ? text : instead;
}

static bool is_target(const char *text)
{
    return text[0] == '/' || strcmp(text, "stderr") == 0 || strcmp(text, "syslog") == 0;
}

static bool is_path_or_empty(const char *text)
{
    return text[0] == '/' || text[0] == 0;
}

bool globals_expand(struct rules_globals *globals, const struct image *image, struct arena *arena)
{
    const struct image_header *header = image->header;
    struct settings_globals from = header->globals;
    struct expansion expansion = {.image = image, .arena = arena};

    if (!scratch_open(&expansion.scratch))
        return false;
    scratch_patch(&expansion.scratch, image, header->global_patches_first, header->global_patches_count,
                  SETTINGS_OF_FILE, &from);
    *globals = (struct rules_globals){
        .mode = (enum policy_mode)from.mode,
        .faults = from.faults != 0,
        .locked = from.locked != 0,
        .log_level = from.log_level,
        .log_format = from.log_format,
        .log_target = expand(&expansion, from.log_target, "log.target", is_target, "stderr"),
        .state_path = expand(&expansion, from.state_path, "state.path", is_path_or_empty, ""),
        .state_hosts = from.state_hosts,
        .request_id = expand(&expansion, from.request_id, "context.request_id", value_is_field, ""),
        .tenant_id = expand(&expansion, from.tenant_id, "context.tenant_id", value_is_field, ""),
        .project_id = expand(&expansion, from.project_id, "context.project_id", value_is_field, ""),
    };
    scratch_close(&expansion.scratch);
    return true;
}
