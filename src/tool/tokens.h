/*
 * What is left of a host's rate limit: of its one bucket, or of one a key. Keys may be secrets; what is shown
 * of one is the beginning of the hash by which the state knows it.
 */
#ifndef GUSSET_TOOL_TOKENS_H
#define GUSSET_TOOL_TOKENS_H

#include "core/limit.h"
#include "tool/grid.h"
#include "tool/json.h"
#include "tool/snapshot.h"

struct tokens {
    const struct limit_rule *rule; /* NULL: no limit, or not known here */
    const struct snapshot *host;
    const struct snapshot_list *buckets; /* of all hosts, by snapshot_take_buckets */
    uint64_t now_us;
};

/* What the emptiest bucket has left, and how many buckets there are; 0 where there is no limit. */
unsigned tokens_least(const struct tokens *tokens, uint32_t *least);

/* A cell: "12/60", "0/60 (3 keys)" for the emptiest of them, "-" where there is no limit. */
void tokens_add(struct grid *grid, const struct tokens *tokens);

/* A line a bucket; nothing where there is no limit. */
void tokens_print(const struct tokens *tokens, FILE *to);

/* "tokens": null, or { "burst": N, "buckets": [{ "key": null or text, "left": N }] }. */
void tokens_write(struct json *json, const struct tokens *tokens);

#endif
