/*
 * Replies that are kept: a folder beside the state, for its owner alone, of files whose names tell nothing. A
 * file is written as a draft and takes its name when it is whole; what is too much or too old is swept away.
 * Functions return a descriptor or 0, or -errno, and keep errno.
 */
#ifndef GUSSET_GATE_SHELF_H
#define GUSSET_GATE_SHELF_H

#include <stdbool.h>
#include <stdint.h>

struct ready;

enum { SHELF_NAME_ROOM = 33, SHELF_DRAFT_ROOM = 48, SHELF_PATH_ROOM = 320 };

struct shelf {
    int folder;
    uint64_t key[2]; /* under which names are hashed: nobody can guess a name's text by trying */
    char path[SHELF_PATH_ROOM];
};

/* Opens the folder; may_make: or makes it. After 0, shelf_close. */
int shelf_open(struct shelf *shelf, const struct ready *ready, bool may_make);
void shelf_close(struct shelf *shelf);

/* The file of that name, to be read. */
int shelf_find(const struct shelf *shelf, const char *name);

/* A new file, to be written. */
int shelf_draft(const struct shelf *shelf, char draft[SHELF_DRAFT_ROOM]);

/*
 * The draft, of size bytes, becomes the file of that name. All files together have at most so many bytes, a
 * 64th more now and then, and are a few thousand; none is older than age_s for long.
 */
int shelf_keep(const struct shelf *shelf, const char *draft, const char *name, uint64_t size, uint64_t most,
               uint32_t age_s);

/* It does not. */
void shelf_drop(const struct shelf *shelf, const char *draft);

#endif
