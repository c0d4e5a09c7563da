#include "core/place.h"

#include <string.h>

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* The value of a hexadecimal digit, -1 for anything else. */
static int hex_value(char byte)
{
    if (is_digit(byte))
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

/* Four decimal octets, no leading zeros: what inet_pton takes, not the shorter forms of inet_aton. */
static bool parse_ipv4(const char *text, size_t length, uint8_t address[4])
{
    size_t at = 0;

    for (int octet = 0; octet < 4; octet++) {
        if (octet > 0 && (at == length || text[at++] != '.'))
            return false;
        size_t first = at;
        unsigned value = 0;
        while (at < length && at - first < 3 && is_digit(text[at]))
            value = value * 10 + (unsigned)(text[at++] - '0');
        if (at == first || value > 255 || (at - first > 1 && text[first] == '0'))
            return false;
        address[octet] = (uint8_t)value;
    }
    return at == length;
}

/* Up to four hexadecimal digits into two bytes; returns how many digits there were. */
static size_t parse_group(const char *text, size_t length, uint8_t group[2])
{
    size_t digits = 0;
    unsigned value = 0;

    while (digits < length && digits < 4 && hex_value(text[digits]) >= 0)
        value = value << 4 | (unsigned)hex_value(text[digits++]);
    group[0] = (uint8_t)(value >> 8);
    group[1] = (uint8_t)value;
    return digits;
}

/* Opens the gap that "::" stands for: what follows it moves to the end. */
static void open_gap(uint8_t address[16], unsigned filled, unsigned gap)
{
    unsigned tail = filled - gap;

    for (unsigned i = 1; i <= 16 - gap; i++)
        address[16 - i] = i <= tail ? address[filled - i] : 0;
}

static bool parse_ipv6(const char *text, size_t length, uint8_t address[16])
{
    enum { NO_GAP = 17 };
    unsigned filled = 0, gap = NO_GAP;
    size_t at = 0;

    if (length >= 2 && text[0] == ':' && text[1] == ':') {
        gap = 0;
        at = 2;
    }
    while (at < length) {
        if (filled == 16)
            return false;
        if (filled <= 12 && parse_ipv4(text + at, length - at, address + filled)) {
            filled += 4;
            break;
        }
        size_t digits = parse_group(text + at, length - at, address + filled);
        if (digits == 0)
            return false;
        filled += 2;
        at += digits;
        if (at == length)
            break;
        if (text[at++] != ':' || at == length)
            return false;
        if (text[at] == ':') {
            if (gap != NO_GAP)
                return false;
            gap = filled;
            at++;
        }
    }
    if (gap == NO_GAP)
        return filled == 16;
    if (filled == 16)
        return false; /* "::" stands for one group at least */
    open_gap(address, filled, gap);
    return true;
}

/* ::ffff:192.0.2.1 is 192.0.2.1 seen through an IPv6 socket. */
static bool is_mapped(const uint8_t address[16])
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(address, prefix, sizeof prefix) == 0;
}

enum place_family place_parse_address(const char *text, size_t length, uint8_t address[16])
{
    if (parse_ipv4(text, length, address)) {
        memset(address + 4, 0, 12);
        return PLACE_IPV4;
    }
    if (!parse_ipv6(text, length, address))
        return PLACE_NAME;
    if (!is_mapped(address))
        return PLACE_IPV6;
    memcpy(address, address + 12, 4);
    memset(address + 4, 0, 12);
    return PLACE_IPV4;
}

static size_t print_decimal(char *text, unsigned value)
{
    size_t digits = 1;

    for (unsigned rest = value; rest >= 10; rest /= 10)
        digits++;
    for (size_t i = digits; i-- > 0; value /= 10)
        text[i] = (char)('0' + value % 10);
    return digits;
}

/* The same for 0 to 255, without a loop: every connect(2) prints four. */
static inline size_t print_octet(char *text, unsigned value)
{
    size_t at = 0;

    if (value >= 100)
        text[at++] = (char)('0' + value / 100);
    if (value >= 10)
        text[at++] = (char)('0' + value / 10 % 10);
    text[at++] = (char)('0' + value % 10);
    return at;
}

static size_t print_ipv4(char *text, const uint8_t address[4])
{
    size_t at = 0;

    for (int octet = 0; octet < 4; octet++) {
        if (octet > 0)
            text[at++] = '.';
        at += print_octet(text + at, address[octet]);
    }
    return at;
}

static unsigned group_of(const uint8_t address[16], unsigned index)
{
    return (unsigned)address[2 * index] << 8 | address[2 * index + 1];
}

/* How many groups from index on are zero. */
static unsigned zero_run(const uint8_t address[16], unsigned index)
{
    unsigned run = 0;

    while (index + run < 8 && group_of(address, index + run) == 0)
        run++;
    return run;
}

static size_t print_group(char *text, unsigned group)
{
    size_t at = 0;

    for (int shift = 12; shift >= 0; shift -= 4)
        if (group >> shift != 0 || shift == 0)
            text[at++] = "0123456789abcdef"[group >> shift & 15];
    return at;
}

