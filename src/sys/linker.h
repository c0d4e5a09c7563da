/*
 * The loader's own functions, each looked up when it is first needed. Gusset stands in front of dlopen, dlsym
 * and dlvsym, so these are the way past it; the loader must find out by itself who calls, so the hooks jump
 * to them. Of the others few programs need any.
 */
#ifndef GUSSET_SYS_LINKER_H
#define GUSSET_SYS_LINKER_H

#define LINKER_CALLS(X)                                                                                      \
    X(dlopen)                                                                                                \
    X(dlsym)                                                                                                 \
    X(dlvsym)                                                                                                \
    X(dlclose)                                                                                               \
    X(dlerror)                                                                                               \
    X(dlinfo)

enum linker_call {
#define X(name) LINKER_##name,
    LINKER_CALLS(X)
#undef X
        LINKER_CALL_COUNT
};

typedef void linker_function(void); /* to be cast to what it is */

/* The function behind ours; never NULL. Allocates nothing. */
linker_function *linker_real(enum linker_call which);

/* dlopen, as gusset. */
void *linker_open(const char *file, int mode);

/* dlsym, or dlvsym where a version is named, as gusset. */
void *linker_find(void *library, const char *name, const char *version);

void linker_close(void *library);

/* Forgets what dlerror(3) would say: what gusset did not find is nobody's error. */
void linker_forget_error(void);

/* dlinfo: 0, or -1. */
int linker_info(void *library, int request, void *answer);

#endif
