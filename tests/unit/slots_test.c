#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dice.h"
#include "state/slots.h"
#include "state_fixture.h"
#include "sys/clock.h"

enum { BUCKET = 8, NAMES = 512 };

static struct layout_host *take(struct map *map, const char *host, uint64_t now_ms)
{
    return slots_take(map, host, strlen(host), "standard", 8, now_ms);
}

static struct layout_host *find(struct map *map, const char *host)
{
    return slots_find(map, host, strlen(host), "standard", 8);
}

static uint64_t key_of(const char *host)
{
    return slots_key(host, strlen(host), "standard", 8);
}

static unsigned bucket_of(const struct map *map, const struct layout_host *slot)
{
    return (unsigned)(slot - map->hosts) / BUCKET;
}

static void name_of(char name[32], unsigned number)
{
    snprintf(name, 32, "host-%u.example:443", number);
}

/* Writes count different names that share a bucket. */
static void neighbours(struct map *map, char names[][32], unsigned count)
{
    unsigned bucket = 0, made = 0;
    for (unsigned number = 0; made < count; number++) {
        name_of(names[made], number);
        const unsigned its = bucket_of(map, take(map, names[made], 1));
        if (made == 0)
            bucket = its;
        made += its == bucket;
    }
    memset(map->hosts, 0, map->host_count * sizeof *map->hosts);
}

/* ---- keys ---- */

static void keys_are_even_and_never_zero(void **state)
{
    (void)state;
    uint64_t x = DICE_SEED;
    char bytes[64];
    for (unsigned i = 0; i < 100000; i++) {
        for (unsigned n = 0; n < sizeof bytes; n += 8)
            memcpy(bytes + n, &(uint64_t){dice_next(&x)}, 8);
        const uint64_t key = slots_key(bytes, i % 40, bytes + 40, i % 24);
        assert_true(key != 0 && key % 2 == 0);
    }
    assert_true(slots_key("", 0, "", 0) != 0);
}

static void keys_tell_where_the_host_ends_and_the_policy_begins(void **state)
{
    (void)state;
    assert_true(slots_key("ab", 2, "c", 1) != slots_key("a", 1, "bc", 2));
    assert_true(slots_key("abc", 3, "", 0) != slots_key("", 0, "abc", 3));
    assert_true(slots_key("a", 1, "", 0) != slots_key("a\0", 2, "", 0));
    assert_true(slots_key("a:1", 3, "x", 1) != slots_key("a:1", 3, "y", 1));
}

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void similar_names_have_different_keys_and_spread(void **state)
{
    (void)state;
    enum { COUNT = 100000, BUCKETS = 64 };
    static uint64_t keys[COUNT];
    unsigned used[BUCKETS] = {0};
    for (unsigned i = 0; i < COUNT; i++) {
        char name[32];
        name_of(name, i);
        keys[i] = key_of(name);
        used[keys[i] >> 1 & (BUCKETS - 1)]++;
    }
    qsort(keys, COUNT, sizeof keys[0], compare);
    for (unsigned i = 1; i < COUNT; i++)
        assert_true(keys[i] != keys[i - 1]);
    for (unsigned i = 0; i < BUCKETS; i++)
        assert_in_range(used[i], COUNT / BUCKETS * 9 / 10, COUNT / BUCKETS * 11 / 10);
}

/* ---- one process ---- */

static void a_host_taken_is_found_again(void **state)
{
    struct map *map = *state;
    assert_null(find(map, "api.example.com:443"));
    struct layout_host *slot = take(map, "api.example.com:443", 5000);
    assert_non_null(slot);
    assert_string_equal(slot->host, "api.example.com:443");
    assert_string_equal(slot->policy, "standard");
    assert_int_equal(slot->used_ms, 5000);
    assert_true(slots_is_still(slot, key_of("api.example.com:443")));
    assert_false(slots_is_still(slot, key_of("api.example.com:80")));
    assert_ptr_equal(take(map, "api.example.com:443", 5001), slot);
    assert_ptr_equal(find(map, "api.example.com:443"), slot);
    assert_ptr_equal(slots_at(map, (uint32_t)(slot - map->hosts)), slot);
}

