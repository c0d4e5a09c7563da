/*
 * Rows by open addressing. A new row is made in the first one of its window that is nobody's; since a row
 * that has a tag keeps one for good, two who make the same row at once come to the same one. Only where a
 * whole window is taken is an idle row of another key given away: then, for an instant, one more than `most`
 * may get through, or one less.
 */
#include "state/places.h"

#include <errno.h>

enum { WINDOW = 16, ROUNDS = 64 };

static_assert((LAYOUT_PLACES & (LAYOUT_PLACES - 1)) == 0, "a row is the tag's bits");

/* The finalizer of MurmurHash3 (Austin Appleby, public domain). */
static uint64_t tag_of(uint64_t key, uint32_t row)
{
    uint64_t tag = key + (row + 1) * UINT64_C(0x9e3779b97f4a7c15);

    tag = (tag ^ tag >> 33) * UINT64_C(0xff51afd7ed558ccd);
    tag = (tag ^ tag >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return (tag ^ tag >> 33) | 1;
}

static struct layout_places *probed(struct map *map, uint64_t tag, unsigned step)
{
    return &map->places[(uint32_t)((tag >> 8) + step) & (LAYOUT_PLACES - 1)];
}

static struct layout_places *found(struct map *map, uint64_t tag)
{
    for (unsigned step = 0; step < WINDOW; step++)
        if (atomic_load(&probed(map, tag, step)->tag) == tag)
            return probed(map, tag, step);
    return NULL;
}

static bool is_idle(struct layout_places *row)
{
    for (int i = 0; i < LAYOUT_PLACES_A_ROW; i++)
        if (atomic_load(&row->owners[i]))
            return false;
    return true;
}

/* Makes the first row its own that is nobody's, else one that is idle. NULL: somebody was quicker, or none
 * is. */
static struct layout_places *make(struct map *map, uint64_t tag, bool is_idle_enough)
{
    for (unsigned step = 0; step < WINDOW; step++) {
        struct layout_places *row = probed(map, tag, step);
        uint64_t held = atomic_load(&row->tag);
        if (held == tag)
            return row;
        if (held && !(is_idle_enough && is_idle(row)))
            continue;
        return atomic_compare_exchange_strong(&row->tag, &held, tag) || held == tag ? row : NULL;
    }
    return NULL;
}

static bool has_free_row(struct map *map, uint64_t tag)
{
    for (unsigned step = 0; step < WINDOW; step++)
        if (!atomic_load(&probed(map, tag, step)->tag))
            return true;
    return false;
}

static struct layout_places *found_or_made(struct map *map, uint64_t tag)
{
    struct layout_places *row = found(map, tag);

    for (int round = 0; !row && round < ROUNDS; round++)
        row = make(map, tag, !has_free_row(map, tag));
    return row;
}

/* Takes one of the row's first count places. A row that is given away meanwhile is let be. */
static _Atomic uint64_t *take_of(struct layout_places *row, uint64_t tag, uint32_t count, uint64_t owner,
                                 places_is_gone *is_gone, void *data)
{
    for (uint32_t i = 0; i < count; i++) {
        _Atomic uint64_t *place = &row->owners[i];
        uint64_t held = atomic_load(place);
        if ((held && !(is_gone && is_gone(held, data))) ||
            !atomic_compare_exchange_strong(place, &held, owner))
            continue;
        if (atomic_load(&row->tag) == tag)
            return place;
        places_leave(place, owner);
        return NULL;
    }
    return NULL;
}

int places_take(struct map *map, uint64_t key, uint32_t most, uint64_t owner, places_is_gone *is_gone,
                void *data, _Atomic uint64_t **place)
{
    for (uint32_t row = 0; row * LAYOUT_PLACES_A_ROW < most; row++) {
        uint32_t left = most - row * LAYOUT_PLACES_A_ROW;
        uint64_t tag = tag_of(key, row);
        struct layout_places *places = found_or_made(map, tag);
        if (!places)
            return -ENOSPC;
        *place = take_of(places, tag, left < LAYOUT_PLACES_A_ROW ? left : LAYOUT_PLACES_A_ROW, owner, is_gone,
                         data);
        if (*place)
            return 0;
    }
    return -EAGAIN;
}

void places_leave(_Atomic uint64_t *place, uint64_t owner)
{
    atomic_compare_exchange_strong(place, &owner, 0);
}

unsigned places_held(struct map *map, uint64_t key, places_is_gone *is_gone, void *data)
{
    struct layout_places *places;
    unsigned held = 0;

    for (uint32_t row = 0; (places = found(map, tag_of(key, row))); row++)
        for (int i = 0; i < LAYOUT_PLACES_A_ROW; i++) {
            uint64_t owner = atomic_load(&places->owners[i]);
            held += owner && !(is_gone && is_gone(owner, data));
        }
    return held;
}

uint32_t places_space(struct map *map, uint64_t inode)
{
    for (uint32_t i = 0; inode && i < LAYOUT_SPACES; i++) {
        uint64_t held = atomic_load(&map->header->spaces[i]);
        if (held == inode ||
            (!held &&
             (atomic_compare_exchange_strong(&map->header->spaces[i], &held, inode) || held == inode)))
            return i;
    }
    return LAYOUT_SPACES;
}
