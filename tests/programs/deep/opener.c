/* A library with a search path of its own that opens a plugin by its bare name, which another file bears
 * already. */
#include <dlfcn.h>
#include <stdlib.h>

int opener_dial(unsigned port);

/* 0: the one that is loaded is found; 1: another is. */
int opener_dial(unsigned port)
{
    void *loaded = dlopen(getenv("LOADED"), RTLD_NOW);

    return !loaded || dlopen(port ? "libtwin.so" : "", RTLD_NOW | RTLD_DEEPBIND) != loaded;
}
