#include "core/srv.h"

#include <string.h>

enum {
    HEADER = 12,
    TYPE_SRV = 33,
    CLASS_IN = 1,
    FLAG_REPLY = 0x80,
    RCODE_NAME = 3,
    LABEL_MOST = 63,
    JUMPS_MOST = 64,
    ROOM = PLACE_NAME_MAX + 1
};

struct message {
    const uint8_t *bytes;
    size_t length;
    size_t at; /* what is read next */
};

static bool has(const struct message *message, size_t count)
{
    return message->at <= message->length && message->length - message->at >= count;
}

static bool read_16(struct message *message, uint16_t *value)
{
    if (!has(message, 2))
        return false;
    *value = (uint16_t)(message->bytes[message->at] << 8 | message->bytes[message->at + 1]);
    message->at += 2;
    return true;
}

static bool read_32(struct message *message, uint32_t *value)
{
    uint16_t high, low;

    if (!read_16(message, &high) || !read_16(message, &low))
        return false;
    *value = (uint32_t)high << 16 | low;
    return true;
}

/*
 * A name, whose labels may be continued elsewhere (RFC 1035, 4.1.4); text with dots, "" for the root. Jumps
 * are counted, so that a circle ends.
 */
static bool read_name(struct message *message, char text[ROOM])
{
    size_t at = message->at, length = 0, behind = 0;

    for (int jumps = 0; jumps < JUMPS_MOST;) {
        if (at >= message->length)
            return false;
        uint8_t size = message->bytes[at];
        if (size > LABEL_MOST) {
            if (size < 0xc0 || at + 1 >= message->length)
                return false;
            behind = behind ? behind : at + 2;
            at = (size_t)(size & 0x3f) << 8 | message->bytes[at + 1];
            jumps++;
            continue;
        }
        if (size == 0) {
            text[length > 0 ? length - 1 : 0] = '\0';
            message->at = behind ? behind : at + 1;
            return true;
        }
        if (size > message->length - at - 1 || length + size + 1 >= ROOM)
            return false;
        memcpy(text + length, message->bytes + at + 1, size);
        length += size;
        text[length++] = '.';
        at += size + 1u;
    }
    return false;
}

/* A target is taken where it can be a host's name, which a NUL or blank in a label cannot. */
static bool read_record(struct message *message, struct srv_record *record, bool *is_root)
{
    uint16_t port;
    char target[ROOM];

    if (!read_16(message, &record->priority) || !read_16(message, &record->weight) ||
        !read_16(message, &port) || !read_name(message, target))
        return false;
    *is_root = target[0] == '\0';
    size_t length = 0;
    while (target[length])
        length++;
    return port != 0 && length > 0 && place_from_host(&record->place, target, length, port) &&
           record->place.family == PLACE_NAME;
}

static int compare(const struct srv_record *a, const struct srv_record *b)
{
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    for (unsigned i = 0; i < sizeof a->place.name; i++) {
        if (a->place.name[i] != b->place.name[i])
            return a->place.name[i] < b->place.name[i] ? -1 : 1;
        if (!a->place.name[i])
            break;
    }
    return (a->place.port > b->place.port) - (a->place.port < b->place.port);
}

static void insert(struct srv_answer *answer, const struct srv_record *record)
{
    uint32_t at = answer->count;

    if (answer->count == SRV_MOST)
        return;
    for (; at > 0 && compare(&answer->records[at - 1], record) > 0; at--)
        answer->records[at] = answer->records[at - 1];
    answer->records[at] = *record;
    answer->count++;
}

static bool skip_question(struct message *message)
{
    char name[ROOM];
    uint16_t type, class;

    return read_name(message, name) && read_16(message, &type) && read_16(message, &class);
}

/* One record of the answer, of whatever type; false when the message is cut or broken. */
static bool take(struct srv_answer *answer, struct message *message, bool *is_root)
{
    char owner[ROOM];
    uint16_t type, class, size;
    uint32_t ttl_s;
    struct srv_record record;

    memset(&record, 0, sizeof record);
    if (!read_name(message, owner) || !read_16(message, &type) || !read_16(message, &class) ||
        !read_32(message, &ttl_s) || !read_16(message, &size) || !has(message, size))
        return false;
    size_t behind = message->at + size;
    if (type == TYPE_SRV && class == CLASS_IN && read_record(message, &record, is_root) &&
        message->at == behind) {
        insert(answer, &record);
        answer->ttl_s = ttl_s < answer->ttl_s ? ttl_s : answer->ttl_s;
    }
    message->at = behind;
    return true;
}

enum srv_verdict srv_read(struct srv_answer *answer, const uint8_t *bytes, size_t length)
{
    struct message message = {bytes, length, 4};
    uint16_t questions, answers, others;
    bool is_root = false;

    answer->count = 0;
    answer->ttl_s = UINT32_MAX;
    if (length < HEADER || !(bytes[2] & FLAG_REPLY))
        return SRV_BROKEN;
    unsigned rcode = bytes[3] & 15;
    if (rcode != 0)
        return rcode == RCODE_NAME ? SRV_NONE : SRV_BROKEN;
    read_16(&message, &questions);
    read_16(&message, &answers);
    read_16(&message, &others);
    read_16(&message, &others);
    for (; questions > 0; questions--)
        if (!skip_question(&message))
            return SRV_BROKEN;
    for (; answers > 0 && take(answer, &message, &is_root); answers--)
        ;
    if (answer->count > 0)
        return SRV_FOUND;
    return answers > 0 ? SRV_BROKEN : is_root ? SRV_REFUSED : SRV_NONE;
}

unsigned srv_pick(const uint16_t *weights, unsigned count, uint32_t dice)
{
    uint64_t sum = 0, at;

    for (unsigned i = 0; i < count; i++)
        sum += weights[i] * UINT64_C(256) + 1; /* 0 weighs a 256th of 1 */
    at = (uint64_t)dice * sum >> 32;
    for (unsigned i = 0; i + 1 < count; i++) {
        uint64_t own = weights[i] * UINT64_C(256) + 1;
        if (at < own)
            return i;
        at -= own;
    }
    return count - 1;
}
