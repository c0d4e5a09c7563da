#include "config/rules.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "config/arena.h"
#include "config/cache.h"
#include "config/compile.h"
#include "config/conflict.h"
#include "config/draw.h"
#include "config/expand.h"
#include "config/fault.h"
#include "config/load.h"
#include "config/registry.h"
#include "config/scratch.h"
#include "config/value.h"
#include "sys/clock.h"
#include "sys/raw.h"

enum { PROGRAM_MOST = 256 };

typedef _Atomic(const struct rules_policy *) ready_policy;

struct rules {
    struct image image;
    struct arena arena;
    ready_policy *ready; /* one a policy; NULL until it is first used */
    struct registry registry;
    struct rules_globals globals;
    struct draw draw;              /* where there are variants */
    struct source_request request; /* that they were opened for */
    char program[PROGRAM_MOST];
};

void rules_listen(rules_listener *to)
{
    scratch_listen(to);
}

static const struct policy *patch_policy(struct rules *rules, struct scratch *scratch,
                                         const struct policy *from)
{
    struct policy *own = arena_take(&rules->arena, sizeof *own);
    if (!own)
        return from;
    *own = *from;
    for (uint32_t i = 0; i < from->patches_count; i++) {
        const struct image_patch *patch = image_patch(&rules->image, from->patches_first + i);
        if (!patch)
            break;
        scratch_patch(scratch, &rules->image, patch, SETTINGS_OF_POLICY, own);
    }
    conflict_mend(own);
    return own;
}

/* RFC 9110, 5.5: neither a control character but the tab, nor DEL, may stand in a field's value. */
static bool is_field_value(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
            return false;
    return true;
}

static const char *keep(struct rules *rules, const char *first, const char *second, const char *third)
{
    size_t size = strlen(first) + strlen(second) + strlen(third) + 1;
    char *text = arena_take(&rules->arena, size);
    if (!text)
        return NULL;
    struct value_text out = {text, size, 0};
    value_put(&out, first);
    value_put(&out, second);
    value_put(&out, third);
    return text;
}

/* Fills in one header; false when it is to be left out: its value is unfit, or empty. */
static bool dress(struct rules *rules, struct scratch *scratch, const struct image_line *line,
                  struct rules_header *header)
{
    const char *name = image_string(&rules->image, line->name);
    const char *value = image_string(&rules->image, line->value);
    char subject[320] = "header ";
    struct value_text out = {subject, sizeof subject, strlen(subject)};

    value_put(&out, name);
    value_put(&out, " is left out: ");
    if (expand_is_template(value))
        value = scratch_expand(scratch, value, subject);
    if (!value || !value[0])
        return false;
    if (!is_field_value(value)) {
        scratch_say(subject, "its value holds a control character");
        return false;
    }
    header->line = keep(rules, name, ": ", value);
    header->name_length = (uint32_t)strlen(name);
    header->override = line->override != 0;
    return header->line != NULL;
}

static void dress_all(struct rules *rules, struct scratch *scratch, const struct policy *from,
                      struct rules_policy *policy)
{
    uint32_t room = rules->image.header->headers.count; /* a damaged count must not ask for the world */
    uint32_t count = from->headers_count < room ? from->headers_count : room;
    struct rules_header *headers = count ? arena_take(&rules->arena, count * sizeof *headers) : NULL;
    if (!headers)
        return;
    for (uint32_t i = 0; i < count; i++) {
        const struct image_line *line = image_line(&rules->image, from->headers_first + i);
        if (line && dress(rules, scratch, line, &headers[policy->header_count]))
            policy->header_count++;
    }
    policy->headers = headers;
}

