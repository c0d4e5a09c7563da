/*
 * A configuration in memory, as the compiler and `gusset explain` see it: policies with the place that
 * each setting came from, rules in the order of their specificity. Heap memory, lives as long as its
 * reader; a running program never holds one (it maps an image, config/image.h).
 */
#ifndef GUSSET_CONFIG_MODEL_H
#define GUSSET_CONFIG_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/fault.h"
#include "config/settings.h"
#include "config/source.h"
#include "config/table.h"
#include "core/pattern.h"
#include "core/variant.h"

enum { MODEL_NONE = -1 }; /* as uint32_t: no such index */

enum model_origin_kind {
    MODEL_DEFAULT,  /* the table of settings */
    MODEL_BUILT_IN, /* a built-in policy */
    MODEL_FILE,
    MODEL_SET /* --set, $GUSSET_SET */
};

struct model_origin {
    uint32_t kind;   /* enum model_origin_kind */
    uint32_t source; /* MODEL_FILE: index of the source; MODEL_BUILT_IN: string, the policy's name */
    uint32_t line;
};

struct model_source {
    uint32_t path; /* string */
    struct source_identity identity;
};

/* What was written for a setting. */
struct model_assignment {
    uint32_t setting;
    uint32_t text; /* string: as a user would write it in --set; a template's own text */
    bool is_template;
    struct model_origin origin;
};

struct model_header {
    uint32_t name;
    uint32_t value; /* string: a template, or literal */
    bool override;
    struct model_origin origin;
};

struct model_policy {
    struct policy values; /* resolved, templates by what they expand to now (or the default) */
    uint32_t base;        /* the policy that it extends, or MODEL_NONE */
    uint32_t assignments_first;
    uint32_t assignments_count;
    struct model_origin origin;
};

/* A rule of hosts. Lists are indices into words; a count of 0 means any. */
struct model_rule {
    uint32_t match;                                 /* string: as written */
    uint32_t name;                                  /* string: of the pattern */
    uint8_t kind, family, prefix_bits, name_length; /* of the pattern */
    uint16_t port;
    uint8_t address[16];
    uint32_t policy; /* with variants: the first without a ramp */
    uint32_t variants_first, variants_count;
    uint32_t by;      /* enum variants_by */
    int32_t mode;     /* enum policy_mode; -1: the file's */
    uint32_t methods; /* 0: any */
    uint32_t paths_first, paths_count;
    uint32_t programs_first, programs_count;
    struct model_origin origin;
};

/* A service of the registry. */
struct model_service {
    uint32_t name;
    uint32_t urls_first, urls_count; /* of model_url */
    struct settings_service values;  /* resolved, as a policy's */
    bool has_health;
    uint32_t policy; /* what holds where no rule does: its own, or one that applies nothing */
    bool has_policy;
    uint32_t assignments_first, assignments_count;
    struct model_origin origin;
};

/* One of its addresses. */
struct model_url {
    uint32_t text; /* string: a template, or literal */
    struct model_origin origin;
};

/* A rule with one of its paths: what is ordered, and what a place is held against. */
struct model_way {
    uint32_t rule;
    uint32_t path; /* string; 0: any */
};

struct model {
    struct settings_globals globals;
    uint32_t origin_of_global[SETTINGS_MOST]; /* 1 + index of the assignment; 0: default */
    struct table pool;                        /* char: strings, each with its NUL; offset 0 is "" */
    struct table sources; /* struct model_source: the files that were looked at, whether they exist or not */
    struct table assignments;      /* struct model_assignment */
    struct table headers;          /* struct model_header */
    struct table policies;         /* struct model_policy */
    struct table rules;            /* struct model_rule, as they stand in the file */
    struct table words;            /* uint32_t: strings of lists */
    struct table variants;         /* struct variant; policy: an index */
    struct table services;         /* struct model_service */
    struct table urls;             /* struct model_url */
    struct table ways;             /* struct model_way, the most specific first; config/order makes it */
    uint32_t set_first, set_count; /* assignments that come on top of every policy */
    bool is_empty;                 /* no file and no policy asked for: nothing is to be wrapped */
};

/* Returns 0 or -ENOMEM. */
int model_init(struct model *model);
void model_clear(struct model *model);

/* Whether memory failed at some time; the model is then incomplete. */
bool model_failed(const struct model *model);

/* Puts a string into the pool and returns its offset; 0 when it is empty or memory fails. */
uint32_t model_text(struct model *model, const char *text, size_t length);

const char *model_string(const struct model *model, uint32_t offset);

/* Items by index; borrowed until the next one is added. */
struct model_policy *model_policy(const struct model *model, uint32_t index);
struct model_rule *model_rule(const struct model *model, uint32_t index);
struct model_assignment *model_assignment(const struct model *model, uint32_t index);
struct model_header *model_header(const struct model *model, uint32_t index);
struct model_source *model_source(const struct model *model, uint32_t index);
struct model_way *model_way(const struct model *model, uint32_t index);
struct model_service *model_service(const struct model *model, uint32_t index);
struct variant *model_variant(const struct model *model, uint32_t index);
struct model_url *model_url(const struct model *model, uint32_t index);
const char *model_word(const struct model *model, uint32_t index);

/* Notes a file, once; returns its index. */
uint32_t model_add_source(struct model *model, const char *path, const struct source_identity *identity);

/* When the newest of the sources was changed, in milliseconds since 1970; 0: there is none. */
uint64_t model_changed_ms(const struct model *model);

/* A new policy that extends base (or MODEL_NONE) and so far says the same. Returns its index, or MODEL_NONE.
 */
uint32_t model_add_policy(struct model *model, const char *name, uint32_t base, struct model_origin origin);

/* The policy of that name, the file's before a built-in one; MODEL_NONE where there is none. */
uint32_t model_find_policy(const struct model *model, const char *name);

/*
 * Records what was written for a setting of a policy, and what it comes to: text was checked, or is a
 * template, whose expansion (NULL: it has none now) was. A group that was absent comes with its defaults.
 * The assignments of one policy must follow each other.
 */
void model_assign(struct model *model, uint32_t policy, const struct model_assignment *assignment,
                  const char *expansion);

/* Switches a group on that stands there empty. */
void model_apply_group(struct model *model, uint32_t policy, uint32_t group);

/* The same as model_assign for a setting of the file. */
void model_assign_global(struct model *model, const struct model_assignment *assignment,
                         const char *expansion);

/* The same for a setting of a service. */
void model_assign_service(struct model *model, uint32_t service, const struct model_assignment *assignment,
                          const char *expansion);

/* A new service with its settings at their defaults. Returns its index, or MODEL_NONE. */
uint32_t model_add_service(struct model *model, const char *name, struct model_origin origin);

/* The service of that name, in small letters; MODEL_NONE where there is none. */
uint32_t model_find_service(const struct model *model, const char *name);

/* The assignment that holds for a setting of a service; NULL: the default. */
const struct model_assignment *model_effective_of_service(const struct model *model, uint32_t service,
                                                          unsigned setting);

/* What holds for a setting of a policy: the last assignment on its line of descent; NULL: the default. */
const struct model_assignment *model_effective(const struct model *model, uint32_t policy, unsigned setting);

#endif
