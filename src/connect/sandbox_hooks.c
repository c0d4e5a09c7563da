/*
 * What confines a program (seccomp): from then on a system call that it does not make itself may kill it, and
 * each of our doors makes some. So gusset gives up what it watches and leaves the program alone, for good.
 * What is set before, and by others than the two ways here, can only be prepared for.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>

#include "connect/pending.h"
#include "gate/ready.h"
#include "sys/linker.h"
#include "sys/real.h"

enum { SET_SECCOMP = 22, SET_NO_NEW_PRIVILEGES = 38 }; /* PR_SET_…: <sys/prctl.h> declares prctl otherwise */
enum { STRICT = 1 };                                   /* SECCOMP_MODE_STRICT, which takes no filter */

#define EXPORTED __attribute__((visibility("default")))

int prctl(int option, unsigned long second, unsigned long third, unsigned long fourth, unsigned long fifth);
int seccomp_load(void *filter);

/* While it may still be asked: sockets get back the limits that the program had set. */
static void give_up(void)
{
    int saved = errno;

    if (pending_any())
        pending_leave_range(0, INT_MAX);
    errno = saved;
}

/*
 * Variadic in libc, and called alike. No new privileges is what comes before a filter that is set past libc:
 * what is done once must be done by then. A filter that lies nowhere is a question whether there are any.
 */
EXPORTED int prctl(int option, unsigned long second, unsigned long third, unsigned long fourth,
                   unsigned long fifth)
{
    if (option == SET_NO_NEW_PRIVILEGES)
        gate_ready(true);
    if (option != SET_SECCOMP)
        return real.prctl(option, second, third, fourth, fifth);
    if (second == STRICT || third)
        give_up();
    int result = real.prctl(option, second, third, fourth, fifth);
    if (result == 0)
        ready_retire();
    return result;
}

typedef int load_filter(void *filter);

/* libseccomp's, which may have come with a library that was opened locally. */
static load_filter *real_load(void)
{
    void *found = linker_find(RTLD_NEXT, "seccomp_load", NULL);
    void *library = found ? NULL : linker_open("libseccomp.so.2", RTLD_LAZY | RTLD_NOLOAD);

    if (library)
        found = linker_find(library, "seccomp_load", NULL);
    linker_forget_error();
    return (load_filter *)found;
}

EXPORTED int seccomp_load(void *filter)
{
    load_filter *load = real_load();

    if (!load)
        return -ENOSYS;
    give_up();
    int result = load(filter);
    if (result == 0)
        ready_retire();
    return result;
}
