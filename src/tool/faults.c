#include "tool/faults.h"

#include <string.h>

#include "config/print.h"
#include "config/settings.h"
#include "core/timestamp.h"
#include "sys/clock.h"
#include "tool/output.h"

static const char *print(const struct policy *policy, const char *key, char *text, size_t size)
{
    int index = settings_find(key, strlen(key));
    print_field(settings_at((unsigned)index), policy, "", text, size);
    return text;
}

static void tell(const struct model *model, const struct policy *policy, FILE *to, const char *before)
{
    char share[16], error[16], delay[32], until[TIMESTAMP_ROOM];

    timestamp_write(policy->fault.until_s, until);
    fprintf(to, "%s%sFAULTS ARE REHEARSED%s by policy %s: %s for %s %% of the attempts, %s later, until %s\n",
            before, output_style(to, OUTPUT_BAD), output_style(to, OUTPUT_PLAIN),
            output_clean((char *)(uintptr_t)model_string(model, policy->name)),
            print(policy, "fault.error", error, sizeof error),
            print(policy, "fault.percent", share, sizeof share),
            print(policy, "fault.delay", delay, sizeof delay), until);
}

void faults_tell(const struct model *model, FILE *to, const char *before)
{
    uint64_t now_s = clock_unix_ms() / 1000;

    for (uint32_t i = 0; model->globals.faults && i < model->policies.count; i++) {
        const struct policy *policy = &model_policy(model, i)->values;
        if (policy->groups & POLICY_FAULT && !rehearsal_is_over(&policy->fault, now_s))
            tell(model, policy, to, before);
    }
}
