#include "curl/resume.h"

#include <stdlib.h>
#include <string.h>

#include "config/value.h"
#include "core/method.h"
#include "core/retry.h"
#include "curl/call.h"
#include "curl/held.h"
#include "curl/progress.h"
#include "curl/told.h"

enum { SAME_CLOCK_S = 60 }; /* how much later than Last-Modified a Date must be (RFC 9110, 8.8.2.2) */

static const char if_range[] = "If-Range: ";

bool resume_is_on(const struct call *call)
{
    return call->resume && call->resume->is_on;
}

/* ---- the validator ---- */

/* Weak ones begin with W/, and what has blanks or controls in it is none. */
static bool is_strong_tag(const struct held_value *tag)
{
    if (!tag->text || tag->length < 2 || tag->text[0] != '"' || tag->text[tag->length - 1] != '"')
        return false;
    for (size_t i = 0; i < tag->length; i++)
        if ((unsigned char)tag->text[i] <= ' ' || tag->text[i] == 0x7f)
            return false;
    return true;
}

/* A change within the same second could not be seen; so it must not be that young. */
static bool is_strong_date(const struct reply *reply, const struct held_value *modified)
{
    struct held_value date = held_field(reply, "Date");
    int64_t modified_s, date_s;

    return modified->text && date.text && retry_date(modified->text, modified->length, &modified_s) &&
           retry_date(date.text, date.length, &date_s) && date_s - modified_s >= SAME_CLOCK_S;
}

/* No text: there is no strong one. */
static struct held_value strong_validator(const struct reply *reply)
{
    struct held_value tag = held_field(reply, "ETag"), modified = held_field(reply, "Last-Modified");

    if (is_strong_tag(&tag))
        return tag;
    return is_strong_date(reply, &modified) ? modified : (struct held_value){NULL, 0};
}

static struct held_value kept_validator(const struct resume *resume)
{
    const char *text = resume->line + sizeof if_range - 1;
    return (struct held_value){text, strlen(text)};
}

/* ---- what the program reads of an error ---- */

static char *error_buffer(const struct call *call)
{
    return handles_pointer(call->handle, HANDLES_ERRORBUFFER);
}

static void say(const struct call *call, const char *words)
{
    struct value_text out = {error_buffer(call), CURL_ERROR_SIZE, 0};

    if (out.text)
        value_put(&out, words);
}

static void keep_words(const struct call *call)
{
    struct value_text out = {call->resume->words, sizeof call->resume->words, 0};
    const char *words = error_buffer(call);

    if (words)
        value_put_bytes(&out, words, strnlen(words, CURL_ERROR_SIZE));
}

/* ---- is it possible? ---- */

/* Without decoding (curl --raw) the chunks' sizes are among the bytes that came. */
static bool asks_for_all(const struct call *call)
{
    const struct handle *handle = call->handle;

    return handle->words[HANDLES_HTTP_TRANSFER_DECODING] && !handle->texts[HANDLES_RANGE].bytes &&
           !handle->words[HANDLES_RESUME_FROM_LARGE] && !inject_program_sends(call, "Range") &&
           !inject_program_sends(call, "If-Range");
}

/* Of an encoded body the program may have got the decoded bytes, whose number says nothing. */
static bool is_encoded(const struct reply *reply)
{
    struct held_value encoding = held_field(reply, "Content-Encoding");
    return encoding.text && encoding.length;
}

static bool refuses_ranges(const struct reply *reply)
{
    struct held_value ranges = held_field(reply, "Accept-Ranges");
    return held_is(&ranges, "none", 4);
}

static bool can_begin(const struct call *call)
{
    const struct reply *reply = &call->reply;
    struct held_value validator = strong_validator(reply);

    return reply->block.status == 200 && validator.text &&
           sizeof if_range + validator.length <= RESUME_LINE_MAX && !is_encoded(reply) &&
           !refuses_ranges(reply) && asks_for_all(call);
}

static int64_t total_of(const struct reply *reply)
{
    struct held_value length = held_field(reply, "Content-Length");
    return held_number(&length);
}

bool resume_is_possible(const struct call *call)
{
    const struct resume *resume = call->resume;

    if (!resume || resume->is_lost || call->reply.phase != REPLY_COMMITTED)
        return false;
    int64_t total = resume->is_on ? resume->total : total_of(&call->reply);
    if (total >= 0 && resume->delivered >= (uint64_t)total)
        return false; /* there is no rest to ask for */
    return resume->is_on || can_begin(call);
}

void resume_begin(struct call *call, CURLcode code)
{
    struct resume *resume = call->resume;

    gate_resumed(&call->gate, resume->delivered);
    if (resume->is_on)
        return;
    struct held_value validator = strong_validator(&call->reply);
    resume->is_on = true;
    resume->code = code;
    keep_words(call);
    resume->total = resume->promised = total_of(&call->reply);
    memcpy(resume->line, if_range, sizeof if_range);
    memcpy(resume->line + sizeof if_range - 1, validator.text, validator.length);
    resume->line[sizeof if_range - 1 + validator.length] = '\0';
    told_keep(call->handle);
}

/* ---- the reply to the rest ---- */

