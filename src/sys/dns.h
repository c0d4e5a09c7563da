/* The C library's own resolver, which no program needs to be linked to: found when it is first asked. */
#ifndef GUSSET_SYS_DNS_H
#define GUSSET_SYS_DNS_H

#include <stddef.h>
#include <stdint.h>

enum { DNS_ANSWER_MOST = 4096 };

/*
 * Asks the servers of /etc/resolv.conf for the SRV records of a name, at most about two seconds for each.
 * Returns the length of the reply, which may be cut to size; -ENOSYS where the C library cannot, -EAGAIN
 * without a reply, -ENOENT where the server says that there is nothing. Allocates; errno and h_errno are
 * kept.
 */
long dns_ask_srv(const char *name, uint8_t *reply, size_t size);

#endif
