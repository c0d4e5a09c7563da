/*
 * A stretch in which the thread gets no SIGPIPE: libcurl says goodbye on a TLS connection when a handle is
 * taken out of its multi handle, and the peer may have gone. Where the program runs its multi handle it has
 * to expect that; where curl_easy_perform is run by one of ours it has not.
 */
#ifndef GUSSET_SYS_QUIET_H
#define GUSSET_SYS_QUIET_H

#include <stdbool.h>
#include <stdint.h>

#include "sys/raw.h"

struct quiet {
    uint64_t before; /* the thread's mask */
    bool was_pending;
    bool is_on;
};

static inline struct quiet quiet_begin(void)
{
    struct quiet quiet = {0};

    quiet.is_on = sys_mask_signals(SIG_BLOCK, sys_signal(SIGPIPE), &quiet.before) == 0;
    quiet.was_pending = quiet.is_on && sys_pending_signals() & sys_signal(SIGPIPE);
    return quiet;
}

static inline void quiet_end(const struct quiet *quiet)
{
    if (!quiet->is_on)
        return;
    if (!quiet->was_pending && sys_pending_signals() & sys_signal(SIGPIPE))
        sys_take_signal(sys_signal(SIGPIPE));
    sys_mask_signals(SIG_SETMASK, quiet->before, NULL);
}

#endif
