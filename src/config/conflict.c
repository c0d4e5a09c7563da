#include "config/conflict.h"

#include <string.h>

#include "config/print.h"
#include "config/settings.h"
#include "config/value.h"

enum kind { BELOW, BOTH_GIVEN, MISSING };

static const struct row {
    uint32_t group;
    enum kind kind;
    const char *setting, *partner; /* the same where it stands alone */
    const char *relation;          /* BELOW: how a sentence says so */
} rows[] = {
    {POLICY_RETRY,    BELOW,      "retry.backoff.cap", "retry.backoff.base", "is shorter than"},
    {POLICY_BREAKER,  BELOW,      "breaker.open_cap",  "breaker.open",       "is shorter than"},
    {POLICY_POOL,     BELOW,      "pool.connections",  "pool.keepalive",     "is less than"   },
    {POLICY_FALLBACK, BOTH_GIVEN, "fallback.file",     "fallback.body",      NULL             },
    {POLICY_FAULT,    MISSING,    "fault.until",       "fault.until",        NULL             },
};
enum { ROWS = sizeof rows / sizeof *rows };

static unsigned index_of(const char *key)
{
    return (unsigned)settings_find(key, strlen(key));
}

static uint32_t number_of(const struct policy *policy, const char *key)
{
    uint32_t number;
    memcpy(&number, (const char *)policy + settings_at(index_of(key))->offset, sizeof number);
    return number;
}

static bool holds(const struct policy *policy, const struct row *row)
{
    uint32_t number = number_of(policy, row->setting), partner = number_of(policy, row->partner);

    if (!(policy->groups & row->group))
        return false;
    switch (row->kind) {
    case BELOW:
        return number < partner;
    case BOTH_GIVEN:
        return number && partner;
    case MISSING:
        return !number;
    }
    return false;
}

static void put_value(const struct policy *policy, const char *key, struct value_text *out)
{
    char value[32];

    print_field(settings_at(index_of(key)), policy, "", value, sizeof value);
    value_put(out, key);
    value_put(out, " (");
    value_put(out, value);
    value_put(out, ")");
}

static void explain(const struct policy *policy, const struct row *row, struct value_text *out)
{
    char expected[64];

    switch (row->kind) {
    case BELOW:
        put_value(policy, row->setting, out);
        value_put(out, " ");
        value_put(out, row->relation);
        value_put(out, " ");
        put_value(policy, row->partner, out);
        value_put(out, "; say both");
        return;
    case BOTH_GIVEN:
        value_put(out, row->partner);
        value_put(out, " and ");
        value_put(out, row->setting);
        value_put(out, " are both given, expected one of them");
        return;
    case MISSING:
        print_expected(settings_at(index_of(row->setting)), expected, sizeof expected);
        value_put(out, row->setting);
        value_put(out, " is missing, expected ");
        value_put(out, expected);
        return;
    }
}

bool conflict_next(const struct policy *policy, unsigned *at, struct conflict *conflict)
{
    struct value_text out = {conflict->text, sizeof conflict->text, 0};

    while (*at < ROWS) {
        const struct row *row = &rows[(*at)++];
        if (!holds(policy, row))
            continue;
        conflict->setting = index_of(row->setting);
        conflict->partner = index_of(row->partner);
        explain(policy, row, &out);
        return true;
    }
    return false;
}

void conflict_mend(struct policy *policy)
{
    for (unsigned i = 0; i < ROWS; i++) {
        uint32_t partner = number_of(policy, rows[i].partner);
        if (rows[i].kind == BELOW && number_of(policy, rows[i].setting) < partner)
            memcpy((char *)policy + settings_at(index_of(rows[i].setting))->offset, &partner, sizeof partner);
    }
}
