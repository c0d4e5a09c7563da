/*
 * The settings: one table with the name, kind, range, default and meaning of each. It drives loading,
 * checking, presets, --set, explain and the manual; whoever adds a setting adds a row here and a field
 * in core/policy.h (or in struct settings_globals and settings_service, for those of the file and of a
 * service).
 */
#ifndef GUSSET_CONFIG_SETTINGS_H
#define GUSSET_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/policy.h"

enum settings_kind {
    SETTINGS_DURATION,  /* milliseconds; "1.5s" */
    SETTINGS_COUNT,     /* a whole number */
    SETTINGS_DECIMAL,   /* thousandths; "2.0" */
    SETTINGS_PERCENT,   /* hundredths of a percent; "12.5" */
    SETTINGS_BOOL,      /* 0 or 1 */
    SETTINGS_CHOICE,    /* one of a few names */
    SETTINGS_OUTCOMES,  /* struct outcome_set; names separated by commas */
    SETTINGS_METHODS,   /* bits of core/method.h; likewise */
    SETTINGS_PROPAGATE, /* bits of enum policy_propagate; likewise */
    SETTINGS_TEXT,      /* string: an offset into a pool; whoever owns the pool stores it */
    SETTINGS_ERROR,     /* enum rehearsal_error: one of a few names, or a status */
    SETTINGS_SIZE,      /* bytes; "10M" */
    SETTINGS_MOMENT,    /* seconds since 1970; "2026-12-01T00:00:00Z". 0: none was given */
    SETTINGS_DELAY      /* milliseconds; "200ms". Or one of a few names, for what lies above the range */
};

enum settings_place { SETTINGS_OF_FILE, SETTINGS_OF_POLICY, SETTINGS_OF_SERVICE };

/* Settings of the whole file, in the form in which they lie in the image; texts are templates. */
struct settings_globals {
    uint32_t version;
    uint32_t mode; /* enum policy_mode */
    uint32_t locked;
    uint32_t faults;     /* fault groups act */
    uint32_t log_level;  /* enum log_level */
    uint32_t log_target; /* string */
    uint32_t log_format; /* enum log_format */
    uint32_t state_path; /* string */
    uint32_t state_hosts;
    uint32_t request_id; /* string */
    uint32_t tenant_id;  /* string */
    uint32_t project_id; /* string */
};

enum settings_host { SETTINGS_HOST_SERVICE, SETTINGS_HOST_ASKED };
enum settings_health { SETTINGS_HEALTH_HTTP, SETTINGS_HEALTH_TCP, SETTINGS_HEALTH_TLS };

/* Settings of one service but for its name and its addresses, in the form in which they lie in the image. */
struct settings_service {
    uint32_t prefix;      /* 0 or 1: the path of the address goes before the asked one */
    uint32_t credentials; /* 0 or 1: the program's own travel along */
    uint32_t host;        /* enum settings_host: in the Host header and in TLS */
    uint32_t health_path; /* string: a template */
    uint32_t health_type; /* enum settings_health */
    uint32_t health_interval_ms;
    uint32_t health_timeout_ms;
    uint32_t health_failures;
};

struct settings_choice {
    const char *name; /* NULL ends the list */
    uint32_t value;
};

struct settings_entry {
    const char *key; /* "retry.backoff.base" */
    uint8_t kind;    /* enum settings_kind */
    uint8_t place;   /* enum settings_place: what offset is counted in */
    uint16_t group;  /* bit of enum policy_group; 0: none */
    uint8_t surplus; /* an alias that counts from elsewhere: stored value = text + surplus; else 0 */
    uint16_t offset; /* in struct policy, settings_globals or settings_service */
    uint32_t least;  /* range, in stored units */
    uint32_t most;
    const char *initial; /* the default, as a user would write it (lists with commas) */
    const struct settings_choice *choices;
    const char *help; /* a sentence without its full stop */
};

enum { SETTINGS_MOST = 128 }; /* no table is longer; for arrays with an element a setting */

/* How many there are, and the index-th (0..settings_count()-1). Static. */
unsigned settings_count(void);
const struct settings_entry *settings_at(unsigned index);

/* The index of a key, or -1. */
int settings_find(const char *key, size_t length);

/* Whether key, a whole path, is a group that holds settings ("retry", "retry.backoff"); *bit is its group. */
bool settings_is_group(const char *key, size_t length, enum settings_place place, uint32_t *bit);

#endif
