#include "tool/effect.h"

#include "core/breaker.h"
#include "tool/output.h"

static void begin(struct effect *effect)
{
    if (effect->has_begun)
        return;
    effect->has_begun = true;
    effect->json = (struct json){.to = stdout};
    json_object(&effect->json, NULL);
    json_text(&effect->json, "state", effect->state);
    json_array(&effect->json, "circuits");
}

static void write(struct json *json, const struct snapshot *before, enum events_kind kind,
                  uint32_t duration_ms)
{
    enum breaker_state now = kind == EVENTS_TRIPPED ? BREAKER_OPEN : BREAKER_CLOSED;

    json_object(json, NULL);
    json_text(json, "host", before->host);
    json_text(json, "policy", before->policy);
    json_text(json, "before", breaker_state_name(breaker_state(before->circuit)));
    json_text(json, "circuit", breaker_state_name(now));
    json_bool(json, "held", kind == EVENTS_HELD);
    if (duration_ms)
        json_number(json, "for_ms", duration_ms);
    else
        json_null(json, "for_ms");
    json_end_object(json);
}

static void print(const struct snapshot *before, const char *what, uint32_t duration_ms)
{
    char host[LAYOUT_HOST_TEXT], duration[OUTPUT_NUMBER];

    snprintf(host, sizeof host, "%s", before->host);
    output_clean(host);
    printf("%s, policy %s: %s ", host, snapshot_policy(before), what);
    if (duration_ms)
        printf("for %s\n", output_duration((uint64_t)duration_ms * 1000, duration));
    else
        printf("until `gusset reset %s`\n", host);
}

void effect_circuit(struct effect *effect, const struct snapshot *before, enum events_kind kind,
                    uint32_t duration_ms)
{
    if (effect->is_json) {
        begin(effect);
        write(&effect->json, before, kind, duration_ms);
    } else if (kind != EVENTS_RESET) {
        print(before, kind == EVENTS_TRIPPED ? "open" : "held closed", duration_ms);
    }
}

void effect_end(struct effect *effect)
{
    if (!effect->is_json)
        return;
    begin(effect);
    json_end_array(&effect->json);
    json_end_object(&effect->json);
    putchar('\n');
}
