#include "core/variant.h"

/* Shares are counted in 2^-32 of a weight, so that a ramp of a week moves smoothly. */
static const uint64_t one = UINT64_C(1) << 32;

static uint64_t whole_of(const struct variant *variant)
{
    return variant->weight * one;
}

static uint64_t part_of(const struct variant *variant, uint64_t age_ms)
{
    if (age_ms >= variant->ramp_ms)
        return whole_of(variant);
    return variant->weight * (age_ms * one / variant->ramp_ms);
}

static uint32_t at_most(uint32_t count)
{
    return count < VARIANT_MOST ? count : VARIANT_MOST;
}

static uint64_t sum_of(const struct variant *variants, uint32_t count, bool is_steady)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += is_steady && variants[i].ramp_ms ? 0 : variants[i].weight;
    return sum;
}

/* 32 bits of a draw as a point in [0, sum) of weights, in parts of one. */
static uint64_t point_of(uint32_t bits, uint64_t sum)
{
    return bits * sum;
}

static uint32_t deal(const struct variant *variants, uint32_t count, uint32_t bits)
{
    uint64_t point = point_of(bits, sum_of(variants, count, true));

    for (uint32_t i = 0; i < count; i++) {
        if (variants[i].ramp_ms)
            continue;
        if (point < whole_of(&variants[i]))
            return i;
        point -= whole_of(&variants[i]);
    }
    return 0;
}

uint32_t variant_choose(const struct variant *variants, uint32_t count, uint64_t draw, uint64_t age_ms)
{
    count = at_most(count);
    uint64_t point = point_of((uint32_t)(draw >> 32), sum_of(variants, count, false));

    for (uint32_t i = 0; i < count; i++) {
        if (point < part_of(&variants[i], age_ms))
            return i;
        if (point < whole_of(&variants[i]))
            return deal(variants, count, (uint32_t)draw);
        point -= whole_of(&variants[i]);
    }
    return 0;
}

uint32_t variant_share_bp(const struct variant *variants, uint32_t count, uint32_t index, uint64_t age_ms)
{
    count = at_most(count);
    uint64_t sum = sum_of(variants, count, false), steady = sum_of(variants, count, true), missing = 0;

    if (index >= count || !sum)
        return 0;
    if (variants[index].ramp_ms)
        return (uint32_t)((part_of(&variants[index], age_ms) / sum * 10000 + one / 2) / one);
    for (uint32_t i = 0; i < count; i++) /* what the ramped ones do not have yet is dealt among the others */
        missing += whole_of(&variants[i]) - part_of(&variants[i], age_ms);
    uint64_t share = whole_of(&variants[index]);
    if (steady)
        share += missing / steady * variants[index].weight;
    return (uint32_t)((share / sum * 10000 + one / 2) / one);
}

bool variant_is_moving(const struct variant *variants, uint32_t count, uint64_t age_ms)
{
    for (uint32_t i = 0; i < at_most(count); i++)
        if (age_ms < variants[i].ramp_ms)
            return true;
    return false;
}
