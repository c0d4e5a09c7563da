#include "curl/alarm.h"

#include "sys/clock.h"
#include "sys/generation.h"
#include "sys/raw.h"

static bool is_earlier(uint64_t a_us, uint64_t b_us)
{
    return a_us && (!b_us || a_us < b_us);
}

long alarm_left_ms(uint64_t due_us)
{
    uint64_t now_us = clock_now_us();
    return due_us > now_us ? (long)((due_us - now_us + 999) / 1000) : 0;
}

static int tell_ours(struct alarm *alarm, CURLM *multi, uint64_t due_us)
{
    alarm->told = ALARM_OURS;
    alarm->told_us = due_us;
    return alarm->function(multi, alarm_left_ms(due_us), alarm->data);
}

int alarm_hears(struct alarm *alarm, CURLM *multi, long libcurl_ms, uint64_t our_due_us)
{
    alarm->libcurl_due_us = libcurl_ms < 0 ? 0 : clock_now_us() + (uint64_t)libcurl_ms * 1000;
    if (is_earlier(our_due_us, alarm->libcurl_due_us))
        return tell_ours(alarm, multi, our_due_us);
    alarm->told = ALARM_LIBCURLS;
    return alarm->function(multi, libcurl_ms, alarm->data);
}

void alarm_fired(struct alarm *alarm)
{
    if (alarm->told == ALARM_OURS)
        alarm->told = ALARM_NOTHING;
    else if (alarm->libcurl_due_us && !alarm_left_ms(alarm->libcurl_due_us))
        alarm->libcurl_due_us = 0; /* libcurl will ask anew */
}

bool alarm_tell(struct alarm *alarm, CURLM *multi, uint64_t our_due_us)
{
    if (!alarm->function)
        return true;
    if (is_earlier(our_due_us, alarm->libcurl_due_us)) {
        if (alarm->told == ALARM_OURS && alarm->told_us == our_due_us)
            return true;
        return tell_ours(alarm, multi, our_due_us) == 0;
    }
    if (alarm->told == ALARM_LIBCURLS)
        return true;
    alarm->told = ALARM_LIBCURLS;
    long left_ms = alarm->libcurl_due_us ? alarm_left_ms(alarm->libcurl_due_us) : -1;
    return alarm->function(multi, left_ms, alarm->data) == 0;
}

/* A program that closes all descriptors has closed ours too, and its number may be another's by now. */
static bool is_still_ours(const struct alarm *alarm)
{
    struct sys_timer_value left;
    return alarm->timer && sys_timerfd_gettime(alarm->timer - 1, &left) == 0;
}

static void drop_timer(struct alarm *alarm)
{
    if (is_still_ours(alarm))
        sys_close(alarm->timer - 1);
    alarm->timer = 0;
}

/* A forked child has its parent's timer: it must not be set by both. */
static bool has_timer(const struct alarm *alarm)
{
    return is_still_ours(alarm) && alarm->timer_of == generation_now();
}

static bool make_timer(struct alarm *alarm)
{
    drop_timer(alarm);
    int fd = sys_timerfd_create();
    if (fd < 0)
        return false;
    alarm->timer = fd + 1;
    alarm->timer_of = generation_now();
    return true;
}

int alarm_descriptor(struct alarm *alarm, uint64_t due_us)
{
    if (!due_us)
        drop_timer(alarm);
    if (!due_us || (!has_timer(alarm) && !make_timer(alarm)))
        return -1;
    sys_timerfd_settime(alarm->timer - 1, due_us);
    return alarm->timer - 1;
}