/* RFC 5952: lower case, no leading zeros, "::" for the first longest run of two zero groups or more. */
static size_t print_ipv6(char *text, const uint8_t address[16])
{
    unsigned gap = 8, longest = 1;
    size_t at = 0;

    for (unsigned i = 0; i < 8; i++) {
        if (zero_run(address, i) > longest) {
            gap = i;
            longest = zero_run(address, i);
        }
    }
    for (unsigned i = 0; i < 8;) {
        if (i == gap) {
            text[at++] = ':';
            text[at++] = ':';
            i += longest;
            continue;
        }
        if (i > 0 && i != gap + longest)
            text[at++] = ':';
        at += print_group(text + at, group_of(address, i++));
    }
    return at;
}

void place_from_address(struct place *out, enum place_family family, const void *address, uint16_t port)
{
    const uint8_t *bytes = address;

    if (family == PLACE_IPV6 && is_mapped(bytes)) {
        family = PLACE_IPV4;
        bytes += 12;
    }
    memset(out->address, 0, sizeof out->address);
    if (family == PLACE_IPV6) {
        memcpy(out->address, bytes, 16);
        out->name_length = (uint8_t)print_ipv6(out->name, bytes);
    } else {
        memcpy(out->address, bytes, 4);
        out->name_length = (uint8_t)print_ipv4(out->name, bytes);
    }
    out->name[out->name_length] = '\0';
    out->family = (uint8_t)family;
    out->port = port;
}

/* Neither blank nor control character, nor what parts a host from its port or path. */
static bool is_name_byte(char byte)
{
    unsigned char value = (unsigned char)byte;
    return value > ' ' && value != 0x7f && byte != ':' && byte != '/' && byte != '[' && byte != ']';
}

static bool from_name(struct place *out, const char *name, size_t length, uint16_t port)
{
    if (length == 0 || length > PLACE_NAME_MAX || name[length - 1] == '.')
        return false;
    for (size_t i = 0; i < length; i++) {
        char byte = name[i];
        if (!is_name_byte(byte))
            return false;
        out->name[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
    }
    out->name[length] = '\0';
    out->name_length = (uint8_t)length;
    memset(out->address, 0, sizeof out->address);
    out->family = PLACE_NAME;
    out->port = port;
    return true;
}

/* Where byte stands first in text, or length. */
static size_t find_byte(const char *text, size_t length, char byte)
{
    size_t at = 0;

    while (at < length && text[at] != byte)
        at++;
    return at;
}

bool place_from_host(struct place *out, const char *host, size_t length, uint16_t port)
{
    uint8_t address[16];
    bool bracketed = length >= 2 && host[0] == '[' && host[length - 1] == ']';

    if (bracketed) {
        host++;
        length -= 2;
    }
    if (length > PLACE_NAME_MAX + 1) /* with a final dot */
        return false;
    bool colon = find_byte(host, length, ':') < length;
    if (bracketed && !colon)
        return false;
    if (colon)
        length = find_byte(host, length, '%'); /* the zone of fe80::1%eth0 */
    else if (length > 0 && host[length - 1] == '.')
        length--;

    enum place_family family = place_parse_address(host, length, address);
    if (family == PLACE_NAME)
        return !colon && from_name(out, host, length, port);
    place_from_address(out, family, address, port);
    return true;
}

/* memcpy that returns the length; a loop, so that a fortified build asks for no __memcpy_chk. */
static size_t put(char *text, const char *from, size_t length)
{
    for (size_t i = 0; i < length; i++)
        text[i] = from[i];
    return length;
}

bool place_from_path(struct place *out, const char *path, size_t length)
{
    if (length == 0 || length > PLACE_NAME_MAX || find_byte(path, length, '\0') < length)
        return false;
    put(out->name, path, length);
    out->name[length] = '\0';
    out->name_length = (uint8_t)length;
    memset(out->address, 0, sizeof out->address);
    out->family = PLACE_UNIX;
    out->port = 0;
    return true;
}

bool place_is_loopback(const struct place *place)
{
    static const uint8_t here[16] = {[15] = 1};

    switch ((enum place_family)place->family) {
    case PLACE_IPV4:
        return place->address[0] == 127;
    case PLACE_IPV6:
        return memcmp(place->address, here, sizeof here) == 0;
    case PLACE_NAME:
        return strcmp(place->name, "localhost") == 0;
    case PLACE_UNIX:
        break;
    }
    return false;
}

size_t place_print(const struct place *place, char *text)
{
    size_t at = 0;

    if (place->family == PLACE_UNIX)
        at += put(text, "unix:", 5);
    if (place->family == PLACE_IPV6)
        text[at++] = '[';
    at += put(text + at, place->name, place->name_length);
    if (place->family == PLACE_IPV6)
        text[at++] = ']';
    if (place->family != PLACE_UNIX) {
        text[at++] = ':';
        at += print_decimal(text + at, place->port);
    }
    text[at] = '\0';
    return at;
}
