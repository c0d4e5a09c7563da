/*
 * A host pattern: which places a rule speaks of, and which of two patterns says more. Spelled
 * "name", "name:port", "*.suffix[:port]", "*", "10.0.0.0/8[:port]", "[2001:db8::]/32[:port]",
 * "192.0.2.7[:port]", "[::1]:443", "unix:/path"; without a port also "::1" and "2001:db8::/32".
 */
#ifndef GUSSET_CORE_PATTERN_H
#define GUSSET_CORE_PATTERN_H

#include "core/place.h"

/* In the order of specificity, the most specific last. */
enum pattern_kind { PATTERN_ANY, PATTERN_NETWORK, PATTERN_SUFFIX, PATTERN_NAME, PATTERN_UNIX };

struct pattern {
    uint8_t kind;                  /* enum pattern_kind */
    uint8_t family;                /* PATTERN_NETWORK: PLACE_IPV4 or PLACE_IPV6 */
    uint8_t prefix_bits;           /* PATTERN_NETWORK: 0..32 or 0..128; a literal address has all of them */
    uint8_t name_length;           /* of name */
    uint16_t port;                 /* 0: any */
    uint8_t address[16];           /* PATTERN_NETWORK: the network, bits past the prefix zero */
    char name[PLACE_NAME_MAX + 1]; /* lower case; for PATTERN_SUFFIX what follows "*", with its dot */
};

enum pattern_fault {
    PATTERN_FINE = 0,
    PATTERN_EMPTY,       /* no text */
    PATTERN_BAD_NAME,    /* not letters, digits, "-", "_" or UTF-8; empty label, too long */
    PATTERN_BAD_STAR,    /* a star elsewhere than alone or as the first label */
    PATTERN_BAD_PORT,    /* not 1..65535 */
    PATTERN_BAD_NETWORK, /* no address where one is meant, prefix out of range or not behind one */
    PATTERN_HOST_BITS    /* address bits set past the prefix: probably a slip */
};

/* Reads a pattern. Returns PATTERN_FINE, or what is wrong; *out is then unspecified. */
enum pattern_fault pattern_parse(struct pattern *out, const char *text, size_t length);

/* A sentence for a fault: what was expected. Static. */
const char *pattern_fault_text(enum pattern_fault fault);

/*
 * "*.example.com" does not match example.com; "*" matches all but unix sockets; a network matches
 * literal addresses only (whoever resolved a name hands in the address as a place of its own).
 */
bool pattern_matches(const struct pattern *pattern, const struct place *place);

/*
 * Orders patterns by specificity: name before longest suffix before smallest network before "*";
 * then one with a port before one without. Positive when a says more than b, negative when less,
 * 0 when equally specific (not necessarily the same pattern).
 */
int pattern_compare(const struct pattern *a, const struct pattern *b);

#endif
