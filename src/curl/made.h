/*
 * A reply that no server sent, as a real transfer: libcurl is given a connection whose other end is ours
 * and already says all of the reply. So the program sees what it would see of a server, through its own
 * callbacks and with every option still holding, in each interface. The transfer goes to a URL of ours
 * (plain http, so that no TLS is asked for; CURLINFO tells the program's own, curl/told.h), past names,
 * proxies and the connections that are kept, and is never reused.
 */
#ifndef GUSSET_CURL_MADE_H
#define GUSSET_CURL_MADE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call;
struct handle;

/* What comes after all of it was said. */
enum made_end {
    MADE_ENDS,   /* the connection is closed */
    MADE_STALLS, /* nothing */
    MADE_RESETS, /* it is reset, as soon as the request has come */
    MADE_GOES_ON /* more: made_say, and at last made_close */
};

/* A reply to be made: its head with the blank line, then a body out of memory or of a file. */
struct made_reply {
    const char *head;
    size_t head_length;
    const char *body;
    size_t body_length;
    int file;             /* descriptor; -1: none. made_begin takes it over, whatever it returns */
    uint64_t file_offset; /* of the body in it, which goes on to the file's end */
    enum made_end end;
    const char *url; /* where it pretends to come from, by plain http; NULL: from nowhere */
    bool was_secure; /* the url's host was asked by TLS */
};

enum made_for {
    MADE_FOR_PROGRAM, /* the call's last word: the handle is undressed, the program's own functions take it */
    MADE_FOR_ATTEMPT  /* judged like any server's reply: the handle is dressed for the attempt. No file, and
                         little enough for a socket's buffer */
};

/*
 * The handle's next transfer gets this reply. False, and nothing is changed, where there is no memory or
 * no descriptor for it. Afterwards, however that transfer ends, made_end.
 */
bool made_begin(struct call *call, const struct made_reply *reply, enum made_for who);

/* Puts back what the program set. Nothing happens where no reply is being made. */
void made_end(struct handle *handle);

/* The handle has gone, and libcurl's end of the connection with it. */
void made_drop(struct call *call);

/* Says more of a reply that goes on; returns how many bytes were taken, 0 where there is no room just now. */
size_t made_say(struct call *call, const char *bytes, size_t size);

/* It goes on no more: the connection ends behind what was said. */
void made_close(struct call *call);

/* Whether the call's last word is being given just now: no limit of the policy holds then. */
bool made_is_last_word(const struct call *call);

/* libcurl waits, or the program's event loop has come by: takes what libcurl sent, and goes on giving. */
void made_serve(struct call *call);

/* Whether the option holds gusset's value just now, because of it. */
bool made_has_borrowed(const struct call *call, CURLoption option);

/* A duplicate got gusset's options along: gives it the program's. */
void made_undress_copy(const struct handle *from, CURL *copy);

#endif
