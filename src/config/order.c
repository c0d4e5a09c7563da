#include "config/order.h"

#include <stdlib.h>
#include <string.h>

/* A way with what it is ordered by at hand: qsort has no place for a context. */
struct entry {
    const struct model_rule *rule;
    const char *name;
    const char *path; /* NULL: any */
    size_t literal;   /* bytes of the path before its first star */
    size_t weight;    /* literal bytes in all, and one for an end without star */
    struct model_way way;
};

bool order_glob_matches(const char *glob, const char *text, size_t length)
{
    const char *star = NULL, *end = text + length, *mark = text;

    while (text < end) {
        if (*glob == '*') {
            star = glob++;
            mark = text;
        } else if (*glob == *text) {
            glob++;
            text++;
        } else if (star) { /* the last star takes one byte more */
            glob = star + 1;
            text = ++mark;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == 0;
}

bool order_globs_overlap(const char *a, const char *b)
{
    enum { LONGEST = 1024 };
    bool next[LONGEST + 1],
        row[LONGEST + 1]; /* [j]: a from i (or i + 1) on and b from j on have a text in common */
    size_t n = strlen(a), m = strlen(b);

    if (n > LONGEST || m > LONGEST)
        return strcmp(a, b) == 0;
    for (size_t i = n + 1; i-- > 0;) {
        for (size_t j = m + 1; j-- > 0;) {
            bool last_a = i == n, last_b = j == m;
            bool common = last_a && last_b;
            if (!last_a && a[i] == '*')
                common |= next[j] || (!last_b && row[j + 1]);
            if (!last_b && b[j] == '*')
                common |= row[j + 1] || (!last_a && next[j]);
            if (!last_a && !last_b && a[i] == b[j])
                common |= next[j + 1];
            row[j] = common;
        }
        memcpy(next, row, (m + 1) * sizeof row[0]);
    }
    return next[0];
}

static int bits(uint32_t word)
{
    return __builtin_popcount(word);
}

static int prefer_larger(uint64_t a, uint64_t b)
{
    return (a < b) - (a > b);
}

/* An empty list means any, and says least; a shorter one says more. */
static int prefer_fewer(uint32_t a, uint32_t b)
{
    if ((a == 0) != (b == 0))
        return a == 0 ? 1 : -1;
    return (a > b) - (a < b);
}

static uint32_t detail(const struct model_rule *rule)
{
    if (rule->kind == PATTERN_SUFFIX)
        return rule->name_length;
    if (rule->kind == PATTERN_NETWORK) /* by how few addresses it holds */
        return rule->prefix_bits + (rule->family == PLACE_IPV4 ? 96u : 0u);
    return 0;
}

/* 0 when the patterns are the same but for the port. */
static int compare_keys(const struct entry *a, const struct entry *b)
{
    int order = prefer_larger(a->rule->kind, b->rule->kind);
    if (order == 0)
        order = prefer_larger(detail(a->rule), detail(b->rule));
    if (order == 0)
        order = strcmp(a->name, b->name);
    if (order == 0)
        order = a->rule->family - b->rule->family;
    if (order == 0)
        order = memcmp(a->rule->address, b->rule->address, sizeof a->rule->address);
    return order;
}

/* How much the filters of two rules with the same pattern say; 0 when equally much. */
static int compare_filters(const struct entry *a, const struct entry *b)
{
    int order = (b->rule->port != 0) - (a->rule->port != 0);
    if (order == 0)
        order = prefer_larger(a->path != NULL, b->path != NULL);
    if (order == 0)
        order = prefer_larger(a->literal, b->literal);
    if (order == 0)
        order = prefer_larger(a->weight, b->weight);
    if (order == 0)
        order = prefer_fewer((uint32_t)bits(a->rule->methods), (uint32_t)bits(b->rule->methods));
    if (order == 0)
        order = prefer_fewer(a->rule->programs_count, b->rule->programs_count);
    return order;
}

static int compare(const void *first, const void *second)
{
    const struct entry *a = first, *b = second;
    int order = compare_keys(a, b);
    if (order == 0)
        order = compare_filters(a, b);
    if (order == 0)
        order = (int)a->rule->port - (int)b->rule->port;
    if (order == 0 && a->path)
        order = strcmp(a->path, b->path);
    if (order == 0)
        order = (a->way.rule > b->way.rule) - (a->way.rule < b->way.rule);
    return order;
}

static bool share_program(const struct model *model, const struct model_rule *a, const struct model_rule *b)
{
    if (a->programs_count == 0 || b->programs_count == 0)
        return true;
    for (uint32_t i = 0; i < a->programs_count; i++)
        for (uint32_t j = 0; j < b->programs_count; j++)
            if (strcmp(model_word(model, a->programs_first + i), model_word(model, b->programs_first + j)) ==
                0)
                return true;
    return false;
}

/* Same pattern and equally specific filters: can one call match both? */
static bool collide(const struct model *model, const struct entry *a, const struct entry *b)
{
    if (a->rule == b->rule || a->rule->port != b->rule->port)
        return false;
    if (a->rule->methods != 0 && b->rule->methods != 0 && (a->rule->methods & b->rule->methods) == 0)
        return false;
    return share_program(model, a->rule, b->rule) && (!a->path || order_globs_overlap(a->path, b->path));
}

static void report(const struct model *model, const struct entry *a, const struct entry *b,
                   struct fault_list *faults)
{
    const struct entry *early = a->way.rule < b->way.rule ? a : b, *late = early == a ? b : a;
    const struct model_origin *first = &early->rule->origin, *second = &late->rule->origin;
    const char *file = model_string(model, model_source(model, first->source)->path);
    const char *here = model_string(model, model_source(model, second->source)->path);
    fault_add(faults, here, second->line,
              "hosts: match \"%s\" is as specific as the rule at %s:%u; expected a difference in match, "
              "paths, methods "
              "or programs",
              model_string(model, late->rule->match), file, first->line);
}

/* Whether a's literal path start rules out any collision with whatever follows it in the order. */
static bool starts_alike(const struct entry *a, const struct entry *b)
{
    return !a->path || memcmp(a->path, b->path, a->literal) == 0;
}

static void find_ties(const struct model *model, const struct entry *entries, uint32_t count,
                      struct fault_list *faults)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = i + 1; j < count; j++) {
            const struct entry *a = &entries[i], *b = &entries[j];
            if (compare_keys(a, b) != 0 || compare_filters(a, b) != 0 || a->rule->port != b->rule->port ||
                !starts_alike(a, b))
                break; /* sorted by port and path, so nothing further on collides either */
            if (collide(model, a, b)) {
                report(model, a, b, faults);
                break;
            }
        }
}

