/*
 * What an operator tells running programs, through the shared state: the switch (`gusset off`, `mode`), the
 * same for a host, and that rules have changed (`gusset reload`). All of it shows in one word that every call
 * reads anyway.
 */
#ifndef GUSSET_STATE_CONTROL_H
#define GUSSET_STATE_CONTROL_H

#include <stdbool.h>

#include "state/layout.h"

enum {
    CONTROL_AS_CONFIGURED = 0, /* else 1 + enum policy_mode, at most CONTROL_SWITCH */
    CONTROL_SWITCH = 3,        /* bits of the word: the switch */
    CONTROL_HAS_HOSTS = 4,     /* some hosts have one of their own */
    CONTROL_CHANGE = 8         /* the rest counts changes */
};

static inline uint64_t control_word(const struct layout_header *header)
{
    return atomic_load_explicit(&header->control, memory_order_relaxed);
}

/* 0..3, of a control_word. */
static inline unsigned control_switch(uint64_t word)
{
    return word & CONTROL_SWITCH;
}

/* A number that is another one after each control_change, of a control_word. */
static inline uint64_t control_changes(uint64_t word)
{
    return word / CONTROL_CHANGE;
}

/* Sets the switch for all hosts: 0..3. */
void control_set_switch(struct layout_header *header, unsigned to);

/* Tells running programs that the rules may have changed. */
void control_change(struct layout_header *header);

/*
 * Sets the switch of a host, "name:port", or "name" for all of its ports; 0 takes it back. Returns false when
 * LAYOUT_HOST_MODES hosts have one already.
 */
bool control_set_host(struct layout_header *header, const char *host, size_t length, unsigned to);

/* How many hosts have a switch of their own; and takes all of these back. */
unsigned control_hosts(const struct layout_header *header);
void control_forget_hosts(struct layout_header *header);

/* The switch of "name:port", or of its name; 0: it has none. */
unsigned control_host_switch(const struct layout_header *header, const char *host, size_t length);

#endif
