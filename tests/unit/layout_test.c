/* The offsets that other processes, perhaps of another build, rely on: change one and raise LAYOUT_VERSION.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "state/layout.h"

static void the_header_lies_where_version_3_has_it(void **state)
{
    (void)state;
    assert_int_equal(LAYOUT_VERSION, 3);
    assert_int_equal(sizeof LAYOUT_MAGIC - 1, 8);
    assert_int_equal(sizeof(struct layout_header), 4096);
    assert_int_equal(offsetof(struct layout_header, magic), 0);
    assert_int_equal(offsetof(struct layout_header, version), 8);
    assert_int_equal(offsetof(struct layout_header, hosts), 12);
    assert_int_equal(offsetof(struct layout_header, created_unix_ms), 16);
    assert_int_equal(offsetof(struct layout_header, boot_id), 24);
    assert_int_equal(offsetof(struct layout_header, control), 64);
    assert_int_equal(offsetof(struct layout_header, event_next), 128);
    assert_int_equal(offsetof(struct layout_header, unprotected), 192);
    assert_int_equal(offsetof(struct layout_header, host_modes), 704);
    assert_int_equal(offsetof(struct layout_header, spaces), 1216);
    assert_int_equal(offsetof(struct layout_header, suspect), 1728);
    assert_int_equal(offsetof(struct layout_header, troubled), 1736);
}

static void a_host_lies_where_version_3_has_it(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct layout_host), 1280);
    assert_int_equal(offsetof(struct layout_host, key), 0);
    assert_int_equal(offsetof(struct layout_host, circuit), 8);
    assert_int_equal(offsetof(struct layout_host, limit), 16);
    assert_int_equal(offsetof(struct layout_host, used_ms), 24);
    assert_int_equal(offsetof(struct layout_host, patience_ms), 32);
    assert_int_equal(offsetof(struct layout_host, calm), 40);
    assert_int_equal(offsetof(struct layout_host, elsewhere), 48);
    assert_int_equal(offsetof(struct layout_host, outcomes), 64);
    assert_int_equal(offsetof(struct layout_host, budget), 144);
    assert_int_equal(offsetof(struct layout_host, slow), 224);
    assert_int_equal(offsetof(struct layout_host, counters), 304);
    assert_int_equal(offsetof(struct layout_host, latency), 560);
    assert_int_equal(offsetof(struct layout_host, host), 944);
    assert_int_equal(offsetof(struct layout_host, policy), 1104);
    assert_int_equal(offsetof(struct layout_host, errors), 1168);
    assert_int_equal(offsetof(struct layout_host, tail), 1232);
}

static void an_event_lies_where_version_3_has_it(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct layout_event), 128);
    assert_int_equal(offsetof(struct layout_event, number), 0);
    assert_int_equal(offsetof(struct layout_event, unix_ms), 8);
    assert_int_equal(offsetof(struct layout_event, key), 16);
    assert_int_equal(offsetof(struct layout_event, pid), 24);
    assert_int_equal(offsetof(struct layout_event, detail), 28);
    assert_int_equal(offsetof(struct layout_event, kind), 32);
    assert_int_equal(offsetof(struct layout_event, outcome), 33);
    assert_int_equal(offsetof(struct layout_event, attempt), 34);
    assert_int_equal(offsetof(struct layout_event, status), 36);
    assert_int_equal(offsetof(struct layout_event, shadow), 38);
    assert_int_equal(offsetof(struct layout_event, host), 40);
}

static void the_counters_keep_their_order(void **state)
{
    (void)state;
    static const char *const names[] = {
#define X(name) #name,
        LAYOUT_COUNTERS(X)
#undef X
    };
    static const char *const expected[] = {
        "calls",           "attempts",  "retries",  "failures",  "rescued",      "failed",      "rejected",
        "limited",         "exhausted", "unfunded", "opened",    "would_reject", "would_retry", "nested",
        "crowded",         "offline",   "waited",   "fallback",  "stale",        "resumed",     "faults",
        "would_fall_back", "late",      "hedged",   "hedge_won", "would_hedge"};
    assert_int_equal(LAYOUT_COUNTERS_USED, sizeof expected / sizeof expected[0]);
    for (unsigned i = 0; i < LAYOUT_COUNTERS_USED; i++)
        assert_string_equal(names[i], expected[i]);
}

static void sizes_are_powers_of_two(void **state)
{
    (void)state;
    assert_int_equal(LAYOUT_EVENTS & (LAYOUT_EVENTS - 1), 0);
    assert_int_equal(LAYOUT_HOSTS_MIN & (LAYOUT_HOSTS_MIN - 1), 0);
    assert_int_equal(LAYOUT_HOSTS_MAX & (LAYOUT_HOSTS_MAX - 1), 0);
    assert_int_equal(LAYOUT_HOSTS_DEFAULT & (LAYOUT_HOSTS_DEFAULT - 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_lies_where_version_3_has_it),
        cmocka_unit_test(a_host_lies_where_version_3_has_it),
        cmocka_unit_test(an_event_lies_where_version_3_has_it),
        cmocka_unit_test(the_counters_keep_their_order),
        cmocka_unit_test(sizes_are_powers_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
