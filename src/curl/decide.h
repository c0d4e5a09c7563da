/*
 * Whose is a reply? It is decided once, by the gate, when the reply's final block has ended: it is kept,
 * which commits the call to it, or thrown away, because another attempt follows.
 */
#ifndef GUSSET_CURL_DECIDE_H
#define GUSSET_CURL_DECIDE_H

#include <stddef.h>

struct call;

/* Decides, and hands over what is held of a reply that is kept. Returns as deliver_held does. */
size_t decide_whose(struct call *call);

/* The reply is the program's without asking. Returns as deliver_held does. */
size_t decide_keep(struct call *call);

/* It is nobody's: what comes of it is thrown away. */
void decide_swallow(struct call *call);

#endif
