#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dice.h"
#include "report/events.h"
#include "state_fixture.h"
#include "sys/clock.h"

/* An event all of whose fields follow from one number, so that a torn one shows. */
static struct events_entry event_of(uint32_t number)
{
    struct events_entry entry = {
        .unix_ms = 1700000000000u + number % 7,
        .key = number * 0x9e3779b97f4a7c15u,
        .pid = number,
        .detail = ~number,
        .kind = (enum events_kind)(1 + number % (EVENTS_KINDS - 1)),
        .outcome = (enum outcome_type)(number % OUTCOME_TYPES),
        .attempt = (uint16_t)number,
        .status = (uint16_t)(number * 3),
        .shadow = number % 2 != 0,
    };
    /* Long enough to fill the last words too. */
    for (unsigned i = 0; i + 9 < sizeof entry.host; i += 8)
        snprintf(entry.host + i, 9, "%08x", number);
    return entry;
}

static bool is_whole(const struct events_entry *entry)
{
    struct events_entry expected = event_of(entry->pid);
    return entry->unix_ms == expected.unix_ms && entry->key == expected.key &&
           entry->detail == expected.detail && entry->kind == expected.kind &&
           entry->outcome == expected.outcome && entry->attempt == expected.attempt &&
           entry->status == expected.status && entry->shadow == expected.shadow &&
           strcmp(entry->host, expected.host) == 0;
}

static void put(struct map *map, uint32_t number)
{
    const struct events_entry entry = event_of(number);
    events_put(map, &entry);
}

static void events_come_in_their_order(void **state)
{
    struct map *map = *state;
    struct events_entry entry;
    uint64_t number = 0;
    assert_false(events_next(map, &number, &entry));
    assert_int_equal(events_end(map), 0);
    for (uint32_t i = 0; i < 10; i++)
        put(map, i);
    assert_int_equal(events_end(map), 10);
    for (uint32_t i = 0; i < 10; i++) {
        assert_true(events_next(map, &number, &entry));
        assert_int_equal(entry.number, i);
        assert_int_equal(entry.pid, i);
        assert_true(is_whole(&entry));
        assert_int_equal(number, i + 1);
    }
    assert_false(events_next(map, &number, &entry));
    assert_int_equal(number, 10);
    put(map, 10);
    assert_true(events_next(map, &number, &entry));
    assert_int_equal(entry.number, 10);
}

static void a_reader_that_is_overtaken_sees_a_gap(void **state)
{
    struct map *map = *state;
    struct events_entry entry;
    uint64_t number = 0;
    for (uint32_t i = 0; i < LAYOUT_EVENTS + 100; i++)
        put(map, i);
    assert_true(events_next(map, &number, &entry));
    assert_int_equal(entry.number, 100);
    unsigned count = 1;
    while (events_next(map, &number, &entry)) {
        assert_true(is_whole(&entry));
        count++;
    }
    assert_int_equal(count, LAYOUT_EVENTS);
    number = UINT64_MAX; /* a number of another file */
    assert_false(events_next(map, &number, &entry));
}

static void an_event_that_is_being_written_is_not_seen(void **state)
{
    struct map *map = *state;
    struct events_entry entry;
    uint64_t number = 0;
    put(map, 0);
    put(map, 1);
    const uint64_t whole = map->events[1].number;
    map->events[1].number = (uint64_t)1 << 63 | 1700000000000u;
    assert_true(events_next(map, &number, &entry));
    assert_false(events_next(map, &number, &entry));
    map->events[1].number = whole;
    assert_true(events_next(map, &number, &entry));
    assert_int_equal(entry.number, 1);
}

static void a_slot_that_a_slow_writer_holds_is_left_to_it(void **state)
{
    struct map *map = *state;
    struct events_entry entry;
    uint64_t number = 0;
    const uint64_t claim = (uint64_t)1 << 63 | 1700000000000u;
    map->events[0].number = claim;
    put(map, 0);
    assert_int_equal(map->events[0].number, claim);
    assert_false(events_next(map, &number, &entry));
    put(map, 1);
    assert_true(events_next(map, &number, &entry));
    assert_int_equal(entry.number, 1);
}

static void a_slot_that_a_dead_writer_holds_is_taken_over(void **state)
{
    struct map *map = *state;
    struct events_entry entry;
    uint64_t number = 0;
    map->events[0].number = (uint64_t)1 << 63 | (1700000000000u - 20000);
    map->events[1].number = (uint64_t)1 << 63 | (1700000000000u + 20000); /* the clock was set back */
    put(map, 0);
    put(map, 1);
    assert_true(events_next(map, &number, &entry));
    assert_true(events_next(map, &number, &entry));
    assert_int_equal(entry.number, 1);
}

static void a_long_host_is_cut(void **state)
{
    struct map *map = *state;
    struct events_entry entry = {.kind = EVENTS_RETRY};
    uint64_t number = 0;
    memset(entry.host, 'h', sizeof entry.host);
    events_put(map, &entry);
    assert_true(events_next(map, &number, &entry));
    assert_int_equal(strlen(entry.host), sizeof entry.host - 1);
}

