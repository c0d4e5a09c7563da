/*
 * Slots: the words of an object in memory through which it reaches functions of others. The loader fills them
 * in when it binds the object, those of calls at the first call where it is lazy; here they are read, and
 * written anew.
 */
#ifndef GUSSET_SYS_SLOTS_H
#define GUSSET_SYS_SLOTS_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>

struct slots_change {
    uintptr_t base; /* of the object that the slot is in */
    void **slot;
    void *to;
};

/* Is shown a slot, what stands in it, and the name that it stands for; returns what is to stand there. */
typedef void *slots_choose(void *context, const char *name, void *bound);

/*
 * Shows the slots of the object, which must stay loaded meanwhile, and notes those that are to change, behind
 * the count that there are. Returns how many there are then; those beyond the room for them are left out.
 */
size_t slots_choose_all(const struct link_map *map, slots_choose *choose, void *context,
                        struct slots_change *changes, size_t count, size_t room);

/*
 * Makes the changes, under the loader's own lock: no other thread then writes or unloads what lies in the
 * same pages. What the loader has made read-only is that afterwards, too. A slot that cannot be written
 * stays.
 */
void slots_change_all(const struct slots_change *changes, size_t count);

#endif
