/*
 * What was found out about the places in a program that call us: a small number for each, good until the
 * program opens another library. A memory without a lock; what it has no room for is found out again.
 */
#ifndef GUSSET_SYS_SITES_H
#define GUSSET_SYS_SITES_H

#include "sys/libcurl.h"

enum { SITES_MOST = 15 }; /* the greatest number that is kept */

/* The number kept for a return address since the program opened its opened-th library; -1: none. */
int sites_find(enum libcurl_flavour flavour, const void *site, unsigned opened);

void sites_keep(enum libcurl_flavour flavour, const void *site, unsigned opened, unsigned number);

#endif
