#include "tool/style.h"

#include "core/breaker.h"

enum output_style style_circuit(const struct snapshot *host)
{
    switch (breaker_state(host->circuit)) {
    case BREAKER_CLOSED:
        return OUTPUT_GOOD;
    case BREAKER_OPEN:
        return OUTPUT_BAD;
    case BREAKER_HALF_OPEN:
        return OUTPUT_DOUBTFUL;
    }
    return OUTPUT_PLAIN;
}

enum output_style style_health(enum vitals_state state)
{
    switch (state) {
    case VITALS_HEALTHY:
        return OUTPUT_GOOD;
    case VITALS_UNHEALTHY:
        return OUTPUT_BAD;
    case VITALS_DEGRADED:
    case VITALS_UNKNOWN:
        break;
    }
    return OUTPUT_DOUBTFUL;
}
