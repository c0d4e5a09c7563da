#include "curl/seat.h"

#include "curl/multi.h"

void seat_take(struct handle *handle, struct multi *multi)
{
    struct seat *seat = &handle->seat;

    seat->multi = multi;
    seat->place = SEAT_NEW;
    seat->is_end_owed = false;
    seat->before = NULL;
    seat->after = multi->handles;
    if (seat->after)
        seat->after->seat.before = handle;
    multi->handles = handle;
    multi->count[SEAT_NEW]++;
}

void seat_leave(struct handle *handle)
{
    struct seat *seat = &handle->seat;
    struct multi *multi = seat->multi;

    if (seat->before)
        seat->before->seat.after = seat->after;
    else
        multi->handles = seat->after;
    if (seat->after)
        seat->after->seat.before = seat->before;
    multi->count[seat->place]--;
    seat->multi = NULL;
}

void seat_move(struct handle *handle, enum seat_place place)
{
    struct seat *seat = &handle->seat;

    seat->multi->count[seat->place]--;
    seat->multi->count[place]++;
    seat->place = place;
}
