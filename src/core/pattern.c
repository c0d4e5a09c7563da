#include "core/pattern.h"

#include <string.h>

/* A piece of the pattern's text; NULL where the pattern has no such piece. */
struct piece {
    const char *text;
    size_t length;
};

/* host [ "/" prefix ] [ ":" port ], still unread. */
struct pieces {
    struct piece host;
    struct piece prefix;
    struct piece port;
    bool literal; /* written as an IPv6 address must be: in brackets, or with more than one colon */
};

/* Where byte stands first in text at or after from, or length. */
static size_t find_byte(const char *text, size_t length, size_t from, char byte)
{
    while (from < length && text[from] != byte)
        from++;
    return from;
}

/* What follows the host: "/bits", ":port", both in this order, or nothing. */
static enum pattern_fault split_rest(struct pieces *pieces, const char *text, size_t length)
{
    size_t at = 0;

    if (length > 0 && text[0] == '/') {
        at = find_byte(text, length, 1, ':');
        pieces->prefix = (struct piece){text + 1, at - 1};
    }
    if (at == length)
        return PATTERN_FINE;
    if (text[at] != ':')
        return PATTERN_BAD_PORT;
    pieces->port = (struct piece){text + at + 1, length - at - 1};
    return PATTERN_FINE;
}

static enum pattern_fault split(struct pieces *pieces, const char *text, size_t length)
{
    if (text[0] == '[') {
        size_t end = find_byte(text, length, 1, ']');
        if (end == length)
            return PATTERN_BAD_NETWORK;
        pieces->host = (struct piece){text + 1, end - 1};
        pieces->literal = true;
        return split_rest(pieces, text + end + 1, length - end - 1);
    }

    size_t colon = find_byte(text, length, 0, ':');
    size_t slash = find_byte(text, length, 0, '/');
    pieces->literal = colon < slash && find_byte(text, slash, colon + 1, ':') < slash;
    size_t end = pieces->literal || slash < colon ? slash : colon;
    pieces->host = (struct piece){text, end};
    enum pattern_fault fault = split_rest(pieces, text + end, length - end);
    if (fault == PATTERN_FINE && pieces->literal && pieces->port.text != NULL)
        return PATTERN_BAD_PORT; /* "::1/128:443" wants brackets */
    return fault;
}

/* A loop, since clang would ask for bcmp, which core does without. */
static bool same_bytes(const void *a, const void *b, size_t length)
{
    const unsigned char *one = a, *other = b;

    for (size_t i = 0; i < length; i++)
        if (one[i] != other[i])
            return false;
    return true;
}

/* A decimal number of at most five digits, or -1. */
static int read_number(struct piece piece)
{
    int value = 0;

    if (piece.length == 0 || piece.length > 5)
        return -1;
    for (size_t i = 0; i < piece.length; i++) {
        if (piece.text[i] < '0' || piece.text[i] > '9')
            return -1;
        value = value * 10 + (piece.text[i] - '0');
    }
    return value;
}

static enum pattern_fault read_port(struct pattern *out, struct piece port)
{
    if (port.text == NULL)
        return PATTERN_FINE;
    int value = read_number(port);
    if (value < 1 || value > UINT16_MAX)
        return PATTERN_BAD_PORT;
    out->port = (uint16_t)value;
    return PATTERN_FINE;
}

/* Whether the first bits of two addresses are equal. */
static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8;
    unsigned mask = 0xff00u >> bits % 8 & 0xff;

    if (bits >= 128)
        return same_bytes(a, b, 16);
    return same_bytes(a, b, whole) && ((a[whole] ^ b[whole]) & mask) == 0;
}

static bool has_bits_past(const uint8_t address[16], unsigned bits)
{
    uint8_t network[16] = {0};

    for (unsigned bit = 0; bit < bits; bit++)
        network[bit / 8] |= (uint8_t)(address[bit / 8] & (0x80u >> bit % 8));
    return !same_bytes(network, address, 16);
}

