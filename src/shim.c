/*
 * The constructor. It does next to nothing on purpose: gusset starts at the first call that it
 * intercepts (gate/ready), so a program that calls none pays for a mapping and no more.
 */
#include <sys/auxv.h>

#include "connect/peer.h"
#include "gate/ready.h"
#include "report/log.h"

__attribute__((constructor)) static void shim_begin(void)
{
    if (getauxval(AT_SECURE)) /* a privileged program must not be governed by its caller's environment */
        gate_stay_inert();
    log_remember_stderr();
    peer_remember_heap();
}
