/* core/owner: a holder in one word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/owner.h"

static void a_word_says_what_was_packed(void **state)
{
    struct owner owner = {.pid = (1 << 22) - 1, .started = 4095, .image = 63, .space = 62, .until_s = 262143},
                 small = {.pid = 1};
    (void)state;

    struct owner back = owner_unpack(owner_pack(&owner));
    assert_memory_equal(&back, &owner, sizeof owner);
    assert_true(owner_pack(&small) != 0);
    back = owner_unpack(owner_pack(&small));
    assert_memory_equal(&back, &small, sizeof small);
}

static void a_process_that_began_at_another_time_or_has_become_another_program_is_another(void **state)
{
    const uint64_t started = 7000000, stack = 0x7ffd12345670;
    struct owner owner = {.pid = 1, .started = started & 4095, .image = owner_image(stack)},
                 unknown = {.pid = 1};
    unsigned told = 0;
    (void)state;

    assert_false(owner_is_another(&owner, started, stack));
    assert_true(owner_is_another(&owner, started + 1, stack));
    for (uint64_t i = 1; i <= 1000; i++) /* the kernel shifts a stack by a multiple of sixteen bytes */
        told += owner_is_another(&owner, started, stack + 16 * i);
    assert_true(told > 950);
    assert_false(owner_is_another(&owner, 0, 0)); /* what is not known tells nothing */
    assert_false(owner_is_another(&unknown, started, stack));
}

static void a_lease_ends_when_its_time_is_over_also_where_the_clock_comes_round(void **state)
{
    (void)state;
    for (uint64_t now_s = 262100; now_s < 262200; now_s++) {
        struct owner owner = {.pid = 1, .until_s = owner_until_s(now_s, 60)};
        assert_false(owner_is_expired(&owner, now_s));
        assert_false(owner_is_expired(&owner, now_s + 60));
        assert_true(owner_is_expired(&owner, now_s + 61));
        assert_true(owner_is_expired(&owner, now_s + 100000));
    }
}

static void no_lease_is_longer_than_a_word_can_say(void **state)
{
    struct owner owner = {.pid = 1, .until_s = owner_until_s(1000, UINT64_MAX)};
    (void)state;
    assert_false(owner_is_expired(&owner, 1000));
    assert_true(owner_is_expired(&owner, 1000 + OWNER_LEASE_MOST_S));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_says_what_was_packed),
        cmocka_unit_test(a_process_that_began_at_another_time_or_has_become_another_program_is_another),
        cmocka_unit_test(a_lease_ends_when_its_time_is_over_also_where_the_clock_comes_round),
        cmocka_unit_test(no_lease_is_longer_than_a_word_can_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
