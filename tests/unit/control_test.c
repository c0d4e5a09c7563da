/* What an operator tells running programs: the switch, a host's own, and that something has changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "state/control.h"

static struct layout_header header;

static int forget(void **state)
{
    (void)state;
    memset(&header, 0, sizeof header);
    return 0;
}

static unsigned of(const char *host)
{
    return control_host_switch(&header, host, strlen(host));
}

static bool set(const char *host, unsigned to)
{
    return control_set_host(&header, host, strlen(host), to);
}

static void the_switch_and_the_count_of_changes_do_not_touch_each_other(void **state)
{
    (void)state;
    control_change(&header);
    control_set_switch(&header, 3);
    control_change(&header);
    assert_int_equal(control_switch(control_word(&header)), 3);
    assert_int_equal(control_changes(control_word(&header)), 2);
    control_set_switch(&header, 1);
    assert_int_equal(control_switch(control_word(&header)), 1);
    assert_int_equal(control_changes(control_word(&header)), 2);
}

static void a_host_has_its_own_switch_or_that_of_its_name(void **state)
{
    (void)state;
    assert_int_equal(of("a.example:443"), 0);
    assert_true(set("a.example", 3));
    assert_true(set("a.example:80", 1));
    assert_int_equal(of("a.example:443"), 3);
    assert_int_equal(of("a.example:80"), 1);
    assert_int_equal(of("b.example:80"), 0);
    assert_int_equal(of("[::1]:80"), 0);
}

static void it_is_changed_and_taken_back(void **state)
{
    (void)state;
    assert_true(set("a.example:80", 1));
    assert_true(set("a.example:80", 2));
    assert_int_equal(of("a.example:80"), 2);
    assert_true(set("a.example:80", 0));
    assert_int_equal(of("a.example:80"), 0);
    assert_true(set("never.example", 0)); /* nothing to take back is no fault */
}

static void each_change_shows_in_the_word(void **state)
{
    (void)state;
    uint64_t before = control_word(&header);
    set("a.example:80", 1);
    uint64_t after = control_word(&header);
    assert_true(before != after);
    set("a.example:80", 0);
    assert_true(control_word(&header) != after);
}

static void there_is_room_for_so_many_and_no_more(void **state)
{
    (void)state;
    char host[32];
    for (int i = 0; i < LAYOUT_HOST_MODES; i++) {
        snprintf(host, sizeof host, "h%d:1", i);
        assert_true(set(host, 3));
    }
    assert_false(set("late:1", 3));
    assert_true(set("h5:1", 0));
    assert_true(set("late:1", 3));
    assert_int_equal(of("late:1"), 3);
}

static void hosts_with_one_are_counted_and_all_taken_back(void **state)
{
    (void)state;
    assert_int_equal(control_hosts(&header), 0);
    set("a.example", 3);
    set("a.example", 2);
    set("b.example:80", 1);
    control_set_switch(&header, 2);
    assert_int_equal(control_hosts(&header), 2);
    uint64_t before = control_word(&header);
    control_forget_hosts(&header);
    assert_int_equal(control_hosts(&header), 0);
    assert_int_equal(of("a.example:1"), 0);
    assert_int_equal(control_switch(control_word(&header)), 2);
    assert_true(control_word(&header) != before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_switch_and_the_count_of_changes_do_not_touch_each_other, forget),
        cmocka_unit_test_setup(a_host_has_its_own_switch_or_that_of_its_name, forget),
        cmocka_unit_test_setup(it_is_changed_and_taken_back, forget),
        cmocka_unit_test_setup(each_change_shows_in_the_word, forget),
        cmocka_unit_test_setup(there_is_room_for_so_many_and_no_more, forget),
        cmocka_unit_test_setup(hosts_with_one_are_counted_and_all_taken_back, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
