#include "sys/real.h"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/linker.h"

static int real_no_connect(int fd, const struct sockaddr *to, socklen_t length)
{
    return (int)syscall(SYS_connect, fd, to, length);
}

/*
 * A successful dlsym does not allocate; a failing one does, twice, and would only fail in a program
 * without libc. Two threads may both look: they find the same.
 */
#define X(name, result, parameters, arguments, otherwise)                                                    \
    static result find_##name parameters                                                                     \
    {                                                                                                        \
        union {                                                                                              \
            void *object;                                                                                    \
            result(*function) parameters;                                                                    \
        } found = {linker_find(RTLD_NEXT, #name, NULL)};                                                     \
        if (!found.object)                                                                                   \
            return otherwise;                                                                                \
        atomic_store_explicit(&real.name, found.function, memory_order_relaxed);                             \
        return found.function arguments;                                                                     \
    }
REAL_FUNCTIONS(X)
#undef X

struct real real = {
#define X(name, result, parameters, arguments, otherwise) .name = find_##name,
    REAL_FUNCTIONS(X)
#undef X
};
