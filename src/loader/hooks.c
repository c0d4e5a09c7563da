/*
 * dlopen, dlsym and dlvsym: guard, ask, jump. The loader learns from the return address who calls (whose
 * RUNPATH counts, what comes next after it), so ours must not appear there: each hook shows its arguments
 * to a function, which may change them and says where to jump. The jump is not left to the compiler,
 * which owes nobody a tail call.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

#include "gate/ready.h"
#include "loader/deep.h"
#include "loader/lookup.h"
#include "sys/libcurl.h"
#include "sys/linker.h"

#if defined(__x86_64__)
#include "loader/jump_x86_64.h"
#elif defined(__aarch64__)
#include "loader/jump_aarch64.h"
#else
#error "write loader/jump_ARCH.h: a tail jump that shows the arguments to a function"
#endif

/* The layout is known to the assembly. */
struct jump {
    void *first;
    void *second;
    void *third;
    const void *caller;
};
_Static_assert(offsetof(struct jump, caller) == 24 && sizeof(struct jump) == 32, "as the assembly has it");

linker_function *hook_dlopen(struct jump *jump);
linker_function *hook_dlsym(struct jump *jump);
linker_function *hook_dlvsym(struct jump *jump);

static void *same(void *answer)
{
    return answer;
}

/* A deep binding binds past every preload library, so there is something to do when it is done. */
linker_function *hook_dlopen(struct jump *jump)
{
    int saved = errno;
    int mode = (int)(intptr_t)jump->second;

    libcurl_may_come();
    if (mode & RTLD_DEEPBIND && jump->first && gate_ready(true)) {
        errno = saved;
        if (deep_open(jump->first, mode, jump->caller, &jump->first))
            return (linker_function *)same;
    }
    errno = saved;
    return linker_real(LINKER_dlopen);
}

/* RTLD_NEXT is how wrappers find what is behind them: they get it. */
static bool is_ours_to_answer(const struct jump *jump)
{
    return jump->first != RTLD_NEXT && jump->second && lookup_is_curls(jump->second) &&
           lookup_knows(jump->second, jump->caller);
}

/*
 * Where the answer is ours, the jump goes to a function that returns its first argument. Where gusset is not
 * wanted (no rules, off), only a refusal is: of a function that nobody but gusset has.
 */
static linker_function *answer(struct jump *jump, const char *version, linker_function *real)
{
    bool is_wanted = gate_ready(true);
    void *found = lookup_find(jump->first, jump->second, version);

    if (found && !is_wanted)
        return real;
    jump->first = found;
    return (linker_function *)same;
}

linker_function *hook_dlsym(struct jump *jump)
{
    int saved = errno;
    linker_function *to = linker_real(LINKER_dlsym);

    if (is_ours_to_answer(jump))
        to = answer(jump, NULL, to);
    errno = saved;
    return to;
}

linker_function *hook_dlvsym(struct jump *jump)
{
    int saved = errno;
    linker_function *to = linker_real(LINKER_dlvsym);

    if (jump->third && is_ours_to_answer(jump))
        to = answer(jump, jump->third, to);
    errno = saved;
    return to;
}

JUMP(dlopen)
JUMP(dlsym)
JUMP(dlvsym)
