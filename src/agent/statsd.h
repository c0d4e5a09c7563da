/*
 * What was counted since the last time, as StatsD takes it: a line a counter, several lines a datagram. Host,
 * policy and mode are DogStatsD's tags, or parts of the name for servers that know none. A server that is not
 * there costs the datagrams, nothing else.
 */
#ifndef GUSSET_AGENT_STATSD_H
#define GUSSET_AGENT_STATSD_H

#include "tool/reading.h"

/* What passes an Ethernet without being split, as StatsD's own documentation has it. */
enum { STATSD_DATAGRAM = 1432 };

struct statsd { /* without interval_ms it is not asked for */
    int socket;
    bool is_untagged;
    bool is_deaf; /* the last datagram was refused: told once */
    bool has_past;
    uint64_t interval_ms, due_ms; /* monotonic */
    struct snapshot_list past;    /* as of the last time */
    char datagram[STATSD_DATAGRAM];
    size_t length;
};

/* "HOST:PORT" or "[ADDRESS]:PORT", looked up once. Returns NULL, or a sentence about what is wrong. */
const char *statsd_open(struct statsd *statsd, const char *where, uint64_t interval_ms);

/* Sends what there is, once the interval has passed or is_last. */
void statsd_turn(struct statsd *statsd, struct reading *reading, bool is_last);

/* Until the interval has passed; UINT32_MAX where it is not asked for. */
uint32_t statsd_pause_ms(const struct statsd *statsd);

void statsd_close(struct statsd *statsd);

#endif
