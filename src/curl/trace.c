#include "curl/trace.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sys/random.h"

static const char prefix[] = "traceparent: ";

enum {
    VALUE_LENGTH = 55, /* 00-(32 hex)-(16 hex)-(2 hex) */
    TRACE_AT = 3,
    SPAN_AT = 36,
    FLAGS_AT = 53
};

/* Sixteen bytes at once: GCC's and clang's vectors, which any x86-64 or aarch64 has. */
typedef uint8_t octets __attribute__((vector_size(16)));

static octets digits_of(octets values)
{
    return values + '0' + ((octets)(values > 9) & ('a' - '0' - 10));
}

/*
 * All 128 bits as digits: the upper halves of the bytes, then the lower ones. They are random, so which bit
 * stands where matters to nobody.
 */
static void write_hex32(char *digits, struct random_pair pair)
{
    octets bytes, low, high;

    memcpy(&bytes, &pair, sizeof bytes);
    low = digits_of(bytes & 15);
    high = digits_of(bytes >> 4);
    memcpy(digits, &high, sizeof high);
    memcpy(digits + 16, &low, sizeof low);
}

/* All zeroes is invalid for both ids of a traceparent. */
static struct random_pair not_zero(struct random_pair pair)
{
    pair.words[0] |= 0x10; /* in digit 0 */
    return pair;
}

/* The digits of one word, likewise. */
static octets hex16(uint64_t word)
{
    const uint64_t halves[2] = {word >> 4 & 0x0f0f0f0f0f0f0f0fu, word & 0x0f0f0f0f0f0f0f0fu};
    octets values;

    memcpy(&values, halves, sizeof values);
    return digits_of(values);
}

enum { HEAD_LENGTH = 24, TAIL_AT = 19 };

/* The first half of a thread's ids, which is its name: "01234567-89ab-4cde-", and what the tail is put over.
 */
static _Thread_local struct {
    uint64_t name; /* 0: not written yet */
    char text[HEAD_LENGTH];
} head __attribute__((tls_model("initial-exec")));

/* A signal handler that comes in between writes the same. */
static __attribute__((noinline)) void write_head(uint64_t name)
{
    octets values = hex16(name);
    char digits[16];

    memcpy(digits, &values, sizeof digits);
    memcpy(head.text, digits, 8);
    memcpy(head.text + 9, digits + 8, 4);
    memcpy(head.text + 14, digits + 12, 4);
    head.text[8] = head.text[13] = head.text[18] = '-';
    head.text[14] = '4'; /* the version */
    atomic_signal_fence(memory_order_seq_cst);
    head.name = name;
}

void trace_new_id(char id[TRACE_ID_ROOM])
{
    uint64_t name, word = random_named_word(&name);
    octets tail = hex16((word & ~(uint64_t)0xC0) | 0x80); /* the first digit is the variant: bits 10 */

    if (head.name != name)
        write_head(name);
    memcpy(id, head.text, HEAD_LENGTH);
    memcpy(id + TAIL_AT + 1, &tail, sizeof tail); /* twelve digits where they belong … */
    memcpy(id + TAIL_AT, &tail, 4);               /* … and the four before their dash */
    id[TAIL_AT + 4] = '-';
    id[TRACE_ID_ROOM - 1] = '\0';
}

static bool is_hex(const char *text, unsigned digits)
{
    bool any = false;

    for (unsigned i = 0; i < digits; i++) {
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
        any |= text[i] != '0';
    }
    return any; /* all zeroes is invalid for both ids */
}

/* A later version begins as ours does, and may go on behind a dash (W3C Trace Context, 4.3). */
static bool has_valid_version(const char *value)
{
    static const char digits[] = "0123456789abcdef";

    if (memcmp(value, "00-", 3) == 0)
        return value[VALUE_LENGTH] == '\0';
    return strspn(value, digits) == 2 && value[2] == '-' && memcmp(value, "ff", 2) != 0 &&
           (value[VALUE_LENGTH] == '\0' || value[VALUE_LENGTH] == '-');
}

static bool is_valid(const char *value)
{
    return value && strlen(value) >= VALUE_LENGTH && has_valid_version(value) &&
           is_hex(value + TRACE_AT, 32) && value[SPAN_AT - 1] == '-' && is_hex(value + SPAN_AT, 16) &&
           value[FLAGS_AT - 1] == '-' && strspn(value + FLAGS_AT, "0123456789abcdef") == 2;
}

/* Of a later version's flags only the one that ours has is known: sampled. */
static void take_later_version(char *value)
{
    bool is_sampled = strchr("13579bdf", value[FLAGS_AT + 1]);

    memcpy(value, "00", 2);
    memcpy(value + FLAGS_AT, is_sampled ? "01" : "00", 2);
}

bool trace_begin(char line[TRACE_PARENT_ROOM])
{
    const char *parent = getenv("TRACEPARENT");
    char *value = line + sizeof prefix - 1;

    memcpy(line, prefix, sizeof prefix - 1);
    if (is_valid(parent)) {
        memcpy(value, parent, VALUE_LENGTH);
        value[VALUE_LENGTH] = '\0';
        if (memcmp(value, "00", 2) != 0)
            take_later_version(value);
        return true;
    }
    memcpy(value, "00-", 3);
    write_hex32(value + TRACE_AT, not_zero(random_pair()));
    value[SPAN_AT - 1] = '-';
    memcpy(value + FLAGS_AT - 1, "-01", 4);
    trace_next_span(line);
    return false;
}

void trace_next_span(char line[TRACE_PARENT_ROOM])
{
    char digits[32], *span = line + sizeof prefix - 1 + SPAN_AT;

    write_hex32(digits, not_zero(random_pair()));
    memcpy(span, digits, 16);
}

/* How much of the list is sent: whole members of printable characters, as many as have room; 0: it is none.
 */
static size_t state_length(const char *state)
{
    size_t length = strlen(state);
    bool is_blank = true;

    for (size_t i = 0; i < length; i++) {
        if (state[i] < ' ' || state[i] > '~')
            return 0;
        is_blank &= state[i] == ' ';
    }
    if (length > TRACE_STATE_MAX)
        for (length = TRACE_STATE_MAX; length > 0 && state[length] != ',';)
            length--;
    return is_blank ? 0 : length;
}

void trace_state(char line[TRACE_STATE_ROOM])
{
    static const char name[] = "tracestate: ";
    const char *state = getenv("TRACESTATE");
    size_t length = state ? state_length(state) : 0;

    line[0] = '\0';
    if (!length)
        return;
    memcpy(line, name, sizeof name - 1);
    memcpy(line + sizeof name - 1, state, length);
    line[sizeof name - 1 + length] = '\0';
}
