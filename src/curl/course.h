/*
 * A call's course in a multi handle: the steps of curl/transfer.h, between which it waits by parking. Each of
 * these may end the call; its message then waits for the program.
 */
#ifndef GUSSET_CURL_COURSE_H
#define GUSSET_CURL_COURSE_H

#include "curl/handles.h"

/* The loop comes by a handle that is new: its call begins, where a rule matches. */
void course_open(struct handle *handle);

/* The call is new, or was parked and is due: its (next) attempt is made, where the gate lets it. */
void course_goes_on(struct handle *handle);

/* libcurl says that the transfer of the handle's call has ended with code. */
void course_ended(struct handle *handle, CURLcode code);

/* A second attempt of the call is under way (curl/hedge.h): who is first? */
void course_races(struct handle *handle);

/* The call is over, and this is what the program gets. */
void course_finish(struct handle *handle, CURLcode code);

/* The handle leaves the multi handle: a call of ours that it has there is given up. */
void course_give_up(struct handle *handle);

#endif
