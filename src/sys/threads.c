#include "sys/threads.h"

#include <stdatomic.h>
#include <stddef.h>

#include "sys/module.h"

/* libc's own copy: glibc writes that one whether or not a program has made another (a copy relocation). */
static const volatile char *_Atomic is_single;

/* By hand, when it is first asked for: a reference would cost every program that starts a search by the
 * loader. */
static const volatile char *look_up(void)
{
    static const char never;
    const volatile char *found = module_find_next("__libc_single_threaded"); /* since glibc 2.32 */

    found = found ? found : &never;
    atomic_store_explicit(&is_single, found, memory_order_relaxed);
    return found;
}

bool threads_are_none(void)
{
    const volatile char *told = atomic_load_explicit(&is_single, memory_order_relaxed);
    return *(told ? told : look_up());
}
