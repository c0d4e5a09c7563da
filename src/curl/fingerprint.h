/*
 * A fingerprint of what a program has set on a handle, of all on which a connection may depend:
 * credentials, TLS settings, proxies, addresses. Handles of one fingerprint may use each other's
 * connections; libcurl's own comparison, made for one handle that is used again, stands behind it.
 *
 * What is not known to be harmless counts. A text is kept as a hash under the process's own key, never
 * in clear; an option whose value cannot be compared (a list, a function, a blob) leaves the handle
 * alone, as do those by which the program asks for connections of its own.
 */
#ifndef GUSSET_CURL_FINGERPRINT_H
#define GUSSET_CURL_FINGERPRINT_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

enum { FINGERPRINT_PARTS = 24 }; /* options a handle; one with more is left alone */

struct fingerprint_part {
    uint32_t option;
    uint64_t value; /* the number, the pointer, or the text's hash */
};

struct fingerprint {
    uint64_t sum; /* 0: not known, or alone */
    uint8_t count;
    bool is_known;
    bool is_over; /* the parts did not find room */
    struct fingerprint_part parts[FINGERPRINT_PARTS];
};

/* As curl_easy_init leaves a handle. The parts need not be written. */
static inline void fingerprint_clear(struct fingerprint *fingerprint)
{
    fingerprint->count = 0;
    fingerprint->is_known = fingerprint->is_over = false;
}

/* What an option is to a fingerprint, by its number without the type that is its thousands; no two share one.
 */
enum { FINGERPRINT_OPTIONS = 512, FINGERPRINT_OPTION_TYPE = 10000, FINGERPRINT_HARMLESS = 1 };
extern const uint8_t fingerprint_kinds[FINGERPRINT_OPTIONS];

/* Whether an option of this number counts. */
static inline bool fingerprint_counts(unsigned number)
{
    return number >= FINGERPRINT_OPTIONS || fingerprint_kinds[number] != FINGERPRINT_HARMLESS;
}

/* The program has set an option that counts. */
void fingerprint_note(struct fingerprint *fingerprint, CURLoption option, uint64_t word);

/* The fingerprint, whatever the order of the options; 0: this handle shares with no other. */
uint64_t fingerprint_of(struct fingerprint *fingerprint);

/* The keyed hash of a text, never 0; 0: no memory for the key. */
uint64_t fingerprint_text(const char *text);

#endif
