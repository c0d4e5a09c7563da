/*
 * ${NAME}, ${NAME:-default} and ${file:/path} in a text. Works in the caller's buffer, without memory
 * of its own and without stdio, so that it may be used wherever connect(2) may; errno is kept.
 */
#ifndef GUSSET_CONFIG_EXPAND_H
#define GUSSET_CONFIG_EXPAND_H

#include <stdbool.h>
#include <stddef.h>

enum { EXPAND_FILE_MOST = 64 << 10 }; /* bytes of a file that is read, and of an expanded text */

/* Looks a variable up: NULL when it is unset. */
typedef const char *expand_lookup(const char *name);

/*
 * The process's environment, and two names of its own: ${program}, the program's name, and ${user}, its
 * effective user's number. Under CGI (GATEWAY_INTERFACE set) HTTP_… is unset: a client chose it. Valid until
 * the next call of the thread.
 */
const char *expand_environment(const char *name);

enum expand_error {
    EXPAND_FINE,
    EXPAND_UNCLOSED,  /* no } */
    EXPAND_BAD_NAME,  /* not a variable's name */
    EXPAND_NESTED,    /* ${ in a default */
    EXPAND_UNSET,     /* no such variable, no default */
    EXPAND_FILE_PATH, /* not absolute */
    EXPAND_FILE_READ, /* cannot be opened or read */
    EXPAND_FILE_KIND, /* not a regular file */
    EXPAND_FILE_SIZE, /* too large */
    EXPAND_FILE_NUL,  /* its first line holds a NUL */
    EXPAND_TOO_LONG   /* does not fit the buffer */
};

struct expand_fault {
    enum expand_error error;
    const char *name; /* the reference's inside, in the template; not NUL-terminated */
    size_t name_length;
};

/* Whether the text holds "${". */
bool expand_is_template(const char *text);

/* Whether every reference is well formed; nothing is looked up. */
bool expand_is_sound(const char *text, struct expand_fault *fault);

/*
 * Writes the expanded text, NUL-terminated, to out. Returns its length, or -1 with the reason in *fault;
 * out is then unspecified.
 */
long expand_text(const char *text, char *out, size_t size, expand_lookup *lookup, struct expand_fault *fault);

/* One reference of a template. */
struct expand_use {
    const char *name; /* the variable, or the path of a file; not NUL-terminated */
    size_t name_length;
    const char *fallback; /* NULL: none; likewise */
    size_t fallback_length;
    bool is_file;
    bool is_own; /* ${program} or ${user} */
};

/* The next reference of a sound template from *at on, which moves behind it; false when there is no more. */
bool expand_next(const char **at, struct expand_use *use);

/* A sentence about a fault, with the name of the variable or file but no value. Returns its length, cut to
 * size. */
size_t expand_explain(const struct expand_fault *fault, char *text, size_t size);

#endif
