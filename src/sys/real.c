#include "sys/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "sys/linker.h"
#include "sys/raw.h"

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
 * A successful dlsym does not allocate; a failing one does, twice, and would only fail in a program
 * without libc, or of a function that this libc does not have. Two threads may both look: they find the same.
 */
#define X(name, result, parameters, arguments, otherwise)                                                    \
    static bool look_up_##name(void)                                                                         \
    {                                                                                                        \
        union {                                                                                              \
            void *object;                                                                                    \
            result(*function) parameters;                                                                    \
        } found = {linker_find(RTLD_NEXT, #name, NULL)};                                                     \
        if (found.object)                                                                                    \
            atomic_store_explicit(&real.name, found.function, memory_order_relaxed);                         \
        return found.object != NULL;                                                                         \
    }                                                                                                        \
    static result find_##name parameters                                                                     \
    {                                                                                                        \
        if (!look_up_##name())                                                                               \
            return otherwise;                                                                                \
        return real.name arguments;                                                                          \
    }
REAL_FUNCTIONS(X)
#undef X

struct real real = {
#define X(name, result, parameters, arguments, otherwise) .name = find_##name,
    REAL_FUNCTIONS(X)
#undef X
};

void real_find_early(void)
{
    static bool (*const early[])(void) = {look_up_connect, look_up_getsockopt, look_up_shutdown,
                                          look_up_close,   look_up_dup2,       look_up_dup3,
                                          look_up_poll,    look_up_ppoll,      look_up_close_range};
    for (size_t i = 0; i < sizeof early / sizeof *early; i++)
        early[i]();
}
