#include "agent/share.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/sharing.h"
#include "config/expand.h"
#include "sys/clock.h"
#include "sys/random.h"

enum {
    EACH_MS = 1000,    /* and up to a fifth more, so that agents do not ask in step */
    FAULTY_MS = 10000, /* until a state that cannot be read is looked at again */
    KEY = 128,
    URL = 1024,
    WORDS = SHARE_OTHERS + 4
};

#define TEXT_LASTS_MS  "4000"
#define NAMES_LAST_MS  "60000"
#define TEXT_LAST_BYTE "16383" /* of somebody else's text: more is not read */

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

static uint64_t now_ms(void)
{
    return clock_now_us() / 1000;
}

/* ---- beginning ---- */

static bool is_name(const char *text, size_t length, size_t most)
{
    return length > 0 && length <= most && strspn(text, NAME_LETTERS) >= length;
}

const char *share_open(struct share *share, const char *url, const char *space)
{
    struct expand_fault fault;
    static char reason[256];
    char expanded[URL];

    if (!is_name(space, strlen(space), 48))
        return "--namespace takes up to 48 letters, digits, '.', '-' and '_'";
    if (expand_text(url, expanded, sizeof expanded, expand_environment, &fault) < 0) {
        expand_explain(&fault, reason, sizeof reason);
        return reason;
    }
    const char *wrong = redis_open(&share->redis, expanded);
    explicit_bzero(expanded, sizeof expanded);
    if (wrong)
        return wrong;
    share->notices = malloc(SHARE_NOTICES * sizeof *share->notices);
    if (!share->notices)
        return "out of memory";
    snprintf(share->name, sizeof share->name, "%016llx%016llx", (unsigned long long)random_word(),
             (unsigned long long)random_word());
    share->space = space;
    return NULL;
}

const char *share_word(const struct share *share)
{
    return !share->redis.in ? "none" : share->redis.told == REDIS_TOLD_THERE ? "connected" : "away";
}

/* ---- what is asked ---- */

/* Commands in the making. */
struct asking {
    FILE *to;
    char *text;
    size_t length;
    unsigned count;
};

static bool begin(struct asking *asking)
{
    *asking = (struct asking){.count = 0};
    asking->to = open_memstream(&asking->text, &asking->length);
    return asking->to != NULL;
}

static void put(struct asking *asking, const char *const words[])
{
    resp_write(asking->to, words);
    asking->count++;
}

static void ask(struct share *share, struct asking *asking)
{
    if (fclose(asking->to) != 0) {
        free(asking->text);
        asking->text = NULL;
    }
    redis_ask(&share->redis, asking->text, asking->length, asking->count);
}

/* The braces make a cluster keep all of a namespace in one place. */
static void name_set(const struct share *share, char key[KEY])
{
    snprintf(key, KEY, "gusset:{%s}:agents", share->space);
}

static void name_text(const struct share *share, const char *name, char key[KEY])
{
    snprintf(key, KEY, "gusset:{%s}:agent:%s", share->space, name);
}

static void put_own(struct asking *asking, const struct share *share, const char *text)
{
    char set[KEY], own[KEY];

    name_set(share, set);
    name_text(share, share->name, own);
    put(asking, (const char *const[]){"SET", own, text, "PX", TEXT_LASTS_MS, NULL});
    put(asking, (const char *const[]){"SADD", set, share->name, NULL});
    put(asking, (const char *const[]){"PEXPIRE", set, NAMES_LAST_MS, NULL});
}

static void take_own_back(struct asking *asking, const struct share *share)
{
    char set[KEY], own[KEY];

    name_set(share, set);
    name_text(share, share->name, own);
    put(asking, (const char *const[]){"DEL", own, NULL});
    put(asking, (const char *const[]){"SREM", set, share->name, NULL});
}

/* Names whose text has ended are those of agents that have, too. */
static void remove_gone(struct asking *asking, struct share *share)
{
    const char *words[WORDS] = {"SREM"};
    unsigned count = 2;
    char set[KEY];

    name_set(share, set);
    words[1] = set;
    for (unsigned i = 0; i < share->other_count; i++)
        if (share->others[i].is_gone)
            words[count++] = share->others[i].name;
    if (count > 2)
        put(asking, words);
    share->other_count = 0;
}

static char *own_text(struct share *share, struct reading *reading, const struct rules *rules,
                      unsigned *count)
{
    char *text = NULL;
    size_t length;
    FILE *to = open_memstream(&text, &length);

    if (!to)
        return NULL;
    share->memory = sharing_memory(reading);
    *count = said_write(&share->said, reading, rules, to);
    if (fclose(to) == 0)
        return text;
    free(text);
    return NULL;
}

/* Says what there is to say, and asks who else says something. */
static void ask_for_names(struct share *share, struct reading *reading, const struct rules *rules)
{
    static const char most[] = "64";
    unsigned notices = 0;
    struct asking asking;
    char set[KEY];
    char *text = own_text(share, reading, rules, &notices);

    _Static_assert(SHARE_OTHERS == 64, "as it is asked for");
    share->due_ms = now_ms() + EACH_MS + random_32() % (EACH_MS / 5);
    if (!text || !begin(&asking)) {
        free(text);
        return;
    }
    remove_gone(&asking, share);
    if (notices)
        put_own(&asking, share, text);
    else if (share->has_text)
        take_own_back(&asking, share);
    name_set(share, set);
    put(&asking, (const char *const[]){"SRANDMEMBER", set, most, NULL});
    share->has_text = notices > 0;
    share->asks_for_texts = false;
    free(text);
    ask(share, &asking);
}

