#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "core/siphash.h"
#include "core/variant.h"

enum { MEMBERS = 20000, HOUR_MS = 3600000 };

static uint64_t draw_of(uint64_t member)
{
    static const uint64_t key[2] = {1, 2};
    return siphash(key, &member, sizeof member);
}

static unsigned members_of(const struct variant *variants, uint32_t count, uint32_t index, uint64_t age_ms)
{
    unsigned members = 0;
    for (uint64_t i = 0; i < MEMBERS; i++)
        members += variant_choose(variants, count, draw_of(i), age_ms) == index;
    return members;
}

/* Four standard deviations of a share. */
static void assert_share(unsigned members, unsigned percent)
{
    assert_in_range(members, MEMBERS * percent / 100 - 280, MEMBERS * percent / 100 + 280);
}

static void weights_are_shares_of_the_members(void **state)
{
    static const struct variant variants[] = {
        {70, 0, 0},
        {20, 1, 0},
        {10, 2, 0}
    };
    (void)state;
    assert_share(members_of(variants, 3, 0, 0), 70);
    assert_share(members_of(variants, 3, 1, 0), 20);
    assert_share(members_of(variants, 3, 2, 0), 10);
    assert_false(variant_is_moving(variants, 3, 0));
    assert_int_equal(variant_share_bp(variants, 3, 1, 0), 2000);
}

static void a_weight_of_nothing_gets_nobody(void **state)
{
    static const struct variant variants[] = {
        {0, 0, 0},
        {1, 1, 0}
    };
    (void)state;
    assert_int_equal(members_of(variants, 2, 0, 0), 0);
}

static void a_ramp_grows_from_nothing_to_its_weight_and_stays(void **state)
{
    static const struct variant variants[] = {
        {60, 0, 0      },
        {20, 1, 0      },
        {20, 2, HOUR_MS}
    };
    (void)state;
    assert_int_equal(members_of(variants, 3, 2, 0), 0);
    assert_share(members_of(variants, 3, 2, HOUR_MS / 2), 10);
    assert_share(members_of(variants, 3, 2, HOUR_MS), 20);
    assert_share(members_of(variants, 3, 2, UINT64_MAX), 20);
    assert_share(members_of(variants, 3, 0, HOUR_MS), 60);
    assert_share(members_of(variants, 3, 0, 0), 75); /* what is missing is dealt by weight */
    assert_true(variant_is_moving(variants, 3, HOUR_MS - 1));
    assert_false(variant_is_moving(variants, 3, HOUR_MS));
    assert_int_equal(variant_share_bp(variants, 3, 2, HOUR_MS / 2), 1000);
    assert_int_equal(variant_share_bp(variants, 3, 0, 0), 7500);
    assert_int_equal(variant_share_bp(variants, 3, 0, HOUR_MS), 6000);
}

static void members_move_once_and_only_to_what_is_ramped(void **state)
{
    static const struct variant variants[] = {
        {30, 0, 0          },
        {40, 1, HOUR_MS    },
        {10, 2, 0          },
        {20, 3, HOUR_MS / 2}
    };
    unsigned moved = 0;
    (void)state;
    for (uint64_t i = 0; i < 2000; i++) {
        uint32_t before = variant_choose(variants, 4, draw_of(i), 0);
        for (uint64_t age_ms = 0; age_ms <= HOUR_MS; age_ms += HOUR_MS / 50) {
            uint32_t now = variant_choose(variants, 4, draw_of(i), age_ms);
            if (now == before)
                continue;
            assert_int_equal(variants[before].ramp_ms, 0);
            assert_int_not_equal(variants[now].ramp_ms, 0);
            before = now;
            moved++;
        }
    }
    assert_in_range(moved, 1100, 1300); /* 60 % */
}

static void large_weights_and_long_ramps_do_not_overflow(void **state)
{
    enum { WEEK_MS = 7 * 24 * HOUR_MS };
    struct variant variants[VARIANT_MOST];
    (void)state;
    for (unsigned i = 0; i < VARIANT_MOST; i++)
        variants[i] = (struct variant){VARIANT_WEIGHT_MOST, i, i % 2 ? WEEK_MS : 0};
    assert_in_range(members_of(variants, VARIANT_MOST, 1, WEEK_MS / 2), MEMBERS / 64 - 80, MEMBERS / 64 + 80);
    assert_int_equal(variant_share_bp(variants, VARIANT_MOST, 1, WEEK_MS / 2), 156);
    assert_int_equal(variant_share_bp(variants, VARIANT_MOST, 0, WEEK_MS / 2), 469);
    assert_int_equal(variant_choose(variants, VARIANT_MOST, UINT64_MAX, WEEK_MS), VARIANT_MOST - 1);
}

static void damage_chooses_something_that_exists(void **state)
{
    static const struct variant nothing[] = {
        {0, 0, 0},
        {0, 1, 5}
    };
    struct variant damaged[3];
    (void)state;
    assert_int_equal(variant_choose(nothing, 2, UINT64_MAX, 3), 0);
    assert_int_equal(variant_share_bp(nothing, 2, 0, 3), 0);
    for (uint64_t i = 0; i < 3000; i++) {
        uint64_t words[5] = {draw_of(i), draw_of(i + 1), draw_of(i + 2), draw_of(i + 3), draw_of(i + 4)};
        __builtin_memcpy(damaged, words, sizeof damaged);
        assert_in_range(variant_choose(damaged, 3, draw_of(i), words[0] >> 30), 0, 2);
        variant_share_bp(damaged, 3, 1, words[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_shares_of_the_members),
        cmocka_unit_test(a_weight_of_nothing_gets_nobody),
        cmocka_unit_test(a_ramp_grows_from_nothing_to_its_weight_and_stays),
        cmocka_unit_test(members_move_once_and_only_to_what_is_ramped),
        cmocka_unit_test(large_weights_and_long_ramps_do_not_overflow),
        cmocka_unit_test(damage_chooses_something_that_exists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
