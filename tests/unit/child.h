/* What would change the whole process (limits, mounts, signals, descriptors) is tested in a child of its own.
 */
#ifndef GUSSET_TESTS_CHILD_H
#define GUSSET_TESTS_CHILD_H

#include <sys/types.h>
#include <sys/wait.h>

/* A child's exit status. */
enum { WORKED = 0, FAILED = 1, CANNOT = 77 };

/* Waits for the child, and judges by its end; cannot: why the test is skipped where the child could not. */
static inline void child_ends(pid_t child, const char *cannot)
{
    int status = 0;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT) {
        print_message("skipped: %s\n", cannot);
        skip();
    }
    assert_int_equal(status, WORKED);
}

#endif
