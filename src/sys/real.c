#include "sys/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

#include "sys/linker.h"
#include "sys/module.h"
#include "sys/raw.h"
#include "sys/together.h"

/* As libc answers. */
static int real_answer(int result)
{
    if (result >= 0)
        return result;
    errno = -result;
    return -1;
}

/* Of a libc that does not have it. */
static int real_missing(void)
{
    return real_answer(-ENOSYS);
}

/*
 * Nearly always libc's, or that of a preload library behind us, and found without the loader: whoever calls
 * first may be a signal handler, the child of a fork or of a vfork, for which its lock is not. What came
 * later, or in an order of its own (libanl, libbsd), dlsym finds: a successful one does not allocate; a
 * failing one does, twice.
 */
static void *find(const char *name)
{
    void *found = module_find_lasting(name);
    return found ? found : linker_find(RTLD_NEXT, name, NULL);
}

/* Two threads may both look: they find the same. */
#define X(name, result, parameters, arguments, otherwise)                                                    \
    static result find_##name parameters                                                                     \
    {                                                                                                        \
        union {                                                                                              \
            void *object;                                                                                    \
            result(*function) parameters;                                                                    \
        } found = {find(#name)};                                                                             \
        if (!found.object)                                                                                   \
            return otherwise;                                                                                \
        atomic_store_explicit(&real.name, found.function, memory_order_relaxed);                             \
        return found.function arguments;                                                                     \
    }
REAL_FUNCTIONS(X)
#undef X

TOGETHER struct real real = {
#define X(name, result, parameters, arguments, otherwise) .name = find_##name,
    REAL_FUNCTIONS(X)
#undef X
};