static void ask_for_texts(struct share *share)
{
    struct asking asking;
    char key[KEY];

    share->at = share->notice_count = 0;
    if (!begin(&asking))
        return;
    for (unsigned i = 0; i < share->other_count; i++) {
        name_text(share, share->others[i].name, key);
        put(&asking, (const char *const[]){"GETRANGE", key, "0", TEXT_LAST_BYTE, NULL});
    }
    share->asks_for_texts = true;
    ask(share, &asking);
}

/* ---- what is answered ---- */

/* Behind the bytes of a text stands the end of its line, where strspn ends. */
static void take_names(struct share *share, const struct resp_value *values, unsigned count)
{
    share->other_count = 0;
    for (unsigned i = 1; i < count && share->other_count < SHARE_OTHERS; i++) {
        const struct resp_value *value = &values[i];
        if (value->type != RESP_TEXT || !is_name(value->text, value->length, SHARE_NAME - 1) ||
            (value->length == strlen(share->name) && memcmp(value->text, share->name, value->length) == 0))
            continue;
        struct share_other *other = &share->others[share->other_count++];
        *other = (struct share_other){.is_gone = false};
        memcpy(other->name, value->text, value->length);
    }
}

/*
 * One that cannot be read, or is none of ours, says nothing; nor does an agent beside this one: what it
 * tells, a moment late, of the state that both look at would open again what has just been closed here.
 */
static void take_text(struct share *share, const struct resp_value *value)
{
    const char *at = value->text, *end = at ? at + value->length : at;
    uint64_t memory;

    if (share->at < share->other_count)
        share->others[share->at++].is_gone = value->type == RESP_TEXT && value->length == 0;
    if (value->type != RESP_TEXT || !notice_begins(&at, end, &memory) || (memory && memory == share->memory))
        return;
    while (share->notice_count < SHARE_NOTICES && notice_next(&at, end, &share->notices[share->notice_count]))
        share->notice_count++;
}

/* Somebody has put something else under a name: no fault of the server's. */
static bool is_no_text(const struct resp_value *error)
{
    static const char kind[] = "WRONGTYPE";
    return error->length >= sizeof kind - 1 && memcmp(error->text, kind, sizeof kind - 1) == 0;
}

static void apply(struct share *share, struct reading *reading, const struct rules *rules)
{
    if (reading_take(reading, NULL) < 0)
        return;
    follow_apply(&share->follow, reading, rules, share->notices, share->notice_count);
    reading_drop(reading);
}

static void take_replies(struct share *share, struct reading *reading, const struct rules *rules)
{
    struct resp_value values[REDIS_VALUES];
    unsigned count;

    while (share->redis.phase == REDIS_ASKED && (count = redis_reply(&share->redis, values))) {
        bool is_last = share->redis.replies == 1;
        if (values->type == RESP_ERROR && !(share->asks_for_texts && is_no_text(values)))
            redis_refuse(&share->redis, values);
        else if (share->asks_for_texts)
            take_text(share, values);
        else if (is_last)
            take_names(share, values, count);
        redis_take(&share->redis);
        if (share->redis.phase != REDIS_IDLE)
            continue;
        share->notice_count = share->asks_for_texts ? share->notice_count : 0;
        if (!share->asks_for_texts && share->other_count) {
            ask_for_texts(share);
            continue;
        }
        redis_was_of_use(&share->redis);
        apply(share, reading, rules);
    }
}

/* ---- the loop ---- */

void share_prepare(struct share *share, struct pollfd *polled)
{
    redis_prepare(&share->redis, polled);
}

uint32_t share_pause_ms(const struct share *share)
{
    uint64_t now = now_ms();

    if (share->redis.phase != REDIS_IDLE || !share->redis.in)
        return redis_pause_ms(&share->redis);
    return share->due_ms > now ? (uint32_t)(share->due_ms - now) : 0;
}

void share_continue(struct share *share, const struct pollfd *polled, struct reading *reading,
                    const struct rules *rules)
{
    if (!share->redis.in)
        return;
    redis_continue(&share->redis, polled);
    take_replies(share, reading, rules);
    if (share->redis.phase != REDIS_IDLE || now_ms() < share->due_ms)
        return;
    share->due_ms = now_ms() + FAULTY_MS;
    if (reading_take(reading, NULL) < 0)
        return;
    ask_for_names(share, reading, rules);
    reading_drop(reading);
}

void share_close(struct share *share)
{
    struct asking asking;

    if (share->redis.phase == REDIS_IDLE && share->has_text && begin(&asking)) {
        take_own_back(&asking, share);
        if (fclose(asking.to) == 0)
            (void)!send(share->redis.socket, asking.text, asking.length, MSG_NOSIGNAL | MSG_DONTWAIT);
        free(asking.text);
    }
    redis_close(&share->redis);
    free(share->notices);
}