/* The address is read already; family is what it is once an IPv4-mapped one is taken for IPv4. */
static enum pattern_fault read_network(struct pattern *out, enum place_family family, struct pieces pieces)
{
    bool mapped = family == PLACE_IPV4 && pieces.literal;
    int all = pieces.literal ? 128 : 32;
    int bits = all;

    if (pieces.prefix.text != NULL)
        bits = read_number(pieces.prefix);
    if (bits < 0 || bits > all)
        return PATTERN_BAD_NETWORK;
    if (mapped)
        bits -= 96; /* below that, the ones of ::ffff: lie past the prefix */
    if (bits < 0 || has_bits_past(out->address, (unsigned)bits))
        return PATTERN_HOST_BITS;
    out->kind = PATTERN_NETWORK;
    out->family = (uint8_t)family;
    out->prefix_bits = (uint8_t)bits;
    return PATTERN_FINE;
}

static bool is_label_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' ||
           (unsigned char)byte >= 0x80;
}

/* "10.0.0" and "10.0.0.256" are meant as addresses: no host is called so, and curl rewrites them. */
static bool looks_like_address(struct piece name)
{
    bool dot = false;

    for (size_t i = 0; i < name.length; i++) {
        if (name.text[i] != '.' && (name.text[i] < '0' || name.text[i] > '9'))
            return false;
        dot |= name.text[i] == '.';
    }
    return dot && name.text[0] != '.';
}

/* Lower-cases labels parted by single dots into out->name, behind what stands there already. */
static enum pattern_fault read_labels(struct pattern *out, struct piece name)
{
    size_t length = out->name_length;
    bool empty = true; /* the label so far */

    if (name.length > 0 && name.text[name.length - 1] == '.')
        name.length--; /* "example.com." */
    if (length + name.length > PLACE_NAME_MAX)
        return PATTERN_BAD_NAME;
    for (size_t i = 0; i < name.length; i++) {
        char byte = name.text[i];
        if (byte == '*')
            return PATTERN_BAD_STAR;
        if (byte >= 'A' && byte <= 'Z')
            byte = (char)(byte + ('a' - 'A'));
        if (byte == '.' ? empty : !is_label_byte(byte))
            return PATTERN_BAD_NAME;
        empty = byte == '.';
        out->name[length++] = byte;
    }
    if (empty)
        return PATTERN_BAD_NAME;
    out->name[length] = '\0';
    out->name_length = (uint8_t)length;
    return PATTERN_FINE;
}

static enum pattern_fault read_name(struct pattern *out, struct piece name)
{
    if (name.length == 0 || name.text[0] != '*') {
        out->kind = PATTERN_NAME;
        return looks_like_address(name) ? PATTERN_BAD_NETWORK : read_labels(out, name);
    }
    if (name.length == 1) {
        out->kind = PATTERN_ANY;
        return PATTERN_FINE;
    }
    if (name.text[1] != '.')
        return PATTERN_BAD_STAR;
    out->kind = PATTERN_SUFFIX;
    out->name[0] = '.';
    out->name_length = 1;
    return read_labels(out, (struct piece){name.text + 2, name.length - 2});
}

static enum pattern_fault read_path(struct pattern *out, struct piece path)
{
    if (path.length > PLACE_NAME_MAX)
        return PATTERN_BAD_NAME;
    for (size_t i = 0; i < path.length; i++) {
        if (path.text[i] == '*')
            return PATTERN_BAD_STAR;
        if ((unsigned char)path.text[i] < ' ' || path.text[i] == 0x7f)
            return PATTERN_BAD_NAME;
        out->name[i] = path.text[i];
    }
    out->name_length = (uint8_t)path.length;
    out->kind = PATTERN_UNIX;
    return PATTERN_FINE;
}

enum pattern_fault pattern_parse(struct pattern *out, const char *text, size_t length)
{
    struct pieces pieces = {0};

