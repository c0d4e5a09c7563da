#include "curl/keep.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/value.h"
#include "core/siphash.h"
#include "curl/call.h"
#include "curl/held.h"
#include "curl/keepable.h"
#include "sys/clock.h"
#include "sys/raw.h"

/* What a file begins with. */
struct preface {
    char magic[8];
    uint64_t stored_unix_s;
    uint64_t head_length; /* behind this; the body follows it */
};

static const char magic[8] = "gusset\n\1";

static bool applies(const struct call *call)
{
    return call->gate.policy->settings->groups & POLICY_STALE && keepable_request(call);
}

/* ---- its name ---- */

struct digest {
    const uint64_t *key;
    uint64_t words[2];
};

static void add(struct digest *digest, const char *text)
{
    size_t size = text ? strlen(text) + 1 : 0;
    const uint64_t first[2] = {digest->key[0] ^ digest->words[0], digest->key[1] ^ digest->words[1]};
    const uint64_t second[2] = {~digest->key[0] ^ digest->words[1], digest->key[1] ^ digest->words[0]};

    digest->words[0] = siphash(first, text, size);
    digest->words[1] = siphash(second, text, size);
}

static void add_number(struct digest *digest, uint64_t number)
{
    char text[17];
    struct value_text out = {text, sizeof text, 0};

    value_put_hex(&out, number);
    add(digest, text);
}

/* A list of the program's. */
static void add_list(struct digest *digest, const struct handle *handle, enum handles_word list)
{
    for (const struct curl_slist *node = handles_pointer(handle, list); node; node = node->next)
        if (node->data && !keepable_is_of_call(node->data))
            add(digest, node->data);
    add(digest, NULL);
}

static void write_name(const struct call *call, const struct shelf *shelf, char name[SHELF_NAME_ROOM])
{
    const struct handle *handle = call->handle;
    const struct rules_policy *policy = call->gate.policy;
    struct digest digest = {.key = shelf->key};
    struct value_text out = {name, SHELF_NAME_ROOM, 0};

    add(&digest, "GET");
    add(&digest, handle->texts[HANDLES_URL].bytes);
    add(&digest, handle->texts[HANDLES_DEFAULT_PROTOCOL].bytes);
    add(&digest, handle->texts[HANDLES_UNIX_SOCKET_PATH].bytes);
    add(&digest, handle->texts[HANDLES_PROXY].bytes);
    add(&digest, call->gate.host); /* with the port, wherever that was given */
    add(&digest, policy->name);
    add(&digest, handle->words[HANDLES_SSL_VERIFYPEER] ? "peer" : NULL); /* whoever that was */
    add(&digest, handle->words[HANDLES_SSL_VERIFYHOST] ? "host" : NULL);
    add_number(&digest, handle->resolved); /* another server, perhaps */
    add_list(&digest, handle, HANDLES_CONNECT_TO);
    add_list(&digest, handle, HANDLES_HTTPHEADER);
    for (uint32_t i = 0; i < policy->header_count; i++)
        add(&digest, policy->headers[i].line);
    if (policy->settings->propagate & POLICY_TENANT_ID)
        add(&digest, call->inject.tenant_id);
    if (policy->settings->propagate & POLICY_PROJECT_ID)
        add(&digest, call->inject.project_id);
    value_put_hex(&out, digest.words[0]);
    value_put_hex(&out, digest.words[1]);
}

/* ---- writing ---- */

static void stop(struct keep *keep)
{
    if (!keep->is_on)
        return;
    keep->is_on = false;
    sys_close(keep->file);
    shelf_drop(&keep->shelf, keep->draft);
    shelf_close(&keep->shelf);
}

static void write_all(struct call *call, const void *bytes, size_t size)
{
    struct keep *keep = call->keep;
    const char *at = bytes;

    keep->size += size;
    if (keep->size > keep->most) {
        stop(keep);
        return;
    }
    while (size > 0) {
        long done = sys_write(keep->file, at, size);
        if (done <= 0) { /* a full disk, most likely */
            stop(keep);
            return;
        }
        at += done;
        size -= (size_t)done;
    }
}

/* Growing beyond RLIMIT_FSIZE (`ulimit -f`) would not only fail but raise SIGXFSZ, which ends the program. */
static uint64_t size_most(const struct call *call)
{
    uint64_t rule = call->gate.policy->settings->stale.size, limit = sys_file_size_limit();
    return rule < limit ? rule : limit;
}

