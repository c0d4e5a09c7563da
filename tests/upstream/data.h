/* What the data port answers: the request's query or the mode, under outage and capacity, counted.
 * The control port sets these from outside. */
#ifndef DATA_H
#define DATA_H

#include "count.h"
#include "reply.h"

struct data_capacity { /* a token bucket, as GCRA: one time says how full it is */
    uint64_t rps;      /* 0: no limit */
    uint64_t burst;
    uint64_t due_ns; /* when the bucket is full again */
};

struct data {
    struct count count;
    struct buffer mode;     /* the query of requests that have none; empty: all is well */
    uint64_t outage_status; /* 0: none */
    uint64_t outage_end_ns; /* UINT64_MAX: until ended */
    struct data_capacity capacity;
    struct buffer decoded; /* the present request's query, taken apart */
};

void data_start(struct data *data, uint64_t now_ns);

/* Fills the empty reply for a request whose head has come; counts it. */
void data_answer(struct data *data, const struct request *request, uint64_t now_ns, struct reply *reply);

/* Takes a request out of the bucket; false if there is none left. */
bool data_capacity_admits(struct data_capacity *capacity, uint64_t now_ns);

void data_clear(struct data *data);

#endif