/* "bytes 500-999/1000": from there on, to its end. */
static bool is_rest(const struct held_value *range, struct resume *resume)
{
    static const char unit[] = "bytes ";
    struct held_value first, last, total;

    if (!range->text || range->length <= sizeof unit || memcmp(range->text, unit, sizeof unit - 1) != 0)
        return false;
    const char *start = range->text + sizeof unit - 1, *end = range->text + range->length;
    const char *dash = memchr(start, '-', (size_t)(end - start));
    const char *slash = dash ? memchr(dash, '/', (size_t)(end - dash)) : NULL;
    if (!slash)
        return false;
    first = (struct held_value){start, (size_t)(dash - start)};
    last = (struct held_value){dash + 1, (size_t)(slash - dash - 1)};
    total = (struct held_value){slash + 1, (size_t)(end - slash - 1)};
    int64_t all = held_number(&total);
    if (all < 0 || held_number(&first) != (int64_t)resume->delivered || held_number(&last) != all - 1 ||
        (resume->total >= 0 && resume->total != all))
        return false;
    resume->total = all;
    return true;
}

/* A 206 may leave out what its If-Range has said, but for the tag; then the header must have gone along. */
static bool is_of_same(const struct call *call, bool must_say)
{
    const struct reply *reply = &call->reply;
    struct held_value validator = kept_validator(call->resume);
    struct held_value field = held_field(reply, validator.text[0] == '"' ? "ETag" : "Last-Modified");

    if (field.text)
        return held_is(&field, validator.text, validator.length);
    return !must_say && call->inject.is_dressed && !call->inject.is_silent;
}

static bool begins_anew(const struct call *call)
{
    int64_t length = total_of(&call->reply), total = call->resume->total;

    return is_of_same(call, true) && (length < 0 || total < 0 || length == total);
}

bool resume_accepts(struct call *call)
{
    struct resume *resume = call->resume;
    struct held_value range = held_field(&call->reply, "Content-Range");
    int status = call->reply.block.status;
    bool goes_on = status == 206 && is_rest(&range, resume) && is_of_same(call, false),
         is_anew = status == 200 && begins_anew(call);

    resume->skip = is_anew ? resume->delivered : 0;
    resume->is_lost = is_encoded(&call->reply) || !(goes_on || is_anew);
    return !resume->is_lost;
}

/* ---- its body ---- */

size_t resume_room(const struct resume *resume, size_t size)
{
    if (!resume->is_on || resume->total < 0)
        return size;
    uint64_t left = (uint64_t)resume->total - resume->delivered;
    return size < left ? size : (size_t)left;
}

static bool is_short(const struct call *call)
{
    const struct resume *resume = call->resume;

    return resume_is_on(call) && call->reply.phase == REPLY_COMMITTED &&
           (resume->skip || (resume->total >= 0 && resume->delivered < (uint64_t)resume->total));
}

CURLcode resume_ended(const struct call *call, CURLcode code)
{
    if (code != CURLE_OK || !is_short(call))
        return code;
    say(call, "transfer closed with outstanding read data remaining");
    return CURLE_PARTIAL_FILE;
}

/* ---- the course of a call ---- */

static bool applies(const struct call *call)
{
    const struct policy *policy = call->gate.policy->settings;
    return policy->groups & POLICY_RETRY && policy->retry.resumes && call->is_http &&
           call->method == METHOD_GET;
}

void resume_restore(struct call *call)
{
    struct resume *resume = call->resume;

    progress_restore(call);
    if (!resume || !resume->is_worn)
        return;
    resume->is_worn = false;
    call_set(call, CURLOPT_RANGE, call->handle->texts[HANDLES_RANGE].bytes);
}

static void begin_call(struct call *call)
{
    bool was_there = call->resume;

    resume_restore(call);
    if (!applies(call)) {
        resume_free(call);
    } else if (was_there || (call->resume = malloc(sizeof *call->resume))) {
        *call->resume = (struct resume){.total = -1};
    }
}

void resume_attempt(struct call *call)
{
    char range[32];
    struct value_text out = {range, sizeof range, 0};

    if (call->gate.attempt == 1)
        begin_call(call);
    if (!call->resume)
        return;
    call->resume->came = call->resume->skip = 0;
    if (!call->resume->is_on)
        return;
    value_put_decimal(&out, call->resume->delivered, 0, 0);
    value_put(&out, "-");
    call->resume->is_worn = call_set(call, CURLOPT_RANGE, range) == CURLE_OK;
    progress_attempt(call);
}

/* What says that a reply broke off, or that the program has had enough, is true of the whole, too. */
static bool holds_of_whole(const struct call *call, CURLcode code)
{
    return (code == CURLE_OK && !call->resume->is_lost) || call->reply.program_refused ||
           code == CURLE_ABORTED_BY_CALLBACK || code == CURLE_OPERATION_TIMEDOUT ||
           code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR;
}

CURLcode resume_end(struct call *call, CURLcode code)
{
    struct resume *resume = call->resume;

    resume_restore(call);
    resume->is_on = false;
    if (!holds_of_whole(call, code)) {
        code = resume->code;
        say(call, resume->words);
    }
    told_whole(call->handle, resume->delivered, resume->promised, call->gate.opened_us, code == CURLE_OK);
    return code;
}

void resume_free(struct call *call)
{
    free(call->resume);
    call->resume = NULL;
}
