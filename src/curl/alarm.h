/*
 * When a program's event loop must come back. libcurl tells it by CURLMOPT_TIMERFUNCTION, and so do we
 * where a call of ours is due earlier; a loop that waits with select() on the sets of curl_multi_fdset gets a
 * timer among its descriptors while a call is parked, because nothing else of that call would wake it.
 */
#ifndef GUSSET_CURL_ALARM_H
#define GUSSET_CURL_ALARM_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

enum alarm_told { ALARM_LIBCURLS, ALARM_OURS, ALARM_NOTHING };

struct alarm {
    curl_multi_timer_callback function; /* the program's; NULL: its loop is not of that kind */
    void *data;
    uint64_t libcurl_due_us; /* what libcurl has asked for; 0: nothing */
    uint64_t told_us;        /* ours, when the program was told of it */
    enum alarm_told told;    /* whose moment the program's timer is set to */
    int timer;               /* descriptor + 1; 0: none */
    uint64_t timer_of;       /* the process that has made it (sys/generation) */
};

/* libcurl asks for its moment. Returns what the program's function, told the nearer of the two, says. */
int alarm_hears(struct alarm *alarm, CURLM *multi, long libcurl_ms, uint64_t our_due_us);

/* The program says that its timer has fired: what it was told is used up. */
void alarm_fired(struct alarm *alarm);

/*
 * Tells the program what is nearer now, where that is not what it knows. Returns false when its function
 * failed. our_due_us: monotonic; 0: nothing.
 */
bool alarm_tell(struct alarm *alarm, CURLM *multi, uint64_t our_due_us);

/* A descriptor that can be read at due_us; -1: none is to be had. 0 closes it. */
int alarm_descriptor(struct alarm *alarm, uint64_t due_us);

/* Milliseconds from now until due_us, rounded up; 0 when it has passed. */
long alarm_left_ms(uint64_t due_us);

#endif