static void a_policy_of_its_own_is_a_slot_of_its_own(void **state)
{
    struct map *map = *state;
    struct layout_host *one = slots_take(map, "a:1", 3, "standard", 8, 1);
    struct layout_host *other = slots_take(map, "a:1", 3, "quick/tenant-7", 14, 1);
    assert_ptr_not_equal(one, other);
    assert_string_equal(other->policy, "quick/tenant-7");
    assert_non_null(slots_take(map, "a:1", 3, "", 0, 1));
}

static void another_mapping_finds_it_too(void **state)
{
    struct map *map = *state;
    struct map other;
    assert_int_equal(map_open(&other, path, 0, false, MAP_EXISTING), 0);
    take(map, "db:5432", 1)->circuit = 77;
    assert_int_equal(find(&other, "db:5432")->circuit, 77);
    map_close(&other);
}

static void a_use_is_written_once_a_second_only(void **state)
{
    struct map *map = *state;
    struct layout_host *slot = take(map, "a:1", 10000);
    take(map, "a:1", 10999);
    assert_int_equal(slot->used_ms, 10000);
    take(map, "a:1", 11000);
    assert_int_equal(slot->used_ms, 11000);
    slot->used_ms = UINT64_MAX / 2; /* damage */
    take(map, "a:1", 12000);
    assert_int_equal(slot->used_ms, 12000);
}

static void a_full_bucket_gives_up_what_was_unused_for_longest(void **state)
{
    struct map *map = *state;
    char names[BUCKET + 2][32];
    neighbours(map, names, BUCKET + 2);
    for (unsigned i = 0; i < BUCKET; i++)
        take(map, names[i], 100000 + 5000 * i)->counters[0] = 9;
    take(map, names[0], 200000);
    struct layout_host *slot = take(map, names[BUCKET], 200001);
    assert_null(find(map, names[1]));
    assert_string_equal(slot->host, names[BUCKET]);
    assert_int_equal(slot->counters[0], 0);
    for (unsigned i = 2; i < BUCKET; i++)
        assert_non_null(find(map, names[i]));
    find(map, names[4])->used_ms = (uint64_t)1 << 60; /* a use in the future is damage */
    take(map, names[BUCKET + 1], 200002);
    assert_null(find(map, names[4]));
    assert_non_null(find(map, names[2]));
}

static void a_use_a_moment_ahead_is_no_damage(void **state)
{
    struct map *map = *state;
    char names[BUCKET + 1][32];
    neighbours(map, names, BUCKET + 1);
    for (unsigned i = 0; i < BUCKET; i++)
        take(map, names[i], i == 3 ? 100005 : 90000 + i);
    take(map, names[BUCKET], 100000); /* read the clock before the other did */
    assert_non_null(find(map, names[3]));
    assert_null(find(map, names[0]));
}

static void a_slot_in_new_hands_begins_at_zero(void **state)
{
    struct map *map = *state;
    memset(map->hosts, 0xfe, map->host_count * sizeof *map->hosts);
    struct layout_host *slot = take(map, "a:1", 7);
    struct layout_host expected = {.key = key_of("a:1"), .used_ms = 7, .host = "a:1", .policy = "standard"};
    assert_memory_equal(slot, &expected, sizeof expected);
}

static void a_claim_of_this_second_is_respected(void **state)
{
    struct map *map = *state;
    for (unsigned i = 0; i < map->host_count; i++)
        map->hosts[i].key = clock_unix_ms() << 1 | 1;
    assert_null(take(map, "a:1", 1));
    assert_null(find(map, "a:1"));
    assert_null(slots_at(map, 0));
}

static void a_claim_of_a_dead_process_is_taken_over(void **state)
{
    struct map *map = *state;
    const uint64_t now = clock_unix_ms();
    for (unsigned i = 0; i < map->host_count; i++)
        map->hosts[i].key = (i % 2 ? now - 1500 : now + 100000) << 1 | 1; /* a clock set back, too */
    struct layout_host *slot = take(map, "a:1", 1);
    assert_non_null(slot);
    assert_string_equal(slot->host, "a:1");
}

