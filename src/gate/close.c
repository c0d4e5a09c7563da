/* The call is over. */
#include "gate/bulkhead.h"
#include "gate/circuit.h"
#include "gate/gate.h"
#include "gate/note.h"
#include "gate/repeat.h"
#include "sys/clock.h"

/*
 * The program has got nothing of use: what counts against the host, but also what does not, such as a name
 * that is not found. A reply that breaker.on does not mean is one.
 */
static bool has_failed(const struct gate_call *call)
{
    switch ((enum outcome_type)call->outcome.type) {
    case OUTCOME_CIRCUIT_OPEN:
    case OUTCOME_LIMITED:
        return true;
    case OUTCOME_DNS:
    case OUTCOME_CONNECT:
    case OUTCOME_TLS:
    case OUTCOME_TIMEOUT:
    case OUTCOME_RESET:
        return call->attempt_ended;
    case OUTCOME_SUCCESS:
    case OUTCOME_RATE_LIMIT:
    case OUTCOME_AUTHENTICATION:
    case OUTCOME_PERMISSION_DENIED:
    case OUTCOME_NOT_FOUND:
    case OUTCOME_BAD_REQUEST:
    case OUTCOME_SERVER_ERROR:
    case OUTCOME_ABORTED:
    case OUTCOME_LOCAL:
    case OUTCOME_UNKNOWN:
    case OUTCOME_TYPES:
        break;
    }
    return call->failed;
}

void gate_close(struct gate_call *call)
{
    uint64_t took_us = (call->over_us ? call->over_us : clock_now_us()) - call->opened_us;

    if (call->place)
        bulkhead_leave(call);
    if (call->over_us && call->attempt == 1) { /* the way of nearly every call */
        note_latency(call, took_us);
        call->is_routine = repeat_may_follow(call);
        return;
    }
    call->is_routine = false;
    if (!call->attempt_ended)
        circuit_withdraw(call);
    if (call->attempt_ended && call->attempt > 1 && call->outcome.type == OUTCOME_SUCCESS) {
        note_count(call, LAYOUT_COUNT_rescued);
        note_event(call, EVENTS_RESCUED, (uint32_t)(took_us / 1000));
    } else if (has_failed(call)) {
        note_count(call, LAYOUT_COUNT_failed);
    }
    note_latency(call, took_us);
}

void gate_leave(struct gate_call *call)
{
    gate_close(call);
    gate_forget(call);
}

void gate_give_up(struct gate_call *call)
{
    if (call->place)
        bulkhead_leave(call);
}
