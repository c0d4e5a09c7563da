/* What the bench programs measure with. */
#ifndef GUSSET_BENCH_CLOCK_H
#define GUSSET_BENCH_CLOCK_H

#include <sys/resource.h>
#include <time.h>

static inline double clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* User and system time of this process. */
static inline double clock_cpu_ns(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e9 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e3;
}

#endif