static void a_free_slot_is_preferred_to_an_abandoned_one_and_that_to_a_host(void **state)
{
    struct map *map = *state;
    char names[BUCKET + 2][32];
    neighbours(map, names, BUCKET + 2);
    for (unsigned i = 0; i < BUCKET; i++)
        take(map, names[i], 1000 + i);
    struct layout_host *freed = find(map, names[6]), *abandoned = find(map, names[3]);
    freed->key = 0;
    abandoned->key = 1;
    assert_ptr_equal(take(map, names[BUCKET], 2000), freed);
    assert_ptr_equal(take(map, names[BUCKET + 1], 2000), abandoned);
    assert_non_null(find(map, names[0]));
}

static void long_names_are_cut_but_found(void **state)
{
    struct map *map = *state;
    char host[300], policy[100];
    memset(host, 'h', sizeof host);
    memset(policy, 'p', sizeof policy);
    struct layout_host *slot = slots_take(map, host, sizeof host, policy, sizeof policy, 1);
    assert_int_equal(strlen(slot->host), LAYOUT_HOST_TEXT - 1);
    assert_int_equal(strlen(slot->policy), LAYOUT_POLICY_TEXT - 1);
    assert_ptr_equal(slots_find(map, host, sizeof host, policy, sizeof policy), slot);
    assert_ptr_equal(slots_at(map, (uint32_t)(slot - map->hosts)), slot);
    struct layout_host *other = slots_take(map, host, sizeof host - 1, policy, sizeof policy, 1);
    assert_ptr_not_equal(other, slot);
}

static void a_slot_whose_text_is_not_whole_is_not_listed(void **state)
{
    struct map *map = *state;
    struct layout_host *slot = take(map, "api.example.com:443", 1);
    const uint32_t index = (uint32_t)(slot - map->hosts);
    assert_ptr_equal(slots_at(map, index), slot);
    slot->host[2] = 'x';
    assert_null(slots_at(map, index));
    memset(slot->host, 'x', sizeof slot->host);
    assert_null(slots_at(map, index));
    memset(slot->host, 0, sizeof slot->host);
    assert_null(slots_at(map, index));
    assert_null(slots_at(map, map->host_count));
    assert_null(slots_at(map, UINT32_MAX));
}

static void a_map_that_is_not_open_has_no_slots(void **state)
{
    (void)state;
    struct map none = {0};
    assert_null(take(&none, "a:1", 1));
    assert_null(find(&none, "a:1"));
    assert_null(slots_at(&none, 0));
}

static void errno_is_kept(void **state)
{
    struct map *map = *state;
    errno = 4711;
    take(map, "a:1", 1);
    find(map, "b:1");
    slots_at(map, 0);
    assert_int_equal(errno, 4711);
}

/* ---- damage ---- */

static void use_everything(struct map *map, uint64_t now_ms)
{
    char name[32];
    for (unsigned i = 0; i < NAMES; i++) {
        name_of(name, i);
        struct layout_host *slot = take(map, name, now_ms);
        assert_non_null(slot);
        assert_true(slot >= map->hosts && slot < map->hosts + map->host_count);
        assert_string_equal(slot->host, name);
        assert_ptr_equal(find(map, name), slot);
        assert_ptr_equal(slots_at(map, (uint32_t)(slot - map->hosts)), slot);
    }
    for (uint32_t i = 0; i < map->host_count; i++)
        slots_at(map, i);
}

static void random_bytes_over_the_whole_file_do_no_harm(void **state)
{
    struct map *map = *state;
    uint64_t x = DICE_SEED;
    for (unsigned round = 0; round < 50; round++) {
        uint64_t *words = (uint64_t *)(void *)map->header;
        for (size_t i = 0; i < map->size / 8; i++)
            words[i] = dice_next(&x);
        for (uint32_t i = 0; i < map->host_count; i++)
            slots_at(map, i);
        use_everything(map, clock_now_us() / 1000);
    }
}

/* ---- many at once ---- */

enum { THREADS = 4 };

