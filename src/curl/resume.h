/*
 * A body that broke off, continued: the next attempt asks for the rest of it (Range) and only of the very
 * same representation (If-Range, RFC 9110, 13.1.5), and the program sees one whole reply. Where that cannot
 * be exact it is not done: without a strong validator, of an encoded body, or of a part that the program
 * asked for itself. A reply that does not go on where the first one broke off ends the call with the first
 * one's error.
 */
#ifndef GUSSET_CURL_RESUME_H
#define GUSSET_CURL_RESUME_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RESUME_LINE_MAX = 256 };

struct call;

/* Of a call whose rule has retry.resume. */
struct resume {
    bool is_on;          /* the program has the beginning: this attempt is to go on with it */
    bool is_lost;        /* its reply was not what would go on */
    bool is_worn;        /* CURLOPT_RANGE is ours */
    bool wears_progress; /* and the progress function (curl/progress.h) */
    CURLcode code;       /* what broke off first, and libcurl's words for it */
    char words[CURL_ERROR_SIZE];
    uint64_t delivered;         /* bytes of the body that the program has */
    uint64_t came;              /* of these, in this attempt */
    uint64_t skip;              /* bytes that the program has already: the reply begins at its beginning */
    int64_t total;              /* of the whole body; -1: unknown */
    int64_t promised;           /* the same by the first reply's head, which the program has */
    char line[RESUME_LINE_MAX]; /* "If-Range: …", the validator */
};

/* An attempt begins; before the reply's and the header's part of it. */
void resume_attempt(struct call *call);

/* The attempt failed: whether the next one could go on where it broke off. */
bool resume_is_possible(const struct call *call);

/* It will. code: what broke off. */
void resume_begin(struct call *call, CURLcode code);

/* Whether the reply, whose head is held, goes on with what the program has. To be asked once. */
bool resume_accepts(struct call *call);

/* How many of so many bytes that came are still of the body: a reply may have more than the first one
 * promised. */
size_t resume_room(const struct resume *resume, size_t size);

/* How an attempt ended: what ended well to libcurl, because it says no length, may have ended before the
 * body. */
CURLcode resume_ended(const struct call *call, CURLcode code);

/* The call is over: curl_easy_getinfo tells of one whole reply. Returns the code that the program gets. */
CURLcode resume_end(struct call *call, CURLcode code);

/* Puts the program's own CURLOPT_RANGE back. */
void resume_restore(struct call *call);

void resume_free(struct call *call);

/* Whether the program has part of a body, so that nothing else can be given to it any more. */
bool resume_is_on(const struct call *call);

#endif