void keep_call(struct call *call)
{
    bool was_there = call->keep;

    if (was_there)
        stop(call->keep);
    if (!applies(call))
        keep_free(call);
    else if (!was_there)
        call->keep = calloc(1, sizeof *call->keep);
}

void keep_head(struct call *call)
{
    struct keep *keep = call->keep;
    struct preface preface = {.stored_unix_s = clock_unix_ms() / 1000};
    char head[KEEPABLE_HEAD_MAX];

    if (keep->is_on || !keepable_reply(&call->reply) || !keepable_request(call))
        return;
    preface.head_length = keepable_head(&call->reply, head);
    keep->most = size_most(call);
    if (!preface.head_length || sizeof preface + preface.head_length > keep->most ||
        shelf_open(&keep->shelf, call->gate.ready, true) < 0)
        return;
    keep->file = shelf_draft(&keep->shelf, keep->draft);
    if (keep->file < 0) {
        shelf_close(&keep->shelf);
        return;
    }
    write_name(call, &keep->shelf, keep->name);
    memcpy(preface.magic, magic, sizeof magic);
    keep->is_on = true;
    keep->size = 0;
    write_all(call, &preface, sizeof preface);
    if (keep->is_on)
        write_all(call, head, (size_t)preface.head_length);
    keep->head = keep->size;
}

void keep_body(struct call *call, const char *bytes, size_t size)
{
    if (call->keep->is_on)
        write_all(call, bytes, size);
}

/*
 * What ended well need not be the whole: the program may have told libcurl not to look at its length
 * (CURLOPT_IGNORE_CONTENT_LENGTH), or that it has a newer one (CURLOPT_TIMECONDITION), and then there is no
 * body.
 */
static bool is_all_there(const struct call *call)
{
    struct held_value length = held_field(&call->reply, "Content-Length");
    int64_t promised = held_number(&length);
    long is_unmet = 0;

    call->handle->libcurl->easy_getinfo(call->handle->easy, CURLINFO_CONDITION_UNMET, &is_unmet);
    return !is_unmet && (promised < 0 || (uint64_t)promised == call->keep->size - call->keep->head);
}

void keep_end(struct call *call, bool is_whole)
{
    struct keep *keep = call->keep;
    const struct policy_stale *rule = &call->gate.policy->settings->stale;

    if (!keep->is_on)
        return;
    if (!is_whole || !is_all_there(call)) {
        stop(keep);
        return;
    }
    keep->is_on = false;
    sys_close(keep->file);
    shelf_keep(&keep->shelf, keep->draft, keep->name, keep->size, rule->size, rule->age_ms / 1000);
    shelf_close(&keep->shelf);
}

void keep_free(struct call *call)
{
    if (!call->keep)
        return;
    stop(call->keep);
    free(call->keep);
    call->keep = NULL;
}

/* ---- reading ---- */

static bool read_head(const struct call *call, struct keep_found *found)
{
    struct preface preface;
    struct stat file;
    uint64_t now_s = clock_unix_ms() / 1000;

    if (sys_read(found->file, &preface, sizeof preface) != sizeof preface ||
        memcmp(preface.magic, magic, sizeof magic) != 0 || preface.head_length > KEEPABLE_HEAD_MAX ||
        sys_read(found->file, found->head, (size_t)preface.head_length) != (long)preface.head_length ||
        sys_fstat(found->file, &file) < 0)
        return false;
    found->head_length = (size_t)preface.head_length;
    found->body_offset = sizeof preface + preface.head_length;
    found->body_length = (uint64_t)file.st_size - found->body_offset;
    found->age_s = now_s > preface.stored_unix_s ? (uint32_t)(now_s - preface.stored_unix_s) : 0;
    return found->age_s <= call->gate.policy->settings->stale.age_ms / 1000;
}

bool keep_find(const struct call *call, struct keep_found *found)
{
    char name[SHELF_NAME_ROOM];
    struct shelf shelf;

    if (!applies(call) || shelf_open(&shelf, call->gate.ready, false) < 0)
        return false;
    write_name(call, &shelf, name);
    found->file = shelf_find(&shelf, name);
    shelf_close(&shelf);
    if (found->file < 0)
        return false;
    if (read_head(call, found))
        return true;
    sys_close(found->file);
    return false;
}

bool keep_is_there(const struct call *call)
{
    struct keep_found found;

    if (!keep_find(call, &found))
        return false;
    sys_close(found.file);
    return true;
}