/* A policy's texts, where they lie on either side. */
static const struct {
    const char *subject;
    uint32_t group;
    size_t from; /* in struct policy */
    size_t to;   /* in struct rules_policy */
} texts[] = {
#define TEXT(key, group, field, ready)                                                                       \
    {                                                                                                        \
        key " is taken as empty: ", group, offsetof(struct policy, field),                                   \
            offsetof(struct rules_policy, ready)                                                             \
    }
    TEXT("limit.key", POLICY_LIMIT, limit.key, limit_key),
    TEXT("timeout.header", POLICY_TIMEOUT, timeout.header, deadline_header),
    TEXT("fallback.type", POLICY_FALLBACK, fallback.type, fallback_type),
    TEXT("fallback.body", POLICY_FALLBACK, fallback.body, fallback_body),
    TEXT("fallback.file", POLICY_FALLBACK, fallback.file, fallback_file),
#undef TEXT
};
enum { TEXTS = sizeof texts / sizeof texts[0] };

/* As it stands in the image; "" where the policy does not have it. */
static const char *raw_text(const struct rules *rules, const struct policy *from, unsigned index)
{
    uint32_t string;
    memcpy(&string, (const char *)from + texts[index].from, sizeof string);
    return from->groups & texts[index].group ? image_string(&rules->image, string) : "";
}

static const char *expand_kept(struct rules *rules, struct scratch *scratch, const char *text,
                               const char *subject)
{
    if (!expand_is_template(text))
        return text;
    text = scratch->text ? scratch_expand(scratch, text, subject) : NULL;
    text = text && text[0] ? keep(rules, text, "", "") : "";
    return text ? text : "";
}

static void expand_texts(struct rules *rules, struct scratch *scratch, const struct policy *from,
                         struct rules_policy *policy)
{
    for (unsigned i = 0; i < TEXTS; i++) {
        const char *text = expand_kept(rules, scratch, raw_text(rules, from, i), texts[i].subject);
        memcpy((char *)policy + texts[i].to, &text, sizeof text);
    }
    if (policy->deadline_header[0] && !value_is_token(policy->deadline_header)) {
        scratch_say("timeout.header is taken as empty: ", "it is no header's name");
        policy->deadline_header = "";
    }
}

static bool needs_scratch(const struct rules *rules, const struct policy *policy)
{
    bool needs = policy->patches_count > 0 || policy->headers_count > 0;
    for (unsigned i = 0; i < TEXTS && !needs; i++)
        needs = raw_text(rules, policy, i)[0];
    return needs;
}

/* Two threads may do this at once for one policy; the first to publish wins, the other's copy is lost memory.
 */
static const struct rules_policy *make_ready(struct rules *rules, uint32_t index, const struct policy *from)
{
    struct scratch scratch = {0};
    const struct rules_policy *first = NULL;
    struct rules_policy *policy = arena_take(&rules->arena, sizeof *policy);

    if (!policy)
        return NULL;
    policy->settings = from;
    policy->name = image_string(&rules->image, from->name);
    policy->is_watched = from->groups & POLICY_STALE || (from->groups & POLICY_RETRY && from->retry.resumes);
    bool is_open = needs_scratch(rules, from) && scratch_open(&scratch);
    if (is_open) {
        if (from->patches_count > 0)
            policy->settings = patch_policy(rules, &scratch, from);
        dress_all(rules, &scratch, from, policy);
    }
    expand_texts(rules, &scratch, from, policy);
    policy->propagate = policy->settings->propagate | (policy->deadline_header[0] ? POLICY_TIME_LEFT : 0u);
    if (is_open)
        scratch_close(&scratch);
    if (!atomic_compare_exchange_strong(&rules->ready[index], &first, policy))
        return first;
    return policy;
}

static const struct rules_policy *policy_at(const struct rules *rules, uint32_t index)
{
    const struct policy *policy = image_policy(&rules->image, index);
    if (!policy)
        return NULL;
    const struct rules_policy *ready = atomic_load_explicit(&rules->ready[index], memory_order_acquire);
    if (!ready) {
        const int kept = errno;
        ready = make_ready((struct rules *)(uintptr_t)rules, index, policy);
        errno = kept;
    }
    return ready;
}

