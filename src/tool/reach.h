/*
 * What of a program gusset will see: which of its calls come through a door, and why not. Judged by what
 * its files ask of each other, and by what libgusset.so itself stands in front of.
 */
#ifndef GUSSET_TOOL_REACH_H
#define GUSSET_TOOL_REACH_H

#include <stdbool.h>
#include <stddef.h>

#include "tool/objects.h"

enum reach_way { REACH_EASY, REACH_MULTI, REACH_CONNECT, REACH_WAYS };

enum reach_level {
    REACH_UNUSED, /* the program makes no such call */
    REACH_SEEN,   /* gusset stands in front of it */
    REACH_LATER,  /* it may come to it while it runs; then gusset sees it */
    REACH_PARTLY, /* some of it */
    REACH_MISSED  /* made, and not seen */
};

enum { REACH_NOTES = 12, REACH_NOTE = 320 };

struct reach {
    enum reach_level levels[REACH_WAYS];
    char whys[REACH_WAYS][REACH_NOTE];
    char libcurl[64]; /* the name of the library; "" for none */
    bool is_go;
    bool has_own_libcurl; /* linked into the program */
    char notes[REACH_NOTES][REACH_NOTE];
    unsigned note_count;
};

/* "easy", "multi", "connect"; and "seen", "if it comes", "partly", "missed", "not used". */
const char *reach_way_name(enum reach_way way);
const char *reach_level_name(enum reach_level level);

/* Adds a sentence; what does not fit is dropped. */
void reach_note(struct reach *reach, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Judges the objects, of which the first is the program. is_running: they are all that a process has mapped
 * by now. library is libgusset.so.
 */
void reach_judge(struct reach *reach, const struct objects *objects, const char *library, bool is_running);

/* The loader keeps gusset out: everything is missed, for one reason. */
void reach_none(struct reach *reach, const char *reason);

#endif
