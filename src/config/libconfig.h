/*
 * libconfig behind glass: loaded with dlopen by whoever must compile, so that no program links it, and
 * read through these few functions. Texts only: it never gets a file to open.
 */
#ifndef GUSSET_CONFIG_LIBCONFIG_H
#define GUSSET_CONFIG_LIBCONFIG_H

#include <stddef.h>
#include <stdint.h>

struct libconfig;        /* a parsed text */
struct config_setting_t; /* libconfig's own */

enum libconfig_kind {
    LIBCONFIG_GROUP,
    LIBCONFIG_LIST,  /* ( … ) */
    LIBCONFIG_ARRAY, /* [ … ] */
    LIBCONFIG_INTEGER,
    LIBCONFIG_FLOAT,
    LIBCONFIG_STRING,
    LIBCONFIG_BOOL,
    LIBCONFIG_NOTHING
};

struct libconfig_fault {
    uint32_t line; /* of the text; 0: no line is to blame */
    char text[256];
};

/*
 * Parses a text. Returns 0 and *out (libconfig_free frees it), -ENOENT when libconfig cannot be loaded,
 * -EINVAL on a syntax error, -ENOMEM; with a sentence in *fault.
 */
int libconfig_parse(const char *text, size_t length, struct libconfig **out, struct libconfig_fault *fault);

void libconfig_free(struct libconfig *config);

const struct config_setting_t *libconfig_root(const struct libconfig *config);

/* What a setting is, its name ("" in a list) and its line. */
enum libconfig_kind libconfig_kind(const struct config_setting_t *setting);
const char *libconfig_name(const struct config_setting_t *setting);
uint32_t libconfig_line(const struct config_setting_t *setting);

/* The members of a group, list or array; 0 for anything else. */
uint32_t libconfig_count(const struct libconfig *config, const struct config_setting_t *setting);
const struct config_setting_t *libconfig_item(const struct libconfig *config,
                                              const struct config_setting_t *setting, uint32_t index);
/* A member of a group by name; NULL where there is none. */
const struct config_setting_t *libconfig_member(const struct libconfig *config,
                                                const struct config_setting_t *setting, const char *name);

/* Values, of settings of that kind. A string is borrowed. */
int64_t libconfig_integer(const struct libconfig *config, const struct config_setting_t *setting);
double libconfig_float(const struct libconfig *config, const struct config_setting_t *setting);
int libconfig_bool(const struct libconfig *config, const struct config_setting_t *setting);
const char *libconfig_string(const struct libconfig *config, const struct config_setting_t *setting);

#endif
