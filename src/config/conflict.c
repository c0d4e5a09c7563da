#include "config/conflict.h"

#include <string.h>

#include "config/settings.h"

static unsigned index_of(const char *key)
{
    return (unsigned)settings_find(key, strlen(key));
}

const char *conflict_find(const struct policy *policy, unsigned *index)
{
    if (policy->groups & POLICY_RETRY && policy->retry.cap_ms < policy->retry.base_ms) {
        *index = index_of("retry.backoff.cap");
        return "retry.backoff.cap is shorter than retry.backoff.base";
    }
    if (policy->groups & POLICY_BREAKER && policy->breaker.rule.open_cap_ms < policy->breaker.rule.open_ms) {
        *index = index_of("breaker.open_cap");
        return "breaker.open_cap is shorter than breaker.open";
    }
    if (policy->groups & POLICY_FAULT && !policy->fault.until_s) {
        *index = index_of("fault.until");
        return "fault.until is missing, expected a time such as \"2026-12-01T00:00:00Z\"";
    }
    if (policy->groups & POLICY_FALLBACK && policy->fallback.body && policy->fallback.file) {
        *index = index_of("fallback.file");
        return "fallback.body and fallback.file are both given, expected one of them";
    }
    if (policy->groups & POLICY_POOL && policy->pool.connections < policy->pool.keepalive) {
        *index = index_of("pool.connections");
        return "pool.connections is less than pool.keepalive";
    }
    return NULL;
}

void conflict_mend(struct policy *policy)
{
    if (policy->retry.cap_ms < policy->retry.base_ms)
        policy->retry.cap_ms = policy->retry.base_ms;
    if (policy->breaker.rule.open_cap_ms < policy->breaker.rule.open_ms)
        policy->breaker.rule.open_cap_ms = policy->breaker.rule.open_ms;
    if (policy->pool.connections < policy->pool.keepalive)
        policy->pool.connections = policy->pool.keepalive;
}
