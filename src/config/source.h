/*
 * Where the configuration comes from: which file holds, whether its owner and mode may be trusted, and
 * by what a changed file is known. The paths come in as arguments; nothing here reads the environment.
 */
#ifndef GUSSET_CONFIG_SOURCE_H
#define GUSSET_CONFIG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/fault.h"

#define SOURCE_SYSTEM_PATH "/etc/gusset/gusset.cfg"

enum { SOURCE_PATH_MOST = 4096, SOURCE_SIZE_MOST = 16 << 20 };

/* What was asked for; NULL and "" say nothing. Borrowed. */
struct source_request {
    const char *named;     /* --config or $GUSSET_CONFIG; relative to the working directory, or absolute */
    const char *named_by;  /* for sentences: "--config", "GUSSET_CONFIG" (default) */
    const char *xdg;       /* $XDG_CONFIG_HOME */
    const char *home;      /* $HOME */
    const char *system;    /* default SOURCE_SYSTEM_PATH; another one in tests */
    const char *policy;    /* --policy or $GUSSET_POLICY */
    const char *policy_by; /* for sentences: "--policy", "GUSSET_POLICY" (default) */
    const char *set;       /* --set or $GUSSET_SET: key=value pairs, parted by newlines */
    const char *set_by;    /* for sentences: "--set", "GUSSET_SET" (default) */
    bool ignores_lock;     /* `gusset check FILE` looks at a file that may not hold */
    bool is_assumed;       /* the policy was: where there is a file, nobody asked for it */
};

/* By what a file is known to be the same; all zero: there is none. */
struct source_identity {
    uint64_t device;
    uint64_t inode;
    uint64_t size;
    int64_t mtime_ns;
    int64_t ctime_ns;
};

/* The paths that may hold, as absolute ones; "" where there is none. */
struct source_paths {
    char system[SOURCE_PATH_MOST];
    char named[SOURCE_PATH_MOST];
    char user[SOURCE_PATH_MOST];
};

/* Room for them, in a mapping: twelve kilobytes, and the first connect(2) may come from a thread whose stack
 * has no more. NULL when memory fails. */
struct source_paths *source_paths_open(void);
void source_paths_close(struct source_paths *paths);

/* Spells the paths out. Returns 0, or -ENAMETOOLONG or what getcwd says. */
int source_find(const struct source_request *request, struct source_paths *paths);

/* Identifies the file under a path; all zero when there is none, or when it cannot be reached. errno is kept.
 */
void source_identify(const char *path, struct source_identity *identity);

bool source_is_same(const struct source_identity *a, const struct source_identity *b);

/* A file's text, read whole. */
struct source_text {
    char *text; /* heap, NUL-terminated, no NUL within */
    size_t length;
    struct source_identity identity;
};

/*
 * Reads a file that must be trustworthy: regular, at most SOURCE_SIZE_MOST, it and its folder owned by
 * root or the effective user and writable by no one else. A fault is added at `file:line` (who includes
 * it; file is path itself and line 0 for the first). Returns 0, or -errno after a fault was added.
 */
int source_read(const char *path, struct source_text *out, struct fault_list *faults, const char *file,
                uint32_t line);

void source_clear(struct source_text *text);

#endif
