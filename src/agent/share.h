/*
 * Circuits shared between machines through a Redis. Each agent with something to say keeps a text of notices
 * under a key of its own that ends by itself, and its name in a set; each second it reads those of the
 * others. What is away or answers nonsense changes nothing here.
 */
#ifndef GUSSET_AGENT_SHARE_H
#define GUSSET_AGENT_SHARE_H

#include "agent/follow.h"
#include "agent/redis.h"
#include "agent/said.h"

enum { SHARE_NAME = 33, SHARE_OTHERS = 64, SHARE_NOTICES = 1024 };

struct share { /* zero: it is not asked for */
    struct redis redis;
    const char *space;     /* the namespace */
    char name[SHARE_NAME]; /* of this agent; another one each time */
    uint64_t memory;       /* sharing_memory of the last look */
    uint64_t due_ms;       /* monotonic: when it is asked again */
    bool has_text;         /* under our key */
    bool asks_for_texts;   /* else for names */
    struct said said;
    struct follow follow;
    struct share_other {
        char name[SHARE_NAME];
        bool is_gone; /* there is no text of it any more */
    } others[SHARE_OTHERS];
    unsigned other_count, at; /* at: the next whose text comes */
    struct notice *notices;   /* heap: what they say */
    unsigned notice_count;
};

/*
 * url as written by the user, with ${…}; space of letters, digits, '.', '-' and '_'. Returns NULL, or a
 * sentence without a word of the URL.
 */
const char *share_open(struct share *share, const char *url, const char *space);

/* Takes what this machine has said back, as far as that can be done without waiting. */
void share_close(struct share *share);

/* "connected", "away", or "none" where it is not asked for. */
const char *share_word(const struct share *share);

/* For the loop, as those of redis.h. */
void share_prepare(struct share *share, struct pollfd *polled);
uint32_t share_pause_ms(const struct share *share);
void share_continue(struct share *share, const struct pollfd *polled, struct reading *reading,
                    const struct rules *rules);

#endif