/* A service is found under any rules, or none. */
static bool find_plain(const struct rules *rules, const struct place *place, struct rules_match *match)
{
    int32_t index =
        place->family == PLACE_NAME ? image_find_service(&rules->image, place->name, place->name_length) : -1;
    if (index < 0)
        return false;
    match->policy = policy_at(rules, image_service(&rules->image, (uint32_t)index)->policy);
    match->mode = rules->globals.mode;
    match->rule = UINT32_MAX;
    match->is_moving = false;
    return match->policy != NULL;
}

/* The policy of the variant that this process has drawn. Apart: most rules have none. */
static __attribute__((noinline)) uint32_t draw_policy(const struct rules *rules,
                                                      const struct image_rule *rule, bool *is_moving)
{
    const struct variant *variants =
        image_variants(&rules->image, rule->variants_first, rule->variants_count);
    if (!variants)
        return rule->policy;
    uint64_t now_ms = clock_unix_ms(), changed_ms = rules->image.header->changed_ms;
    uint64_t age_ms = now_ms > changed_ms ? now_ms - changed_ms : 0;
    *is_moving = variant_is_moving(variants, rule->variants_count, age_ms);
    return variants[variant_choose(variants, rule->variants_count, draw_for(&rules->draw, rule->by), age_ms)]
        .policy;
}

bool rules_find(const struct rules *rules, const struct rules_query *query, struct rules_match *match)
{
    const struct image_rule *rule = image_find(&rules->image, query, rules->program);
    if (!rule)
        return find_plain(rules, query->place, match);
    match->is_moving = false;
    match->policy =
        policy_at(rules, rule->variants_count ? draw_policy(rules, rule, &match->is_moving) : rule->policy);
    match->mode = rule->mode >= POLICY_ENFORCE && rule->mode <= POLICY_OFF ? (enum policy_mode)rule->mode
                                                                           : rules->globals.mode;
    match->rule = rule->origin;
    return match->policy != NULL;
}

uint32_t rules_service_count(const struct rules *rules)
{
    return rules->image.header->services.count;
}

const struct rules_service *rules_service_at(const struct rules *rules, uint32_t index)
{
    return registry_at(&((struct rules *)(uintptr_t)rules)->registry, index);
}

const struct rules_service *rules_service(const struct rules *rules, const char *name, size_t length)
{
    int32_t index = image_find_service(&rules->image, name, length);
    return index < 0 ? NULL : rules_service_at(rules, (uint32_t)index);
}

bool rules_has_unix(const struct rules *rules)
{
    return rules->image.header->has_unix != 0;
}

const struct rules_globals *rules_globals(const struct rules *rules)
{
    return &rules->globals;
}

bool rules_are_fresh(const struct rules *rules)
{
    return image_is_fresh(&rules->image);
}

uint64_t rules_source_bytes(const struct rules *rules)
{
    return image_source_bytes(&rules->image);
}

