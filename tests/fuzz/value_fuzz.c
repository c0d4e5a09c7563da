/*
 * libFuzzer: values as users and servers write them: durations, decimals, templates, Retry-After. What is
 * printed of a value must be read as the same value, and a date that libcurl can read too must be the same
 * date.
 */
#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/expand.h"
#include "config/value.h"
#include "core/retry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void differ(const char *what, const char *text, long long ours, long long theirs)
{
    fprintf(stderr, "%s \"%s\": %lld, and then %lld\n", what, text, ours, theirs);
    abort();
}

static void read_duration(const char *text, size_t length)
{
    char printed[64] = "";
    struct value_text out = {printed, sizeof printed, 0};
    uint64_t ms, again = 0;

    if (!value_duration(text, length, &ms) || ms > UINT32_MAX)
        return; /* no setting takes more */
    value_put_duration(&out, ms);
    if (!value_duration(printed, out.length, &again) || again != ms)
        differ("duration", printed, (long long)ms, (long long)again);
}

static void read_decimal(const char *text, size_t length)
{
    for (unsigned places = 0; places <= 3; places++) {
        char printed[64] = "";
        struct value_text out = {printed, sizeof printed, 0};
        uint64_t number, again = 0;

        if (!value_decimal(text, length, places, &number))
            continue;
        value_put_decimal(&out, number, places, 0);
        if (!value_decimal(printed, out.length, places, &again) || again != number)
            differ("decimal", printed, (long long)number, (long long)again);
    }
}

static void read_retry_after(const char *text, size_t length)
{
    enum { DAY_MS = 86400000 };
    const int64_t now = 1700000000;
    int64_t ms = retry_after_ms(text, length, now);

    if (ms < -1 || ms > DAY_MS)
        differ("Retry-After", text, ms, -1);
    if (ms <= 0 || strchr(text, '-') || strspn(text, "0123456789 \t") == length)
        return; /* no date, or of a year or century that libcurl guesses differently from RFC 9110 */
    time_t theirs = curl_getdate(text, NULL);
    if (theirs < 0)
        return;
    int64_t wait_ms = theirs <= now ? 0 : (theirs - now) * 1000;
    if (ms != (wait_ms < DAY_MS ? wait_ms : DAY_MS))
        differ("Retry-After", text, ms, wait_ms);
}

static const char *look_up(const char *name)
{
    return name[0] == 'A' ? "value" : NULL;
}

static void read_template(const char *text)
{
    char out[256];
    struct expand_fault fault;

    bool is_sound = expand_is_sound(text, &fault);
    long length = expand_text(text, out, sizeof out, look_up, &fault);
    if (length >= 0 && (!is_sound || strlen(out) != (size_t)length))
        differ("template", text, length, is_sound);
    if (length < 0)
        expand_explain(&fault, out, sizeof out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    size_t length = strlen(text);

    read_duration(text, length);
    read_decimal(text, length);
    read_retry_after(text, length);
    if (!strstr(text, "${file:")) /* its bytes would decide which file is read */
        read_template(text);
    free(text);
    return 0;
}
