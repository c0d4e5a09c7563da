#include "tool/tokens.h"

#include <string.h>

#include "tool/output.h"

static bool is_of_host(const struct snapshot *bucket, const struct snapshot *host)
{
    return bucket->is_shadow == host->is_shadow && strcmp(bucket->host, host->host) == 0 &&
           strcmp(bucket->policy, host->policy) == 0;
}

static const struct snapshot *next_of_keys(const struct tokens *tokens, unsigned *at)
{
    while (*at < tokens->buckets->count) {
        const struct snapshot *bucket = &tokens->buckets->items[(*at)++];
        if (is_of_host(bucket, tokens->host))
            return bucket;
    }
    return NULL;
}

/* The buckets one by one, *at being 0 at first. The host's own is one where a call without a key used it, or
 * none has. */
static const struct snapshot *next(const struct tokens *tokens, unsigned *at)
{
    unsigned first = 0;

    if (*at == 0) {
        *at = 1;
        if (tokens->host->limit != 0 || !next_of_keys(tokens, &first))
            return tokens->host;
    }
    first = *at - 1;
    const struct snapshot *bucket = next_of_keys(tokens, &first);
    *at = first + 1;
    return bucket;
}

static uint32_t left(const struct tokens *tokens, const struct snapshot *bucket)
{
    return limit_tokens(bucket->limit, tokens->rule, tokens->now_us);
}

unsigned tokens_least(const struct tokens *tokens, uint32_t *least)
{
    const struct snapshot *bucket;
    unsigned count = 0;

    *least = UINT32_MAX;
    for (unsigned at = 0; tokens->rule && (bucket = next(tokens, &at)); count++)
        if (left(tokens, bucket) < *least)
            *least = left(tokens, bucket);
    return count;
}

void tokens_add(struct grid *grid, const struct tokens *tokens)
{
    uint32_t least;
    unsigned count = tokens_least(tokens, &least);

    if (count == 0) {
        grid_add(grid, OUTPUT_PLAIN, "-");
        return;
    }
    enum output_style style = least == 0 ? OUTPUT_DOUBTFUL : OUTPUT_PLAIN;
    if (count > 1)
        grid_add(grid, style, "%u/%u (%u keys)", least, tokens->rule->burst, count);
    else
        grid_add(grid, style, "%u/%u", least, tokens->rule->burst);
}

void tokens_print(const struct tokens *tokens, FILE *to)
{
    const struct snapshot *bucket;

    if (!tokens->rule)
        return;
    for (unsigned at = 0; (bucket = next(tokens, &at));) {
        fprintf(to, "  tokens    %u of %u%s%s\n", left(tokens, bucket), tokens->rule->burst,
                bucket->bucket[0] ? ", for the key with hash " : "", bucket->bucket);
    }
}

void tokens_write(struct json *json, const struct tokens *tokens)
{
    const struct snapshot *bucket;

    if (!tokens->rule) {
        json_null(json, "tokens");
        return;
    }
    json_object(json, "tokens");
    json_number(json, "burst", tokens->rule->burst);
    json_array(json, "buckets");
    for (unsigned at = 0; (bucket = next(tokens, &at));) {
        json_object(json, NULL);
        if (bucket->bucket[0])
            json_text(json, "key", bucket->bucket);
        else
            json_null(json, "key");
        json_number(json, "left", left(tokens, bucket));
        json_end_object(json);
    }
    json_end_array(json);
    json_end_object(json);
}
