#include "curl/substitute.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "config/value.h"
#include "core/method.h"
#include "curl/call.h"
#include "curl/made.h"
#include "sys/raw.h"

enum { HEAD_MOST = 1024, SENTENCE_MOST = CURL_ERROR_SIZE };

/* ---- a head ---- */

/* RFC 9110, 15; a phrase may be empty. */
static const char *phrase(uint32_t status)
{
    static const struct {
        uint16_t status;
        const char *phrase;
    } known[] = {
        {200, "OK"                   },
        {201, "Created"              },
        {202, "Accepted"             },
        {204, "No Content"           },
        {400, "Bad Request"          },
        {403, "Forbidden"            },
        {404, "Not Found"            },
        {410, "Gone"                 },
        {429, "Too Many Requests"    },
        {500, "Internal Server Error"},
        {502, "Bad Gateway"          },
        {503, "Service Unavailable"  },
        {504, "Gateway Timeout"      },
    };
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].status == status)
            return known[i].phrase;
    return "";
}

struct head {
    char text[HEAD_MOST];
    struct value_text out;
};

static void begin(struct head *head, uint32_t status)
{
    head->out = (struct value_text){head->text, sizeof head->text, 0};
    value_put(&head->out, "HTTP/1.1 ");
    value_put_decimal(&head->out, status, 0, 0);
    value_put(&head->out, " ");
    value_put(&head->out, phrase(status));
    value_put(&head->out, "\r\n");
}

static void add(struct head *head, const char *name, const char *value)
{
    value_put(&head->out, name);
    value_put(&head->out, ": ");
    value_put(&head->out, value);
    value_put(&head->out, "\r\n");
}

static void add_number(struct head *head, const char *name, uint64_t number)
{
    char text[24];
    struct value_text out = {text, sizeof text, 0};

    value_put_decimal(&out, number, 0, 0);
    add(head, name, text);
}

/* A reply of these statuses ends with its head, and says no length (RFC 9110, 8.6). */
static bool has_body(uint32_t status)
{
    return status != 204 && status != 304;
}

static void leave_out_body(const struct call *call, uint32_t status, struct made_reply *reply)
{
    if (call->method != METHOD_HEAD && has_body(status))
        return;
    reply->body_length = 0;
    if (reply->file >= 0)
        sys_close(reply->file);
    reply->file = -1;
}

/* ---- a status instead of the refusal ---- */

static const char *reason_of(const struct verdict *verdict)
{
    return verdict->reason == VERDICT_LIMITED ? "limited" : "circuit_open";
}

static bool give_status(struct call *call, const struct verdict *verdict, uint32_t status)
{
    char sentence[SENTENCE_MOST];
    size_t length = gate_explain(&call->gate, verdict, sentence, sizeof sentence - 1);
    struct head head;

    sentence[length++] = '\n';
    begin(&head, status);
    if (verdict->wait_ms)
        add_number(&head, "Retry-After", ((uint64_t)verdict->wait_ms + 999) / 1000);
    add(&head, "Content-Type", "text/plain; charset=utf-8");
    add_number(&head, "Content-Length", length);
    add(&head, "X-Gusset-Refused", reason_of(verdict));
    value_put(&head.out, "\r\n");
    struct made_reply reply = {.head = head.text,
                               .head_length = head.out.length,
                               .body = sentence,
                               .body_length = length,
                               .file = -1};
    leave_out_body(call, status, &reply);
    return made_begin(call, &reply, MADE_FOR_PROGRAM);
}

/* ---- the rule's fallback ---- */

static const struct policy *policy_of(const struct call *call)
{
    return call->gate.policy->settings;
}

static bool has_fallback(const struct call *call)
{
    const struct policy *policy = policy_of(call);
    return policy->groups & POLICY_FALLBACK && policy->fallback.methods & call->method;
}

