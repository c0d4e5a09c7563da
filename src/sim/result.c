#include "sim/result.h"

#include <errno.h>
#include <stdlib.h>

void result_init(struct result *result, uint64_t duration_us)
{
    *result = (struct result){.slice_us = (duration_us + RESULT_SLICES - 1) / RESULT_SLICES};
}

void result_clear(struct result *result)
{
    free(result->waits_us);
    result->waits_us = NULL;
    result->waits = result->room = 0;
}

/* NULL behind the end: calls that are still under way then are counted, but not drawn. */
static struct result_slice *slice_at(struct result *result, uint64_t us)
{
    uint64_t at = us / result->slice_us;
    return at < RESULT_SLICES ? &result->slices[at] : NULL;
}

void result_pass(struct result *result, uint64_t us)
{
    struct result_slice *slice;

    while (result->now_us < us && (slice = slice_at(result, result->now_us))) {
        uint64_t end_us = (result->now_us / result->slice_us + 1) * result->slice_us;
        uint64_t until_us = end_us < us ? end_us : us;
        double share = (double)(until_us - result->now_us) / (double)result->slice_us;
        slice->under_way += share * result->under_way;
        slice->circuit[result->circuit] += share;
        result->now_us = until_us;
    }
    result->now_us = us;
}

void result_attempt(struct result *result, uint64_t us, const struct result_attempt *attempt)
{
    struct result_slice *slice = slice_at(result, us);

    result->attempts++;
    result->hedged += attempt->is_hedge;
    result->troubled_attempts += attempt->is_troubled;
    if (slice) {
        slice->attempts++;
        slice->hedged += attempt->is_hedge;
    }
}

static int keep_wait(struct result *result, uint64_t us)
{
    if (result->waits == result->room) {
        size_t room = result->room ? 2 * result->room : 1024;
        uint64_t *waits = realloc(result->waits_us, room * sizeof *waits);
        if (!waits)
            return -ENOMEM;
        result->waits_us = waits;
        result->room = room;
    }
    result->waits_us[result->waits++] = us;
    return 0;
}

int result_call(struct result *result, uint64_t us, const struct result_call *call)
{
    struct result_slice *slice = slice_at(result, us);

    result->calls++;
    result->good += call->is_good;
    result->refused += call->is_refused;
    result->failed += !call->is_good && !call->is_refused;
    result->rescued += call->is_rescued;
    result->hedge_won += call->is_won;
    if (!call->is_good && us > result->last_bad_us)
        result->last_bad_us = us;
    if (slice) {
        slice->good += call->is_good;
        slice->bad += !call->is_good;
    }
    return call->is_refused ? 0 : keep_wait(result, call->took_us);
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

uint64_t result_wait_us(struct result *result, double share)
{
    if (result->waits == 0)
        return 0;
    qsort(result->waits_us, result->waits, sizeof *result->waits_us, compare);
    return result->waits_us[(size_t)(share * (double)(result->waits - 1) + 0.5)];
}
