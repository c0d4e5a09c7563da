#include "curl/spare.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { THREADS = 8, STACK_SHIFT = 12 };

static struct handle *_Atomic spares[THREADS];

/* Two threads may share a place: then they take turns. Threads' own memory lies at least a page apart. */
static struct handle *_Atomic *own_place(void)
{
    static _Thread_local char here __attribute__((tls_model("initial-exec")));
    return &spares[(uintptr_t)&here >> STACK_SHIFT & (THREADS - 1)];
}

struct handle *spare_take(void)
{
    return atomic_exchange_explicit(own_place(), NULL, memory_order_acquire);
}

struct handle *spare_put(struct handle *handle)
{
    return atomic_exchange_explicit(own_place(), handle, memory_order_acq_rel);
}
