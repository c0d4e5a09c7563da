/*
 * A place: where a call wants to go, as the rules see it. A name or a literal address with a port, or
 * the path of a unix socket. Both doors and the command make places; patterns are matched with them.
 */
#ifndef GUSSET_CORE_PLACE_H
#define GUSSET_CORE_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PLACE_NAME_MAX = 255,                       /* bytes of a host name (RFC 1035), without the NUL */
    PLACE_TEXT_MAX = PLACE_NAME_MAX + 2 + 6 + 1 /* "[name]:65535" and the NUL */
};

enum place_family { PLACE_NAME = 0, PLACE_IPV4 = 4, PLACE_IPV6 = 6, PLACE_UNIX = 1 };

struct place {
    uint8_t family;                /* enum place_family */
    uint8_t name_length;           /* 0..PLACE_NAME_MAX */
    uint16_t port;                 /* 1..65535; 0 for a unix socket */
    uint8_t address[16];           /* IPv4 in the first four bytes; IPv4-mapped IPv6 is stored as IPv4 */
    char name[PLACE_NAME_MAX + 1]; /* lower case, no final dot, no brackets; the path for PLACE_UNIX */
};

/*
 * Makes a place of a host name or literal address (IPv6 with or without brackets, a zone id is cut
 * off) and a port. Returns false when the name is empty, too long, or holds a control character, a blank
 * or one of ":/[]"; *out is then unspecified.
 */
bool place_from_host(struct place *out, const char *host, size_t length, uint16_t port);

/* The same of a binary address, family PLACE_IPV4 (4 bytes) or PLACE_IPV6 (16); the name is its text. */
void place_from_address(struct place *out, enum place_family family, const void *address, uint16_t port);

/* A unix socket's path. Returns false when it is empty, holds a NUL or is longer than PLACE_NAME_MAX. */
bool place_from_path(struct place *out, const char *path, size_t length);

/* Whether it is this machine, by its address or as "localhost". */
bool place_is_loopback(const struct place *place);

/*
 * Writes "name:port", "[::1]:port" or "unix:/path" with a NUL; text has room for PLACE_TEXT_MAX bytes.
 * Returns the length without the NUL.
 */
size_t place_print(const struct place *place, char *text);

/*
 * Reads an IPv4 dotted quad or an IPv6 literal (RFC 4291, no zone), as inet_pton does, but takes an
 * IPv4-mapped one for IPv4. Returns the family, or PLACE_NAME when the text is neither, address being
 * then unspecified; address has room for 16 bytes.
 */
enum place_family place_parse_address(const char *text, size_t length, uint8_t address[16]);

#endif
