/*
 * Headers that the policy adds to a request: nodes of our own in front of the program's list, which is
 * borrowed and never changed. What the program names itself is not added, unless the rule overrides it.
 * libcurl sends custom headers to every host that a redirect leads to; ours are silenced there.
 */
#ifndef GUSSET_CURL_INJECT_H
#define GUSSET_CURL_INJECT_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "curl/trace.h"

enum {
    INJECT_MAX = 40,      /* headers a call: the policy's own and those of propagate */
    INJECT_LINE_MAX = 320 /* of a propagated one */
};

struct call;
struct rules_policy;

struct inject {
    unsigned count;
    bool is_dressed; /* the handle holds our list */
    bool makes_id;   /* each call gets a request id of its own */
    bool is_same;    /* what the handle wears does not change between attempts while it is settled */
    bool has_key;    /* the list holds an Idempotency-Key that we made */
    bool is_silent;  /* the nodes are empty just now: the transfer is at another origin */
    const struct rules_policy *nodes_for;   /* the nodes are this policy's, and no others are behind them */
    const struct rules_policy *written_for; /* the lines that never change hold for this policy */
    struct curl_slist *kept; /* copy of the program's nodes without those overridden; NULL: its own list */
    size_t kept_room;
    struct curl_slist *list; /* what the handle wears, or is to wear: the nodes and what is behind them */
    struct curl_slist *worn;
    struct curl_slist withheld; /* stands against CURLOPT_COOKIE where credentials stay here */

    /* From here on written before it is read, and not cleared at birth. */
    const char *lines[INJECT_MAX]; /* what the nodes say when they are not silent */
    struct curl_slist nodes[INJECT_MAX];
    char request_id[INJECT_LINE_MAX]; /* the whole line; the same for all attempts of a call */
    char tenant_id[INJECT_LINE_MAX];
    char project_id[INJECT_LINE_MAX];
    char traceparent[TRACE_PARENT_ROOM];
    char tracestate[TRACE_STATE_ROOM]; /* "": none */
    char deadline[INJECT_LINE_MAX];    /* what is left when the attempt begins */
    char key[TRACE_ID_ROOM + 20];      /* the line of the Idempotency-Key; the same for all attempts */
};

/* A call begins: the request id is chosen. */
void inject_call(struct call *call);

/* An attempt begins: a new span, and the list is set where there is anything to add. */
void inject_attempt(struct call *call);

/* Other rules hold now: what was made of the old ones is made anew. */
void inject_forget_rules(struct inject *inject);

/* Both, like those before where is_same. */
void inject_repeat(struct inject *inject);

/* A request is about to be written: are the added headers for the origin that it goes to? */
void inject_check_origin(struct call *call);

/* The program has set another list from a callback of its transfer. */
void inject_program_set(struct call *call);

/* Whether an Idempotency-Key travels with the request, the program's own or ours. */
bool inject_has_key(const struct call *call);

/* Puts the program's own list back. */
void inject_restore(struct call *call);

/* Whether the program's own list sends the header with a value. name is compared without case. */
bool inject_program_sends(const struct call *call, const char *name);

/* The handle has gone that wore it; the lines stay for another call under the same policy. */
void inject_retire(struct inject *inject);

void inject_clear(struct inject *inject);

#endif