/* A part of something else would be taken for the asked one. */
static bool asks_for_part(const struct call *call)
{
    const struct handle *handle = call->handle;
    return handle->texts[HANDLES_RANGE].bytes || handle->words[HANDLES_RESUME_FROM_LARGE] ||
           inject_program_sends(call, "Range");
}

/* A regular file, and its size; -errno. */
static int open_file(const char *path, uint64_t *size)
{
    struct stat found;
    int file = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);

    if (file < 0)
        return file;
    if (sys_fstat(file, &found) < 0 || !S_ISREG(found.st_mode)) {
        sys_close(file);
        return -EINVAL;
    }
    *size = (uint64_t)found.st_size;
    return file;
}

bool substitute_is_there(const struct call *call)
{
    uint64_t size;

    if (!call->is_http || asks_for_part(call) || resume_is_on(call))
        return false;
    if (keep_is_there(call))
        return true;
    if (!has_fallback(call))
        return false;
    if (!call->gate.policy->fallback_file[0])
        return true;
    int file = open_file(call->gate.policy->fallback_file, &size);
    if (file >= 0)
        sys_close(file);
    return file >= 0;
}

static bool give_fallback(struct call *call, const char *reason)
{
    const struct rules_policy *policy = call->gate.policy;
    uint32_t status = policy->settings->fallback.status;
    struct made_reply reply = {.body = policy->fallback_body, .file = -1};
    uint64_t size = strlen(reply.body);
    struct head head;

    if (policy->fallback_file[0] && (reply.file = open_file(policy->fallback_file, &size)) < 0)
        return false;
    begin(&head, status);
    if (policy->fallback_type[0])
        add(&head, "Content-Type", policy->fallback_type);
    if (has_body(status))
        add_number(&head, "Content-Length", size);
    add(&head, "X-Gusset-Fallback", reason);
    value_put(&head.out, "\r\n");
    reply.head = head.text;
    reply.head_length = head.out.length;
    reply.body_length = reply.file < 0 ? (size_t)size : 0;
    leave_out_body(call, status, &reply);
    if (!made_begin(call, &reply, MADE_FOR_PROGRAM))
        return false;
    gate_fell_back(&call->gate, status);
    return true;
}

/* ---- an earlier reply ---- */

static bool give_stale(struct call *call, const char *reason)
{
    struct keep_found found;
    struct head head;

    if (!keep_find(call, &found))
        return false;
    head.out = (struct value_text){found.head, sizeof found.head, found.head_length};
    add_number(&head, "Content-Length", found.body_length);
    add_number(&head, "Age", found.age_s);
    add(&head, "Warning", "110 - \"Response is Stale\"");
    add(&head, "X-Gusset-Stale", reason);
    value_put(&head.out, "\r\n");
    struct made_reply reply = {.head = found.head,
                               .head_length = head.out.length,
                               .file = found.file,
                               .file_offset = found.body_offset};
    if (!made_begin(call, &reply, MADE_FOR_PROGRAM))
        return false;
    gate_gave_stale(&call->gate, found.age_s);
    return true;
}

static bool give(struct call *call, const char *reason)
{
    return give_stale(call, reason) || (has_fallback(call) && give_fallback(call, reason));
}

bool substitute_failure(struct call *call, const struct verdict *verdict)
{
    return give(call, verdict->reason == VERDICT_CIRCUIT_OPEN ? "circuit_open" : "exhausted");
}

bool substitute_refusal(struct call *call, const struct verdict *verdict)
{
    const struct policy *policy = policy_of(call);
    bool is_open = verdict->reason == VERDICT_CIRCUIT_OPEN;

    if (!call->is_http || resume_is_on(call))
        return false;
    if (is_open && substitute_is_there(call) && give(call, "circuit_open"))
        return true;
    if (is_open && policy->breaker.reject == POLICY_REJECT_REPLY)
        return give_status(call, verdict, 503);
    if (verdict->reason == VERDICT_LIMITED && policy->limit.reject == POLICY_REJECT_REPLY)
        return give_status(call, verdict, 429);
    return false;
}