static void kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(events_kind_name(EVENTS_RETRY), "retry");
    assert_string_equal(events_kind_name(EVENTS_RESET), "reset");
    assert_string_equal(events_kind_name(EVENTS_NONE), "none");
    assert_string_equal(events_kind_name(EVENTS_KINDS), "none");
}

static void a_map_that_is_not_open_has_no_events(void **state)
{
    (void)state;
    struct map none = {0};
    struct events_entry entry;
    uint64_t number = 0;
    put(&none, 1);
    assert_false(events_next(&none, &number, &entry));
    assert_int_equal(events_end(&none), 0);
}

static void damage_does_no_harm_and_heals(void **state)
{
    struct map *map = *state;
    uint64_t x = DICE_SEED;
    struct events_entry entry;
    errno = 4711;
    for (unsigned round = 0; round < 20; round++) {
        uint64_t *words = (uint64_t *)(void *)map->header;
        for (size_t i = 0; i < map->size / 8; i++)
            words[i] = dice_next(&x);
        for (unsigned i = 0; i < LAYOUT_EVENTS; i++) /* events that look published */
            map->events[(events_end(map) + i) % LAYOUT_EVENTS].number =
                round % 2 ? events_end(map) - LAYOUT_EVENTS + i + 1 : map->events[i].number;
        uint64_t number = 0;
        while (events_next(map, &number, &entry)) {
            assert_in_range(entry.kind, EVENTS_NONE + 1, EVENTS_KINDS - 1);
            assert_in_range(entry.outcome, 0, OUTCOME_TYPES - 1);
            assert_true(strlen(entry.host) < sizeof entry.host);
        }
        number = events_end(map);
        for (uint32_t i = 0; i < 3 * LAYOUT_EVENTS; i++)
            put(map, i);
        unsigned count = 0;
        for (; events_next(map, &number, &entry); count++)
            assert_true(is_whole(&entry));
        assert_in_range(count, LAYOUT_EVENTS - 1, LAYOUT_EVENTS);
    }
    map->header->event_next = 0; /* behind what the slots hold */
    put(map, 5);
    uint64_t number = 0;
    assert_true(events_next(map, &number, &entry));
    assert_int_equal(entry.number, 0);
    assert_int_equal(errno, 4711);
}

/* ---- many at once ---- */

enum { WRITERS = 4, EACH = 50000 };

static _Atomic bool is_over;

static void *write_many(void *map)
{
    static _Atomic uint32_t serial;
    for (unsigned i = 0; i < EACH; i++)
        put(map, serial++);
    return NULL;
}

static void *read_all(void *map)
{
    uintptr_t torn = 0;
    uint64_t number = 0, last = 0;
    struct events_entry entry;
    for (bool over = false; !over;) {
        over = is_over;
        while (events_next(map, &number, &entry)) {
            torn += !is_whole(&entry) || (last > 0 && entry.number <= last);
            last = entry.number;
        }
    }
    return (void *)torn;
}

static void no_event_is_ever_torn(void **state)
{
    struct map *map = *state;
    pthread_t writers[WRITERS], reader;
    void *torn = NULL;
    is_over = false;
    assert_int_equal(pthread_create(&reader, NULL, read_all, map), 0);
    for (unsigned i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&writers[i], NULL, write_many, map), 0);
    for (unsigned i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    is_over = true;
    pthread_join(reader, &torn);
    assert_null(torn);
    assert_int_equal(events_end(map), WRITERS * EACH);
    uint64_t number = 0;
    struct events_entry entry;
    unsigned count = 0;
    for (; events_next(map, &number, &entry); count++)
        assert_true(is_whole(&entry));
    assert_in_range(count, LAYOUT_EVENTS * 9 / 10, LAYOUT_EVENTS);
}

static void killed_writers_leave_no_torn_event(void **state)
{
    struct map *map = *state;
    struct events_entry entry;
    for (unsigned i = 0; i < 100; i++) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            for (uint32_t number = i << 20;; number++)
                put(map, number);
        usleep(1000 + i * 7);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        for (uint64_t number = 0; events_next(map, &number, &entry);)
            assert_true(is_whole(&entry));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, map_make, map_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(events_come_in_their_order),
        TEST(a_reader_that_is_overtaken_sees_a_gap),
        TEST(an_event_that_is_being_written_is_not_seen),
        TEST(a_slot_that_a_slow_writer_holds_is_left_to_it),
        TEST(a_slot_that_a_dead_writer_holds_is_taken_over),
        TEST(a_long_host_is_cut),
        cmocka_unit_test(kinds_have_names),
        cmocka_unit_test(a_map_that_is_not_open_has_no_events),
        TEST(damage_does_no_harm_and_heals),
        TEST(no_event_is_ever_torn),
        TEST(killed_writers_leave_no_torn_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
