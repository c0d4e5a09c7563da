#include "config/spelling.h"

#include <string.h>

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned spelling_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    enum { WIDTH = 64 };
    unsigned before[WIDTH + 1], last[WIDTH + 1], row[WIDTH + 1]; /* optimal string alignment, three rows */

    if (a_length > WIDTH || b_length > WIDTH)
        return WIDTH;
    for (unsigned j = 0; j <= b_length; j++) {
        last[j] = j;
        before[j] = j;
    }
    for (unsigned i = 1; i <= a_length; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= b_length; j++) {
            unsigned change = last[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(change, least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        memcpy(before, last, sizeof before);
        memcpy(last, row, (b_length + 1) * sizeof row[0]);
    }
    return last[b_length];
}

unsigned spelling_reach(size_t length)
{
    return length <= 3 ? 2 : length <= 6 ? 3 : 4; /* one letter wrong in three is still the same word */
}

struct search {
    const char *key;
    size_t length;
    size_t parent; /* bytes of the key up to and with the last dot */
    unsigned best;
    const char *found;
};

/* A word with the parent's path, or the group on the way to a deeper one, is a candidate. */
static void consider(struct search *search, const char *word)
{
    if (strncmp(word, search->key, search->parent) != 0)
        return;
    const char *dot = strchr(word + search->parent, '.');
    size_t length = dot ? (size_t)(dot - word) : strlen(word);
    unsigned distance = spelling_distance(word + search->parent, length - search->parent,
                                          search->key + search->parent, search->length - search->parent);
    if (distance < search->best) {
        search->best = distance;
        search->found = word;
    }
}

const char *spelling_nearest(const char *key, size_t length, enum settings_place place,
                             const char *const *words)
{
    struct search search = {key, length, length, 0, NULL};
    while (search.parent > 0 && key[search.parent - 1] != '.')
        search.parent--;
    search.best = spelling_reach(length - search.parent);

    for (unsigned i = 0; i < settings_count(); i++)
        if (settings_at(i)->place == place)
            consider(&search, settings_at(i)->key);
    for (; words && *words; words++)
        consider(&search, *words);
    if (place == SETTINGS_OF_POLICY)
        consider(&search, "headers");
    return search.found;
}

size_t spelling_level_length(const char *near, const char *key)
{
    const char *end = near;
    for (const char *dot = strchr(key, '.'); dot && end; dot = strchr(dot + 1, '.'))
        end = strchr(end, '.') ? strchr(end, '.') + 1 : NULL;
    return end ? (size_t)(end - near) + strcspn(end, ".") : strlen(near);
}
