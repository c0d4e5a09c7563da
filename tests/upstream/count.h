/* What arrived: requests by key, their heads, and a timeline by the second.
 * The n-th request of a key is what first=, fail= and the tests count by. */
#ifndef COUNT_H
#define COUNT_H

#include "buffer.h"
#include "request.h"

enum {
    COUNT_HEADS = 64,           /* kept for a key */
    COUNT_HEAD_MOST = 8 * 1024, /* bytes kept of each */
    COUNT_KEYS_MOST = 64 * 1024,
    COUNT_SECONDS_MOST = 24 * 3600,
};

struct count_key {
    struct count_key *next; /* in its slot */
    char *name;
    size_t length;
    uint64_t requests;
    uint64_t dice_hits;   /* for how=mixed */
    struct buffer *heads; /* a ring of COUNT_HEADS; request n lies at (n - 1) % COUNT_HEADS */
};

struct count_second {
    uint64_t requests;
    uint64_t failed;
};

struct count {
    struct count_key **slots;
    size_t slot_count;
    size_t keys;
    uint64_t start_ns;
    uint64_t total;
    uint64_t connections;
    struct count_second *seconds;
    size_t second_count;
};

void count_start(struct count *count, uint64_t now_ns);

/* NULL if no request of that key came. The key lives until count_zero(). */
struct count_key *count_find(const struct count *count, struct span name);

/* Counts a request; NULL if there are COUNT_KEYS_MOST keys already. */
struct count_key *count_arrival(struct count *count, struct span name, struct span head, uint64_t now_ns);
void count_failure(struct count *count, uint64_t now_ns);

/* Head of the key's n-th request (from 1), empty if it is no longer kept. */
struct span count_head(const struct count_key *key, uint64_t nth);

/* A line `second requests failed` for each second up to now. */
void count_timeline(struct count *count, uint64_t now_ns, struct buffer *out);

/* As after count_start(). */
void count_zero(struct count *count, uint64_t now_ns);
void count_clear(struct count *count);

#endif
