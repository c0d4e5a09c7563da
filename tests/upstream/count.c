#include "count.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT_SLOTS_FIRST = 256 };

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory) {
        fprintf(stderr, "upstream: out of memory for the counts, ending\n");
        exit(1);
    }
    return memory;
}

/* FNV-1a */
static size_t slot_of(const struct count *count, struct span name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < name.length; i++)
        hash = (hash ^ (unsigned char)name.at[i]) * UINT64_C(0x100000001b3);
    return (size_t)(hash ^ hash >> 32) & (count->slot_count - 1);
}

void count_start(struct count *count, uint64_t now_ns)
{
    *count = (struct count){.start_ns = now_ns, .slot_count = COUNT_SLOTS_FIRST};
    count->slots = allocate(count->slot_count, sizeof *count->slots);
}

struct count_key *count_find(const struct count *count, struct span name)
{
    struct count_key *key = count->slots[slot_of(count, name)];
    while (key && (key->length != name.length || memcmp(key->name, name.at, name.length) != 0))
        key = key->next;
    return key;
}

static void link_key(struct count *count, struct count_key *key)
{
    struct count_key **slot = &count->slots[slot_of(count, (struct span){key->name, key->length})];
    key->next = *slot;
    *slot = key;
}

static void double_slots(struct count *count)
{
    struct count_key **old = count->slots;
    size_t old_count = count->slot_count;
    count->slot_count *= 2;
    count->slots = allocate(count->slot_count, sizeof *count->slots);
    for (size_t i = 0; i < old_count; i++) {
        for (struct count_key *key = old[i], *next; key; key = next) {
            next = key->next;
            link_key(count, key);
        }
    }
    free(old);
}

static struct count_key *add_key(struct count *count, struct span name)
{
    if (count->keys >= COUNT_KEYS_MOST)
        return NULL;
    if (count->keys >= count->slot_count)
        double_slots(count);
    struct count_key *key = allocate(1, sizeof *key);
    key->name = allocate(name.length + 1, 1);
    memcpy(key->name, name.at, name.length);
    key->length = name.length;
    key->heads = allocate(COUNT_HEADS, sizeof *key->heads);
    link_key(count, key);
    count->keys++;
    return key;
}

static struct count_second *second_at(struct count *count, uint64_t now_ns)
{
    size_t second = (size_t)((now_ns - count->start_ns) / 1000000000u);
    if (second >= COUNT_SECONDS_MOST)
        second = COUNT_SECONDS_MOST - 1;
    if (second >= count->second_count) {
        size_t room = second + 600;
        struct count_second *seconds = allocate(room, sizeof *seconds);
        if (count->seconds)
            memcpy(seconds, count->seconds, count->second_count * sizeof *seconds);
        free(count->seconds);
        count->seconds = seconds;
        count->second_count = room;
    }
    return &count->seconds[second];
}

static void keep_head(struct count_key *key, struct span head)
{
    struct buffer *kept = &key->heads[(key->requests - 1) % COUNT_HEADS];
    buffer_empty(kept);
    buffer_add(kept, head.at, head.length < COUNT_HEAD_MOST ? head.length : COUNT_HEAD_MOST);
}

struct count_key *count_arrival(struct count *count, struct span name, struct span head, uint64_t now_ns)
{
    count->total++;
    second_at(count, now_ns)->requests++;
    struct count_key *key = count_find(count, name);
    if (!key)
        key = add_key(count, name);
    if (!key)
        return NULL;
    key->requests++;
    keep_head(key, head);
    return key;
}

void count_failure(struct count *count, uint64_t now_ns)
{
    second_at(count, now_ns)->failed++;
}

struct span count_head(const struct count_key *key, uint64_t nth)
{
    if (nth == 0 || nth > key->requests || nth + COUNT_HEADS <= key->requests)
        return (struct span){"", 0};
    const struct buffer *kept = &key->heads[(nth - 1) % COUNT_HEADS];
    return (struct span){buffer_front(kept), buffer_length(kept)};
}

void count_timeline(struct count *count, uint64_t now_ns, struct buffer *out)
{
    size_t last = (size_t)(second_at(count, now_ns) - count->seconds);
    for (size_t i = 0; i <= last; i++)
        buffer_addf(out, "%zu %llu %llu\n", i, (unsigned long long)count->seconds[i].requests,
                    (unsigned long long)count->seconds[i].failed);
}

static void free_key(struct count_key *key)
{
    for (size_t i = 0; i < COUNT_HEADS; i++)
        buffer_clear(&key->heads[i]);
    free(key->heads);
    free(key->name);
    free(key);
}

void count_clear(struct count *count)
{
    for (size_t i = 0; i < count->slot_count; i++) {
        for (struct count_key *key = count->slots[i], *next; key; key = next) {
            next = key->next;
            free_key(key);
        }
    }
    free(count->slots);
    free(count->seconds);
    *count = (struct count){0};
}

void count_zero(struct count *count, uint64_t now_ns)
{
    count_clear(count);
    count_start(count, now_ns);
}
