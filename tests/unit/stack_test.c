/* How much of a thread's stack is left. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sys/stack.h"

enum { KIB = 1024, STACK = 256 * KIB };

static void *ask(void *room)
{
    *(bool *)room = stack_has_room(*(size_t *)room);
    return NULL;
}

static bool has_room_in_a_thread(size_t bytes)
{
    union {
        size_t asked;
        bool answer;
    } room = {bytes};
    pthread_attr_t small;
    pthread_t thread;

    assert_int_equal(pthread_attr_init(&small), 0);
    assert_int_equal(pthread_attr_setstacksize(&small, STACK), 0);
    assert_int_equal(pthread_create(&thread, &small, ask, &room), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&small);
    return room.answer;
}

static void a_thread_has_no_more_room_than_its_stack(void **state)
{
    (void)state;
    assert_true(has_room_in_a_thread(16 * KIB));
    assert_true(has_room_in_a_thread(STACK - 128 * KIB));
    assert_false(has_room_in_a_thread(STACK + 4 * KIB));
    assert_false(has_room_in_a_thread((size_t)1 << 30));
}

static void the_first_threads_stack_grows(void **state)
{
    (void)state;
    assert_true(stack_has_room(64 * KIB));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_has_no_more_room_than_its_stack),
        cmocka_unit_test(the_first_threads_stack_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
