#include "config/preset.h"

#include <string.h>

struct row {
    const char *policy;
    const char *key;
    const char *value;
};

static const char *const names[] = {"standard",   "quick",   "expensive", "conservative",
                                    "aggressive", "network", "database",  "external"};

/* standard is the table of settings itself. */
static const struct row rows[] = {
    {"quick",        "retry.attempts",      "2"    },
    {"quick",        "retry.backoff.base",  "100ms"},
    {"quick",        "retry.backoff.cap",   "1s"   },

    {"expensive",    "retry.attempts",      "5"    },
    {"expensive",    "retry.backoff.base",  "1s"   },
    {"expensive",    "retry.backoff.cap",   "10s"  },
    {"expensive",    "timeout.attempt",     "60s"  },
    {"expensive",    "timeout.total",       "180s" },

    {"conservative", "retry.attempts",      "3"    },
    {"conservative", "retry.backoff.base",  "2s"   },
    {"conservative", "retry.backoff.cap",   "30s"  },

    {"aggressive",   "retry.attempts",      "5"    },
    {"aggressive",   "retry.backoff.base",  "500ms"},
    {"aggressive",   "retry.backoff.cap",   "5s"   },

    {"network",      "timeout.connect",     "5s"   },
    {"network",      "timeout.attempt",     "10s"  },
    {"network",      "timeout.total",       "10s"  },

    {"database",     "retry.attempts",      "2"    },
    {"database",     "retry.backoff.base",  "100ms"},
    {"database",     "retry.backoff.cap",   "1s"   },
    {"database",     "timeout.connect",     "10s"  },
    {"database",     "breaker.consecutive", "3"    },
    {"database",     "breaker.open",        "30s"  },

    {"external",     "breaker.consecutive", "5"    },
    {"external",     "breaker.open",        "60s"  },
};

const char *preset_name(unsigned index)
{
    return index < sizeof names / sizeof names[0] ? names[index] : NULL;
}

static bool is_known(const char *name)
{
    for (unsigned i = 0; preset_name(i); i++)
        if (strcmp(preset_name(i), name) == 0)
            return true;
    return false;
}

static void add_row(struct model *model, uint32_t policy, const struct row *row, struct model_origin origin)
{
    struct model_assignment assignment = {
        .setting = (uint32_t)settings_find(row->key, strlen(row->key)),
        .text = model_text(model, row->value, strlen(row->value)),
        .origin = origin,
    };
    model_assign(model, policy, &assignment, row->value);
}

uint32_t preset_add(struct model *model, const char *name)
{
    if (!is_known(name))
        return (uint32_t)MODEL_NONE;
    struct model_origin origin = {.kind = MODEL_BUILT_IN, .source = model_text(model, name, strlen(name))};
    uint32_t policy = model_add_policy(model, name, (uint32_t)MODEL_NONE, origin);
    if (policy == (uint32_t)MODEL_NONE)
        return policy;
    model_apply_group(model, policy, POLICY_TIMEOUT);
    model_apply_group(model, policy, POLICY_RETRY);
    model_apply_group(model, policy, POLICY_BREAKER);
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].policy, name) == 0)
            add_row(model, policy, &rows[i], origin);
    return policy;
}
