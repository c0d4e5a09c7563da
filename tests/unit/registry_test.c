/* curl/registry: what gusset remembers of an address, also where a program holds thousands of handles at
 * once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "curl/registry.h"

enum { MANY = 20000 };

static struct registry registry = REGISTRY_INIT(registry);
static char places[MANY][16]; /* addresses as malloc gives them: 16 bytes apart */
static int records[MANY];

static void an_unknown_address_has_no_record(void **state)
{
    (void)state;

    assert_null(registry_find(&registry, places[0]));
    registry_remove(&registry, places[0]);
}

static void thousands_at_once_are_each_found(void **state)
{
    (void)state;

    for (int i = 0; i < MANY; i++)
        assert_true(registry_put(&registry, places[i], &records[i]));
    assert_non_null(registry.table.next);
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(registry_find(&registry, places[i]), &records[i]);
    for (int i = 0; i < MANY; i += 2)
        registry_remove(&registry, places[i]);
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(registry_find(&registry, places[i]), i % 2 ? &records[i] : NULL);
    for (int i = 1; i < MANY; i += 2)
        registry_remove(&registry, places[i]);
}

static unsigned tables(void)
{
    unsigned count = 0;

    for (struct registry_table *table = &registry.table; table; table = table->next)
        count++;
    return count;
}

static void addresses_that_are_born_again_cost_no_memory(void **state)
{
    (void)state;
    unsigned before = tables();

    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < MANY; i++)
            assert_true(registry_put(&registry, places[i], &records[MANY - 1 - i]));
        for (int i = 0; i < MANY; i++) {
            assert_ptr_equal(registry_find(&registry, places[i]), &records[MANY - 1 - i]);
            registry_remove(&registry, places[i]);
        }
    }
    assert_int_equal(tables(), before);
}

enum { THREADS = 4, ROUNDS = 30, EACH = MANY / THREADS };

/* Returns its argument when every address of its own always had its own record. */
static void *live(void *argument)
{
    int first = (int)(intptr_t)argument * EACH;

    for (int round = 0; round < ROUNDS; round++) {
        for (int i = first; i < first + EACH; i++)
            if (!registry_put(&registry, places[i], &records[i]))
                return NULL;
        for (int i = first; i < first + EACH; i++) {
            if (registry_find(&registry, places[i]) != &records[i])
                return NULL;
            registry_remove(&registry, places[i]);
            if (registry_find(&registry, places[i]))
                return NULL;
        }
    }
    return &records[first];
}

static void threads_do_not_see_each_others(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    void *result;

    for (intptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, live, (void *)i), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_non_null(result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_address_has_no_record),
        cmocka_unit_test(thousands_at_once_are_each_found),
        cmocka_unit_test(addresses_that_are_born_again_cost_no_memory),
        cmocka_unit_test(threads_do_not_see_each_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
