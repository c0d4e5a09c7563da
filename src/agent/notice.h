/*
 * What a machine says to others of its circuits, a line each, in a text that anybody may have written:
 *   gusset 1 9c1f3a5577e0b2d4
 *   open failures 40000a3f12000c81 28650 api.example.com:443 standard
 *   closed hand 8fff00a3f1200c81 0 db.internal:5432 -
 * First whose memory it is told of, which parts an agent beside this one from another machine's. Then: state,
 * what opened it, which opening it is, for how many milliseconds yet (0: until it is reset), host, policy
 * ("-": all of the host's). What is not just so is passed over.
 */
#ifndef GUSSET_AGENT_NOTICE_H
#define GUSSET_AGENT_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "state/layout.h"

struct notice {
    bool is_open; /* else it has been, and is closed now */
    bool is_by_hand;
    uint64_t opening; /* another one each time that it opens */
    uint32_t left_ms; /* 0: until it is reset */
    char host[LAYOUT_HOST_TEXT];
    char policy[LAYOUT_POLICY_TEXT]; /* "" for all */
};

/* Whether host and policy can be written so: no blanks in them, nothing but ASCII. */
bool notice_can_say(const char *host, const char *policy);

/* The first line, then one a notice. memory: a number of its own for each state file; 0: it is not told. */
void notice_begin(FILE *to, uint64_t memory);
void notice_write(FILE *to, const struct notice *notice);

/* Reads the first line of a text; *at moves behind it. False: it is none of ours. */
bool notice_begins(const char **at, const char *end, uint64_t *memory);

/* The next notice that is well formed; *at moves behind it. False when there is none. */
bool notice_next(const char **at, const char *end, struct notice *notice);

#endif
