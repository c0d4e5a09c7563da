#include "sys/linker.h"

#include <stdatomic.h>
#include <stddef.h>

#include "sys/module.h"

static const char *const names[LINKER_CALL_COUNT] = {
#define X(name) [LINKER_##name] = #name,
    LINKER_CALLS(X)
#undef X
};

static void *no_loader(void)
{
    return NULL;
}

/*
 * Looked up by hand: dlsym cannot be asked where dlsym is, and a sanitizer asks us for functions before it
 * can bear to be asked itself (dl_iterate_phdr among them).
 */
linker_function *linker_real(enum linker_call which)
{
    static linker_function *_Atomic known[LINKER_CALL_COUNT];
    linker_function *real = atomic_load_explicit(&known[which], memory_order_relaxed);

    if (!real) {
        real = (linker_function *)module_find_next(names[which]);
        atomic_store_explicit(&known[which], real ? real : (linker_function *)no_loader,
                              memory_order_relaxed);
    }
    return real ? real : (linker_function *)no_loader;
}

void *linker_open(const char *file, int mode)
{
    return ((void *(*)(const char *, int))linker_real(LINKER_dlopen))(file, mode);
}

void *linker_find(void *library, const char *name, const char *version)
{
    if (version)
        return ((void *(*)(void *, const char *, const char *))linker_real(LINKER_dlvsym))(library, name,
                                                                                           version);
    return ((void *(*)(void *, const char *))linker_real(LINKER_dlsym))(library, name);
}

void linker_close(void *library)
{
    ((int (*)(void *))linker_real(LINKER_dlclose))(library);
}

void linker_forget_error(void)
{
    ((char *(*)(void))linker_real(LINKER_dlerror))();
}

int linker_info(void *library, int request, void *answer)
{
    linker_function *real = linker_real(LINKER_dlinfo);

    if (real == (linker_function *)no_loader)
        return -1;
    return ((int (*)(void *, int, void *))real)(library, request, answer);
}