static uint32_t count_ways(const struct model *model)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->rules.count; i++)
        count += model_rule(model, i)->paths_count ? model_rule(model, i)->paths_count : 1;
    return count;
}

static void fill(const struct model *model, struct entry *entry)
{
    for (uint32_t i = 0; i < model->rules.count; i++) {
        const struct model_rule *rule = model_rule(model, i);
        uint32_t paths = rule->paths_count ? rule->paths_count : 1;
        for (uint32_t j = 0; j < paths; j++, entry++) {
            entry->rule = rule;
            entry->name = model_string(model, rule->name);
            entry->way.rule = i;
            if (rule->paths_count == 0)
                continue;
            entry->way.path = ((const uint32_t *)model->words.items)[rule->paths_first + j];
            entry->path = model_string(model, entry->way.path);
            entry->literal = strcspn(entry->path, "*");
            for (const char *c = entry->path; *c; c++)
                entry->weight += *c != '*';
            entry->weight += entry->path[strlen(entry->path) - 1] != '*';
        }
    }
}

void order_rules(struct model *model, struct fault_list *faults)
{
    uint32_t count = count_ways(model);
    if (count == 0)
        return;
    struct entry *entries = calloc(count, sizeof *entries);
    struct model_way *ways = table_add(&model->ways, sizeof *ways, count);
    if (!entries || !ways) {
        model->ways.failed = true;
        free(entries);
        return;
    }
    fill(model, entries);
    qsort(entries, count, sizeof *entries, compare);
    find_ties(model, entries, count, faults);
    for (uint32_t i = 0; i < count; i++)
        ways[i] = entries[i].way;
    free(entries);
}