/* A text of the file's settings, expanded; instead, where it is unfit. */
static const char *expand_global(struct rules *rules, struct scratch *scratch, uint32_t string,
                                 const char *key, bool (*fits)(const char *), const char *instead)
{
    char subject[64];
    struct value_text out = {subject, sizeof subject, 0};
    const char *text = image_string(&rules->image, string);

    value_put(&out, key);
    value_put(&out, " is passed over: ");
    if (expand_is_template(text))
        text = scratch_expand(scratch, text, subject);
    if (!text)
        return instead;
    if (!fits(text)) {
        scratch_say(subject, "its value does not fit");
        return instead;
    }
    text = text == scratch->text ? keep(rules, text, "", "") : text;
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

static void expand_globals(struct rules *rules, struct scratch *scratch)
{
    const struct image_header *header = rules->image.header;
    struct settings_globals from = header->globals;

    for (uint32_t i = 0; i < header->global_patches_count; i++) {
        const struct image_patch *patch = image_patch(&rules->image, header->global_patches_first + i);
        if (!patch)
            break;
        scratch_patch(scratch, &rules->image, patch, SETTINGS_OF_FILE, &from);
    }
    rules->globals = (struct rules_globals){
        .mode = (enum policy_mode)from.mode,
        .faults = from.faults != 0,
        .locked = from.locked != 0,
        .log_level = from.log_level,
        .log_format = from.log_format,
        .log_target = expand_global(rules, scratch, from.log_target, "log.target", is_target, "stderr"),
        .state_path = expand_global(rules, scratch, from.state_path, "state.path", is_path_or_empty, ""),
        .state_hosts = from.state_hosts,
        .request_id =
            expand_global(rules, scratch, from.request_id, "context.request_id", is_field_value, ""),
        .tenant_id = expand_global(rules, scratch, from.tenant_id, "context.tenant_id", is_field_value, ""),
        .project_id =
            expand_global(rules, scratch, from.project_id, "context.project_id", is_field_value, ""),
    };
}

/* What is left of a text when its owner changes it; where there is no memory, nothing. */
static const char *keep_wish(struct rules *rules, const char *text)
{
    return text ? keep(rules, text, "", "") : NULL;
}

static void keep_request(struct rules *rules, const struct source_request *request)
{
    rules->request = (struct source_request){
        .named = keep_wish(rules, request->named),
        .xdg = keep_wish(rules, request->xdg),
        .home = keep_wish(rules, request->home),
        .system = keep_wish(rules, request->system),
        .policy = keep_wish(rules, request->policy),
        .set = keep_wish(rules, request->set),
        .ignores_lock = request->ignores_lock,
        .is_assumed = request->is_assumed,
    };
}

static int make_rules(const struct rules **out, const struct image *image,
                      const struct source_request *request, const char *program)
{
    struct arena arena = {NULL};
    struct scratch scratch = {0};
    struct rules *rules = arena_take(&arena, sizeof *rules);
    if (!rules || !scratch_open(&scratch))
        return -ENOMEM;
    rules->image = *image;
    rules->ready = arena_take(&arena, image->header->policies.count * sizeof *rules->ready);
    atomic_store(&rules->arena.newest, atomic_load(&arena.newest));
    struct value_text name = {rules->program, sizeof rules->program, 0};
    value_put(&name, program ? program : "");
    bool has_room = rules->ready && registry_open(&rules->registry, &rules->image, &rules->arena);
    if (has_room) {
        expand_globals(rules, &scratch);
        keep_request(rules, request);
    }
    if (has_room && image->header->variants.count > 0)
        rules->draw = draw_make(rules->globals.request_id, rules->globals.tenant_id);
    scratch_close(&scratch);
    if (!has_room)
        return -ENOMEM;
    *out = rules;
    return 0;
}

void rules_close(const struct rules *rules)
{
    struct rules own = *rules; /* the rules lie in their own arena */
    cache_close(&own.image);
    arena_clear(&own.arena);
}

/* The image goes into its file, so that it is shared; where that fails, this process keeps it for itself. */
static int publish(const struct source_paths *paths, const struct source_request *request, void *bytes,
                   size_t size, struct image *image)
{
    if (cache_write(paths, request, bytes, size) == 0 && cache_open(image, paths, request) == 0) {
        munmap(bytes, size);
        return 0;
    }
    sys_mprotect(bytes, size, PROT_READ);
    return image_attach(image, bytes, size);
}

/*
 * Compiles what holds. Returns 0 with an empty image when there is no configuration. Apart: it takes
 * kilobytes of stack, which a connect that only opens what is compiled may not have.
 */
static __attribute__((noinline)) int compile(const struct source_paths *paths,
                                             const struct source_request *request, struct image *image,
                                             char *text, size_t size)
{
    struct model model;
    struct fault_list faults = {0};
    void *bytes;
    size_t length;

    int result = model_init(&model);
    if (result == 0)
        result = load_model(&model, request, paths, &faults);
    if (result == 0 && !model.is_empty) {
        result = compile_image(&model, paths, request, &bytes, &length);
        if (result == 0)
            result = publish(paths, request, bytes, length, image);
    }
    if (result < 0 && fault_summary(&faults, text, size) == 0) {
        struct value_text out = {text, size, 0};
        value_put(&out, result == -ENOMEM ? "out of memory while the rules were compiled"
                                          : "the rules cannot be compiled");
    }
    fault_clear(&faults);
    model_clear(&model);
    return result;
}

static bool exists(const char *path)
{
    struct source_identity identity;
    if (path[0] == 0)
        return false;
    source_identify(path, &identity);
    return identity.inode != 0;
}

static bool says(const char *text)
{
    return text && text[0];
}

/* Twelve kilobytes, and the first connect(2) may come from a thread whose stack has no more. */
static struct source_paths *paths_open(void)
{
    void *paths =
        mmap(NULL, sizeof(struct source_paths), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return paths == MAP_FAILED ? NULL : paths;
}

static void paths_close(struct source_paths *paths)
{
    munmap(paths, sizeof *paths);
}

static int open_for(const struct rules **out, const struct source_request *request,
                    struct source_paths *paths, const char *program, bool may_compile, char *text,
                    size_t size)
{
    struct image image = {0};
    struct value_text reason = {text, size, 0};

    int result = source_find(request, paths);
    if (result < 0) {
        value_put(&reason, "the path of the configuration is too long or the working directory is gone");
        return result;
    }
    if (cache_open(&image, paths, request) == 0)
        return make_rules(out, &image, request, program);
    if (!says(request->policy) && !says(request->named) && !exists(paths->user) && !exists(paths->system))
        return 0;
    if (!may_compile) {
        value_put(&reason, "the rules are not compiled yet");
        return -ESTALE;
    }
    result = compile(paths, request, &image, text, size);
    if (result < 0 || !image.header)
        return result;
    return make_rules(out, &image, request, program);
}

int rules_open_for(const struct rules **out, const struct source_request *request, const char *program,
                   bool may_compile, char *text, size_t size)
{
    const int kept = errno;
    struct source_paths *paths = paths_open();
    int result = -ENOMEM;
    *out = NULL;
    text[0] = 0;
    if (paths) {
        result = open_for(out, request, paths, program, may_compile, text, size);
        paths_close(paths);
    }
    errno = kept;
    return result;
}

/* Whether the policy was assumed, and this process has a file: nobody asked for that policy. */
static bool is_overruled(const struct source_request *request)
{
    if (!request->is_assumed)
        return false;
    struct source_paths *paths = paths_open();
    if (!paths)
        return false;
    bool is_found = source_find(request, paths) == 0 &&
                    (says(request->named) || exists(paths->user) || exists(paths->system));
    paths_close(paths);
    return is_found;
}

/* GUSSET_POLICY_IMPLIED names the policy that `gusset run` assumed because there was no file. */
void rules_request(struct source_request *request)
{
    /* secure_getenv: in a privileged program the environment is a stranger's. */
    const char *implied = secure_getenv("GUSSET_POLICY_IMPLIED");

    *request = (struct source_request){
        .named = secure_getenv("GUSSET_CONFIG"),
        .xdg = secure_getenv("XDG_CONFIG_HOME"),
        .home = secure_getenv("HOME"),
        .policy = secure_getenv("GUSSET_POLICY"),
        .set = secure_getenv("GUSSET_SET"),
    };
    request->is_assumed = says(implied) && says(request->policy) && strcmp(implied, request->policy) == 0;
    if (is_overruled(request))
        request->policy = NULL;
}

int rules_open(const struct rules **out, const char *program, bool may_compile, char *text, size_t size)
{
    struct source_request request;
    rules_request(&request);
    return rules_open_for(out, &request, program, may_compile, text, size);
}

int rules_open_again(const struct rules **out, const struct rules *before, bool may_compile, char *text,
                     size_t size)
{
    struct source_request request = before->request;
    if (is_overruled(&request))
        request.policy = NULL;
    return rules_open_for(out, &request, before->program, may_compile, text, size);
}