    memset(out, 0, sizeof *out);
    if (length == 0)
        return PATTERN_EMPTY;
    if (length >= 6 && same_bytes(text, "unix:/", 6)) /* "unix:80" is a host called unix */
        return read_path(out, (struct piece){text + 5, length - 5});

    enum pattern_fault fault = split(&pieces, text, length);
    if (fault == PATTERN_FINE)
        fault = read_port(out, pieces.port);
    if (fault != PATTERN_FINE)
        return fault;

    enum place_family family = place_parse_address(pieces.host.text, pieces.host.length, out->address);
    bool colon = find_byte(pieces.host.text, pieces.host.length, 0, ':') < pieces.host.length;
    if (family != PLACE_NAME && colon == pieces.literal)
        return read_network(out, family, pieces);
    if (pieces.literal || pieces.prefix.text != NULL)
        return PATTERN_BAD_NETWORK;
    memset(out->address, 0, sizeof out->address);
    return read_name(out, pieces.host);
}

const char *pattern_fault_text(enum pattern_fault fault)
{
    switch (fault) {
    case PATTERN_FINE:
        return "a host pattern";
    case PATTERN_EMPTY:
        return "expected a host name, an address, \"*\" or unix:/path, found nothing";
    case PATTERN_BAD_NAME:
        return "expected a host name: letters, digits, hyphens and underscores, parted by single dots, "
               "255 bytes at most";
    case PATTERN_BAD_STAR:
        return "a star stands alone (\"*\") or for the first labels of a name (\"*.example.com\")";
    case PATTERN_BAD_PORT:
        return "expected a port from 1 to 65535 behind the colon; an IPv6 address with a port needs brackets";
    case PATTERN_BAD_NETWORK:
        return "expected an address such as 192.0.2.7 or [2001:db8::1], alone or with a prefix length: "
               "10.0.0.0/8, [2001:db8::]/32";
    case PATTERN_HOST_BITS:
        return "the address has bits set past its prefix length";
    }
    return "unknown fault";
}

static bool ends_with(const struct place *place, const struct pattern *suffix)
{
    return place->name_length > suffix->name_length &&
           same_bytes(place->name + (place->name_length - suffix->name_length), suffix->name,
                      suffix->name_length);
}

static bool same_name(const struct place *place, const struct pattern *pattern)
{
    return place->name_length == pattern->name_length &&
           same_bytes(place->name, pattern->name, pattern->name_length);
}

bool pattern_matches(const struct pattern *pattern, const struct place *place)
{
    if (pattern->port != 0 && pattern->port != place->port)
        return false;
    switch ((enum pattern_kind)pattern->kind) {
    case PATTERN_ANY:
        return place->family != PLACE_UNIX;
    case PATTERN_NETWORK:
        return pattern->family == place->family &&
               same_prefix(pattern->address, place->address, pattern->prefix_bits);
    case PATTERN_SUFFIX:
        return place->family == PLACE_NAME && ends_with(place, pattern);
    case PATTERN_NAME:
        return place->family == PLACE_NAME && same_name(place, pattern);
    case PATTERN_UNIX:
        return place->family == PLACE_UNIX && same_name(place, pattern);
    }
    return false;
}

/* What makes one pattern of a kind say more than another of it. */
static int detail(const struct pattern *pattern)
{
    if (pattern->kind == PATTERN_SUFFIX)
        return pattern->name_length;
    if (pattern->kind == PATTERN_NETWORK) /* by how few addresses it holds */
        return pattern->prefix_bits - (pattern->family == PLACE_IPV4 ? 32 : 128);
    return 0;
}

int pattern_compare(const struct pattern *a, const struct pattern *b)
{
    if (a->kind != b->kind)
        return a->kind - b->kind;
    if (detail(a) != detail(b))
        return detail(a) - detail(b);
    return (a->port != 0) - (b->port != 0);
}
