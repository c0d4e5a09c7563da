/*
 * A log-scale latency histogram: four buckets an octave from 64 µs to about 18 minutes, so a quantile
 * is right within a fifth. Buckets are shared 32-bit words.
 */
#ifndef GUSSET_REPORT_HISTOGRAM_H
#define GUSSET_REPORT_HISTOGRAM_H

#include <stdint.h>

#include "state/layout.h"

/* The bucket of a duration in microseconds: 0..LAYOUT_LATENCY_BUCKETS-1. */
unsigned histogram_bucket(uint64_t us);

/* The lowest duration of a bucket, in microseconds. */
uint64_t histogram_floor_us(unsigned bucket);

void histogram_add(_Atomic uint32_t *buckets, uint64_t us);

/* The q-th quantile (0 < q <= 1) in microseconds, interpolated; 0 when there is nothing. buckets is a copy.
 */
uint64_t histogram_quantile_us(const uint32_t *buckets, double q);

/*
 * How many took at most us, and how long all took together, in microseconds: interpolated within the buckets,
 * so that neither ever falls as durations are added. buckets is a copy.
 */
uint64_t histogram_within(const uint32_t *buckets, uint64_t us);
uint64_t histogram_sum_us(const uint32_t *buckets);

#endif
