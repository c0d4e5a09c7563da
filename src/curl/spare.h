/*
 * Handles that have gone, kept for those that come: a program that makes a handle for each request asks for
 * the same place again and again, so what was learnt about its URL, its rule and its host's memory is kept.
 * One for each of a few threads, in this process alone; a fork's child goes on with its copies.
 */
#ifndef GUSSET_CURL_SPARE_H
#define GUSSET_CURL_SPARE_H

struct handle;

/* One that has gone on this thread, as spare_put was given it; NULL: there is none. The caller owns it. */
struct handle *spare_take(void);

/* Takes a handle that has gone. Returns the one that must make room for it, the caller's to free, or NULL. */
struct handle *spare_put(struct handle *handle);

#endif
