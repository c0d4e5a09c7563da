#include "sys/stack.h"

#include <stdint.h>

#include "sys/raw.h"

enum { PAGE = 4096, WORD = 8 };

/* The first thread's grows at a touch, but under valgrind not at a touch of the kernel's. Any other's is
 * there whole, and ends at pages that cannot be read. */
bool stack_has_room(size_t bytes)
{
    const uintptr_t here = (uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)(WORD - 1);

    if (sys_gettid() == sys_getpid())
        return true;
    for (size_t below = PAGE; below < bytes + PAGE; below += PAGE)
        if (!sys_can_read_8((const void *)(here - below)))
            return false;
    return true;
}
