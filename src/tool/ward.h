/*
 * The addresses of services whose health is watched: found in the configuration, checked when they are due,
 * the outcome remembered and handed on to the circuits.
 */
#ifndef GUSSET_TOOL_WARD_H
#define GUSSET_TOOL_WARD_H

#include "core/place.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/probe.h"
#include "tool/scout.h"
#include "tool/setup.h"
#include "tool/vitals.h"

/* An address of a service, which is checked. */
struct target {
    const struct rules_service *service;
    char address[PLACE_TEXT_MAX]; /* "10.0.0.5:8001" */
    struct probe probe;           /* the last */
    struct vitals vitals;
    uint64_t due_ms; /* monotonic; UINT64_MAX while it is under way */
};

struct ward {               /* zero is an empty one */
    struct target *targets; /* heap; those of one service lie side by side */
    unsigned count;
    struct ward_found { /* the SRV names among the services' addresses */
        const struct endpoint *url;
        struct scout *scout;
        const struct route_list *list; /* what the targets were made of; NULL: nothing is known yet */
    } * found;                         /* heap */
    unsigned found_count;
    const struct rules *rules; /* what it was filled by */
    const struct options *options;
    bool waits_for_none; /* the DNS is asked by threads */
    uint64_t every_ms;   /* 0: each service by its own interval */
    bool look;           /* circuits are left alone */
    bool is_slow_told;   /* who waits is told how many are done */
    struct open_state state;
};

/*
 * Finds the services with a check, of the configuration that holds; operands: their names, none for all.
 * Returns 0, or -1 after a complaint; it is one, too, when there is nothing to check. ward_clear ends it.
 */
int ward_find(struct ward *ward, const struct setup *setup, const struct options *options);

/* The same of rules that are open, which stay so, as do the options; there may be nothing to check. */
void ward_fill(struct ward *ward, const struct rules *rules, const struct options *options);

/* Whether there is nothing to check, nor will be. */
bool ward_is_empty(const struct ward *ward);

/*
 * Whether the DNS names other addresses than it did: they are the targets from now on, and what was under way
 * has been given up.
 */
bool ward_follow(struct ward *ward);

/* Gives up the checks that are under way; its state's path and how it checks stay. */
void ward_clear(struct ward *ward);

/* Follows the DNS, checks those that are due, all at once, and waits for them. Returns 0, or -1 after a
 * complaint. */
int ward_check(struct ward *ward);

/*
 * The same for who has other things to do meanwhile: begins those that are due and not under way (0, or -1
 * after a complaint), and takes up one that has ended (probe_ended); the state is to be open by then. *before
 * becomes what it was until now. Returns NULL when none has ended.
 */
int ward_begin(struct ward *ward);
struct target *ward_take(struct ward *ward, enum vitals_state *before);

/* Until the next is due, or the DNS is to be asked again. */
uint32_t ward_until_next_ms(const struct ward *ward);

/* A service is well as a whole while one of its addresses is: the others are passed over. */
enum vitals_state ward_state(const struct ward *ward, const struct rules_service *service);

#endif
