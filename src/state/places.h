/*
 * Places that calls in flight hold, over all processes: each is a word (core/owner), so at no moment do more
 * hold one than there are, whoever is killed when. A key's places lie in rows of LAYOUT_PLACES_A_ROW; a row
 * is found by hash and made when it is first needed. No lock; nothing has to be repaired.
 */
#ifndef GUSSET_STATE_PLACES_H
#define GUSSET_STATE_PLACES_H

#include "state/map.h"

/* Whether the owner of a place is gone, so that it may be taken. */
typedef bool places_is_gone(uint64_t owner, void *data);

/*
 * Takes a free one of the key's first `most` places for the owner; where is_gone is given, also one of an
 * owner that it says is gone. Returns 0 with *place set, -EAGAIN when all are held, -ENOSPC when the table
 * has no room for another row.
 */
int places_take(struct map *map, uint64_t key, uint32_t most, uint64_t owner, places_is_gone *is_gone,
                void *data, _Atomic uint64_t **place);

/* Gives a place back that the owner took. What is another's by now stays so. */
void places_leave(_Atomic uint64_t *place, uint64_t owner);

/* How many of the key's places are held, by owners that are not gone. is_gone may be NULL. */
unsigned places_held(struct map *map, uint64_t key, places_is_gone *is_gone, void *data);

/* The number of a pid namespace, given by its inode: 0..LAYOUT_SPACES-1; LAYOUT_SPACES when there is none
 * left, or the inode is 0. */
uint32_t places_space(struct map *map, uint64_t inode);

#endif
