#include "config/libconfig.h"

#include <dlfcn.h>
#include <errno.h>
#include <libconfig.h>
#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "config/value.h"
#include "sys/linker.h"

/* The newest name first known to work comes first on no system: each has one of them. */
static const char *const candidates[] = {"libconfig.so.9", "libconfig.so.11", "libconfig.so.15",
                                         "libconfig.so"};

#define FUNCTIONS(X)                                                                                         \
    X(void, config_init, (config_t *))                                                                       \
    X(int, config_read_string, (config_t *, const char *))                                                   \
    X(void, config_destroy, (config_t *))                                                                    \
    X(int, config_setting_length, (const config_setting_t *))                                                \
    X(config_setting_t *, config_setting_get_elem, (const config_setting_t *, unsigned))                     \
    X(config_setting_t *, config_setting_get_member, (const config_setting_t *, const char *))               \
    X(int, config_setting_get_int, (const config_setting_t *))                                               \
    X(long long, config_setting_get_int64, (const config_setting_t *))                                       \
    X(double, config_setting_get_float, (const config_setting_t *))                                          \
    X(int, config_setting_get_bool, (const config_setting_t *))                                              \
    X(const char *, config_setting_get_string, (const config_setting_t *))

/*
 * config_t as 1.5 and 1.6 lay it out (libconfig.so.9), and as 1.7 and 1.8 do (.so.11, .so.15): the error is
 * to be had by macros only, and the header that is built with may be another's than the library that is met.
 * config_setting_t has been the same since 1.4.
 */
struct layout_of_15 {
    config_setting_t *root;
    void (*destructor)(void *);
    int options;
    unsigned short tab_width;
    short default_format;
    const char *include_dir;
    const char *error_text;
    const char *error_file;
    int error_line;
};

struct layout_of_17 {
    config_setting_t *root;
    void (*destructor)(void *);
    int options;
    unsigned short tab_width;
    unsigned short float_precision;
    unsigned short default_format;
    const char *include_dir;
    void *include_fn;
    const char *error_text;
    const char *error_file;
    int error_line;
};

struct libconfig {
    void *library;
    bool is_new; /* 1.7 or later */
    bool is_open;
#define X(type, name, arguments) type(*name) arguments;
    FUNCTIONS(X)
#undef X
    union {
        config_setting_t *root; /* the first field of every layout */
        config_t built_with;
        struct layout_of_15 old;
        struct layout_of_17 new;
        char room[512]; /* for what a later version adds */
    } config;
};

static void say(struct libconfig_fault *fault, uint32_t line, const char *text)
{
    struct value_text out = {fault->text, sizeof fault->text, 0};
    fault->line = line;
    value_put(&out, text ? text : "syntax error");
}

static bool find_functions(struct libconfig *config)
{
    bool all = true;
#define X(type, name, arguments)                                                                             \
    config->name = (type(*) arguments)linker_find(config->library, #name, NULL);                             \
    all = all && config->name;
    FUNCTIONS(X)
#undef X
    config->is_new = linker_find(config->library, "config_set_include_func", NULL) != NULL;
    return all;
}

static int load(struct libconfig *config, struct libconfig_fault *fault)
{
    for (unsigned i = 0; i < sizeof candidates / sizeof candidates[0] && !config->library; i++)
        config->library = linker_open(candidates[i], RTLD_NOW | RTLD_LOCAL);
    if (config->library && find_functions(config))
        return 0;
    say(fault, 0,
        "libconfig cannot be loaded; install the package libconfig9 (libconfig11 on newer systems)");
    return -ENOENT;
}

/* libconfig ends the process when its memory runs out, so as much as it may need (40 × the text) is tried
 * first. */
static bool has_memory(size_t length)
{
    void *trial = malloc(length * 64 + (1 << 20));
    free(trial);
    return trial != NULL;
}

static int read_text(struct libconfig *config, const char *text, struct libconfig_fault *fault)
{
    /* libconfig switches the thread to the C locale, and then back to the global one, not to the thread's
     * own. */
    locale_t kept = uselocale((locale_t)0);
    config->config_init(&config->config.built_with);
    config->is_open = true;
    int read = config->config_read_string(&config->config.built_with, text);
    uselocale(kept);
    if (read)
        return 0;
    int line = config->is_new ? config->config.new.error_line : config->config.old.error_line;
    say(fault, line > 0 ? (uint32_t)line : 0,
        config->is_new ? config->config.new.error_text : config->config.old.error_text);
    return -EINVAL;
}

int libconfig_parse(const char *text, size_t length, struct libconfig **out, struct libconfig_fault *fault)
{
    struct libconfig *config = calloc(1, sizeof *config);
    *fault = (struct libconfig_fault){0};
    if (!config || !has_memory(length)) {
        free(config);
        say(fault, 0, "out of memory");
        return -ENOMEM;
    }
    int result = load(config, fault);
    if (result == 0)
        result = read_text(config, text, fault);
    if (result < 0) {
        libconfig_free(config);
        return result;
    }
    *out = config;
    return 0;
}

void libconfig_free(struct libconfig *config)
{
    if (config->is_open)
        config->config_destroy(&config->config.built_with);
    if (config->library)
        linker_close(config->library);
    free(config);
}

const config_setting_t *libconfig_root(const struct libconfig *config)
{
    return config->config.root;
}

enum libconfig_kind libconfig_kind(const config_setting_t *setting)
{
    switch (setting->type) {
    case CONFIG_TYPE_GROUP:
        return LIBCONFIG_GROUP;
    case CONFIG_TYPE_LIST:
        return LIBCONFIG_LIST;
    case CONFIG_TYPE_ARRAY:
        return LIBCONFIG_ARRAY;
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        return LIBCONFIG_INTEGER;
    case CONFIG_TYPE_FLOAT:
        return LIBCONFIG_FLOAT;
    case CONFIG_TYPE_STRING:
        return LIBCONFIG_STRING;
    case CONFIG_TYPE_BOOL:
        return LIBCONFIG_BOOL;
    }
    return LIBCONFIG_NOTHING;
}

const char *libconfig_name(const config_setting_t *setting)
{
    return setting->name ? setting->name : "";
}

uint32_t libconfig_line(const config_setting_t *setting)
{
    return setting->line;
}

uint32_t libconfig_count(const struct libconfig *config, const config_setting_t *setting)
{
    int count = config->config_setting_length(setting);
    return count > 0 ? (uint32_t)count : 0;
}

const config_setting_t *libconfig_item(const struct libconfig *config, const config_setting_t *setting,
                                       uint32_t index)
{
    return config->config_setting_get_elem(setting, index);
}

const config_setting_t *libconfig_member(const struct libconfig *config, const config_setting_t *setting,
                                         const char *name)
{
    return config->config_setting_get_member(setting, name);
}

int64_t libconfig_integer(const struct libconfig *config, const config_setting_t *setting)
{
    return setting->type == CONFIG_TYPE_INT64 ? config->config_setting_get_int64(setting)
                                              : config->config_setting_get_int(setting);
}

double libconfig_float(const struct libconfig *config, const config_setting_t *setting)
{
    return config->config_setting_get_float(setting);
}

int libconfig_bool(const struct libconfig *config, const config_setting_t *setting)
{
    return config->config_setting_get_bool(setting);
}

const char *libconfig_string(const struct libconfig *config, const config_setting_t *setting)
{
    const char *string = config->config_setting_get_string(setting);
    return string ? string : "";
}
