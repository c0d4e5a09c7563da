#include "behave.h"

#include <stdio.h>

static const char *const places[] = {"headers", "body", NULL};
static const char *const hows[] = {"status", "reset", "mixed", NULL};
static const char *const echoes[] = {"request", "body", NULL};
static const char *const lengths[] = {"wrong", NULL};

enum {
    BEHAVE_HOUR_MS = 3600 * 1000,
    BEHAVE_HEADERS_MOST = 1024 * 1024,
    BEHAVE_RATE_MOST = 1000 * 1000 * 1000,
};
static const uint64_t body_most = UINT64_C(1) << 40;

#define AT(field) offsetof(struct behave, field)

static const struct query_key keys[] = {
    {.name = "key",      .kind = QUERY_TEXT, .offset = AT(key)},
    {"status", QUERY_NUMBER, AT(fault.status), 200, 999, NULL},
    {"reset",           QUERY_CHOICE, AT(fault.reset), 0, 0, places},
    {"close",  QUERY_CHOICE, AT(fault.close), 0, 0, places},
    {"stall",               QUERY_CHOICE, AT(fault.stall), 0, 0, places},
    {"length",                  QUERY_CHOICE, AT(fault.length), 0, 0, lengths},
    {"late",QUERY_NUMBER, AT(fault.late_ms), 0, BEHAVE_HOUR_MS, NULL},
    {"lose",                 QUERY_NUMBER, AT(fault.lose), 0, 1, NULL},
    {"auth",            QUERY_NUMBER, AT(fault.auth), 0, 1, NULL},
    {"redirect",            QUERY_LINE, AT(fault.redirect), 0, 0, NULL},
    {"delay",   QUERY_NUMBER, AT(pace.delay_ms), 0, BEHAVE_HOUR_MS, NULL},
    {"slow",                 QUERY_NUMBER, AT(pace.bytes_per_second), 0, BEHAVE_RATE_MOST, NULL},
    {"for",                  QUERY_NUMBER, AT(stall_ms), 0, BEHAVE_HOUR_MS, NULL},
    {"first",QUERY_NUMBER, AT(first), 0, UINT32_MAX, NULL},
    {"fail",                 QUERY_NUMBER, AT(percent), 0, 100, NULL},
    {"seed",            QUERY_NUMBER, AT(seed), 0, UINT32_MAX, NULL},
    {"how",           QUERY_CHOICE, AT(how), 0, 0, hows},
    {"body",  QUERY_NUMBER, AT(body), 0, body_most, NULL},
    {"text",                 QUERY_TEXT, AT(text), 0, 0, NULL},
    {"echo",                  QUERY_CHOICE, AT(echo), 0, 0, echoes},
    {"chunked",           QUERY_NUMBER, AT(chunked), 0, 1, NULL},
    {"headers",                 QUERY_NUMBER, AT(header_bytes), 0, BEHAVE_HEADERS_MOST, NULL},
    {"early",              QUERY_NUMBER, AT(early), 0, 1, NULL},
    {"etag",             QUERY_NUMBER, AT(etag), 0, 1, NULL},
    {"cookie",    QUERY_LINE, AT(cookie), 0, 0, NULL},
    {"retry_after",                 QUERY_LINE, AT(retry_after), 0, 0, NULL},
    {0                 },
};

static const struct behave nothing = {
    .stall_ms = 60000,
    .first = BEHAVE_ABSENT,
    .percent = BEHAVE_ABSENT,
    .body = BEHAVE_ABSENT,
};

/* Faults that end the connection: a request can have one. */
static int cuts(const struct behave_fault *fault)
{
    return (fault->reset != 0) + (fault->close != 0) + (fault->stall != 0) + (fault->length != 0) +
           (fault->lose != 0);
}

static const char *contradiction(const struct behave *b)
{
    if (cuts(&b->fault) > 1)
        return "reset, close, stall, length and lose exclude each other";
    if ((b->body != BEHAVE_ABSENT) + (b->text != NULL) + (b->echo != 0) > 1)
        return "body, text and echo exclude each other";
    if (b->fault.redirect && b->fault.status && b->fault.status / 100 != 3)
        return "redirect wants a status from 300 to 399, or none for 302";
    if (b->fault.length && b->chunked)
        return "length=wrong needs a Content-Length, and chunked=1 has none";
    if (b->how && b->percent == BEHAVE_ABSENT)
        return "how needs fail=P";
    if (b->header_bytes && b->header_bytes < 12)
        return "headers wants 0 or at least 12 bytes, the shortest header line it makes";
    return NULL;
}

bool behave_parse(struct behave *behave, char *query, char why[QUERY_WHY])
{
    *behave = nothing;
    if (!query_parse(keys, behave, query, why))
        return false;
    const char *wrong = contradiction(behave);
    if (wrong)
        snprintf(why, QUERY_WHY, "%s", wrong);
    return !wrong;
}

static uint64_t splitmix64(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

bool behave_dice(uint64_t seed, uint64_t nth, uint64_t percent)
{
    return splitmix64(seed << 32 ^ nth) % 100 < percent;
}

/* fail=P strikes with what the query names; with how=, or where it names nothing, by that. */
static void fail_by_how(struct behave *b, uint64_t hit)
{
    uint64_t status = b->fault.status ? b->fault.status : 503;
    bool named = cuts(&b->fault) || b->fault.late_ms || b->fault.auth || b->fault.redirect;
    if (b->how == BEHAVE_RESET || (b->how == BEHAVE_MIXED && hit % 2 == 0))
        b->fault = (struct behave_fault){.reset = BEHAVE_HEADERS};
    else if (b->how)
        b->fault = (struct behave_fault){.status = status};
    else if (!named)
        b->fault.status = status;
}

void behave_settle(struct behave *behave, uint64_t nth, uint64_t *hits)
{
    if (nth > behave->first) {
        behave->fault = (struct behave_fault){0};
        behave->pace = (struct behave_pace){0};
    } else if (behave->percent != BEHAVE_ABSENT) {
        if (behave_dice(behave->seed, nth, behave->percent))
            fail_by_how(behave, ++*hits);
        else
            behave->fault = (struct behave_fault){0};
    }
    behave->pace.delay_ms += behave->fault.late_ms;
}

void behave_override(struct behave *behave, uint64_t status)
{
    behave->fault = (struct behave_fault){.status = status};
    behave->pace = (struct behave_pace){0};
}