static void *take_at_random(void *argument)
{
    struct map *map = argument;
    char name[32];
    uint64_t x = clock_now_us() * 2654435761u ^ (uintptr_t)&x;
    for (unsigned i = 0; i < 20000; i++) {
        name_of(name, (unsigned)(dice_next(&x) >> 33) % 40);
        struct layout_host *slot = take(map, name, clock_now_us() / 1000);
        if (slot)
            atomic_fetch_add(&slot->counters[0], 1);
        slots_at(map, i % map->host_count);
        if (i % 64 == 0) /* make room for new meetings */
            atomic_store(&map->hosts[(x >> 20) % map->host_count].key, 0);
    }
    return NULL;
}

static void threads_that_meet_the_same_hosts_share_their_slots(void **state)
{
    struct map *map = *state;
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_at_random, map), 0);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (uint32_t i = 0; i < map->host_count; i++)
        for (uint32_t j = 0; j < i; j++)
            assert_true(map->hosts[i].key == 0 || map->hosts[i].key != map->hosts[j].key);
}

enum { WORKERS = 8, KILLS = 400 };

static void work_for_ever(struct map *map, uint64_t seed)
{
    char name[32];
    for (uint64_t x = seed;;) {
        name_of(name, (unsigned)(dice_next(&x) >> 33) % NAMES);
        struct layout_host *slot = take(map, name, clock_now_us() / 1000);
        if (slot)
            atomic_fetch_add(&slot->counters[0], 1);
    }
}

static pid_t worker(struct map *map, uint64_t seed)
{
    const pid_t child = fork();
    if (child == 0)
        work_for_ever(map, seed);
    return child;
}

static void killed_processes_leave_slots_that_can_be_used(void **state)
{
    struct map *map = *state; /* 64 slots for 512 names: filling all the time */
    pid_t children[WORKERS];
    uint64_t x = clock_now_us() | 1;
    unsigned abandoned = 0;
    for (unsigned i = 0; i < WORKERS; i++)
        children[i] = worker(map, dice_next(&x));
    for (unsigned i = 0; i < KILLS; i++) {
        const unsigned victim = (unsigned)(dice_next(&x) >> 33) % WORKERS;
        usleep((useconds_t)(dice_next(&x) % 3000));
        assert_int_equal(kill(children[victim], SIGKILL), 0);
        assert_int_equal(waitpid(children[victim], NULL, 0), children[victim]);
        children[victim] = worker(map, dice_next(&x));
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    for (uint32_t i = 0; i < map->host_count; i++) {
        const uint64_t key = map->hosts[i].key;
        abandoned += key & 1;
        assert_true(key == 0 || (key & 1) || slots_at(map, i));
    }
    print_message("%u of %u slots were left half filled\n", abandoned, map->host_count);
    usleep(1100000); /* claims run out */
    use_everything(map, clock_now_us() / 1000);
    for (uint32_t i = 0; i < map->host_count; i++)
        assert_true(map->hosts[i].key % 2 == 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, map_make, map_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_even_and_never_zero),
        cmocka_unit_test(keys_tell_where_the_host_ends_and_the_policy_begins),
        cmocka_unit_test(similar_names_have_different_keys_and_spread),
        TEST(a_host_taken_is_found_again),
        TEST(a_policy_of_its_own_is_a_slot_of_its_own),
        TEST(another_mapping_finds_it_too),
        TEST(a_use_is_written_once_a_second_only),
        TEST(a_full_bucket_gives_up_what_was_unused_for_longest),
        TEST(a_use_a_moment_ahead_is_no_damage),
        TEST(a_slot_in_new_hands_begins_at_zero),
        TEST(a_claim_of_this_second_is_respected),
        TEST(a_claim_of_a_dead_process_is_taken_over),
        TEST(a_free_slot_is_preferred_to_an_abandoned_one_and_that_to_a_host),
        TEST(long_names_are_cut_but_found),
        TEST(a_slot_whose_text_is_not_whole_is_not_listed),
        cmocka_unit_test(a_map_that_is_not_open_has_no_slots),
        TEST(errno_is_kept),
        TEST(random_bytes_over_the_whole_file_do_no_harm),
        TEST(threads_that_meet_the_same_hosts_share_their_slots),
        TEST(killed_processes_leave_slots_that_can_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
