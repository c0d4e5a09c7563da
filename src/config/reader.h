/*
 * Reading the parsed file, setting by setting: what policies, rules and the file have in common. Lives for
 * one reading; faults carry the place in the file that the line came from.
 */
#ifndef GUSSET_CONFIG_READER_H
#define GUSSET_CONFIG_READER_H

#include <stdbool.h>

#include "config/assign.h"
#include "config/include.h"
#include "config/libconfig.h"
#include "config/model.h"

struct reader_policy { /* a policy of the file */
    const struct config_setting_t *setting;
    uint32_t index; /* in the model, once it is resolved */
    enum { READER_UNTOUCHED, READER_UNDER_WAY, READER_RESOLVED } state;
};

struct reader {
    struct model *model;
    struct fault_list *faults;
    struct include_text text;
    struct libconfig *document;
    struct table policies;      /* struct reader_policy */
    uint32_t extending;         /* policies that are being read, each for the one that extends it */
    bool faulty[SETTINGS_MOST]; /* by index of the table */
};

/* The place of a setting, as an origin and for faults. */
struct assign_site reader_site(const struct reader *reader, const struct config_setting_t *setting);

void reader_fault(const struct reader *reader, const struct config_setting_t *setting, const char *format,
                  ...) __attribute__((format(printf, 3, 4)));
void reader_warn(const struct reader *reader, const struct config_setting_t *setting, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What stands there, for people: `"text"`, `5`, `a list`. */
void reader_describe(const struct reader *reader, const struct config_setting_t *setting, char *text,
                     size_t size);

/*
 * A string that may hold no ${…}: names and patterns. NULL after a fault that names key and what was
 * expected.
 */
const char *reader_plain(const struct reader *reader, const struct config_setting_t *setting, const char *key,
                         const char *expected);

/* Whether the setting is a list or array; a fault that names key otherwise. */
bool reader_is_sequence(const struct reader *reader, const struct config_setting_t *setting, const char *key,
                        const char *expected);

/* A member that is none of the table's settings; returns whether it was taken. */
typedef bool reader_special(struct reader *reader, const struct config_setting_t *member, void *context);

/* What stands in a group besides the settings of the table. */
struct reader_own {
    const char *const *words; /* keys, ended by NULL: what a mistyped one may have meant */
    reader_special *take;     /* asked first, of each member */
    void *context;
};

/*
 * Reads the members of a group: settings of the file (owner is then MODEL_NONE), or of the model's policy or
 * service with the number owner. A member that nobody knows is a fault. Afterwards reader->faulty tells of
 * which settings what stood there was none.
 */
void reader_walk(struct reader *reader, const struct config_setting_t *group, enum settings_place place,
                 uint32_t owner, const struct reader_own *own);

/* Whether the word is one of a list that NULL ends. */
bool reader_is_one_of(const struct config_setting_t *setting, const char *const *words);

/* Reads one setting (an index of the table) from what stands for it. Returns false after a fault. */
bool reader_take(struct reader *reader, const struct config_setting_t *setting, uint32_t owner,
                 unsigned index);

/* Like strcmp of the member's name, as a question. */
bool reader_is_named(const struct config_setting_t *setting, const char *name);

#endif
