/*
 * A file that is born whole: made without a name (O_TMPFILE), filled by its maker, and only then linked to
 * its place, so that nobody ever opens half a file. Where nameless files are not to be had it is made under a
 * passing name beside the place. Whoever loses the race to a new place hears -EEXIST.
 */
#ifndef GUSSET_STATE_DRAFT_H
#define GUSSET_STATE_DRAFT_H

#include <stdbool.h>

#include "state/path.h"

struct draft {
    int fd;
    char name[PATH_ROOM]; /* "": none */
};

/* A nameless one in the folder of path (absolute), mode 0600 less the umask. Returns 0 or -errno. */
int draft_open(struct draft *draft, const char *path);

/* One with a name beside path. */
int draft_open_named(struct draft *draft, const char *path);

/*
 * Whether that is how a nameless one fails, to open or to publish, where a named one may do: no O_TMPFILE on
 * this file system or kernel, or no /proc to link it by.
 */
bool draft_wants_a_name(int result);

/* Gives it its place; over: in the stead of what lies there. Returns 0 or -errno. */
int draft_publish(struct draft *draft, const char *path, bool over);

/* Ends it, published or not. */
void draft_close(struct draft *draft);

#endif
