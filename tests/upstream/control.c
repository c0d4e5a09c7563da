#include "control.h"

#include "behave.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CONTROL_RPS_MOST = 1000 * 1000, CONTROL_HOUR_MS = 3600 * 1000 };

struct args {
    const char *key;
    uint64_t for_ms;
    uint64_t status;
    uint64_t rps;
    uint64_t burst;
};

/* What a verb works on. */
struct call {
    struct control *control;
    struct args args;
    char *raw; /* the query, for the verb that takes it whole */
    uint64_t now_ns;
    struct reply *reply;
};

#define AT(field) offsetof(struct args, field)
static const struct query_key no_keys[] = {{0}};
static const struct query_key key_keys[] = {
    {"key",    QUERY_TEXT, AT(key), 0, 0, NULL},
    {0}
};
static const struct query_key down_keys[] = {
    {"for",       QUERY_NUMBER, AT(for_ms), 0, CONTROL_HOUR_MS, NULL},
    {0},
};
static const struct query_key outage_keys[] = {
    {"for",            QUERY_NUMBER, AT(for_ms), 0, CONTROL_HOUR_MS, NULL},
    {"status",      QUERY_NUMBER, AT(status), 200, 999, NULL},
    {0},
};
static const struct query_key capacity_keys[] = {
    {"rps",             QUERY_NUMBER, AT(rps), 0, CONTROL_RPS_MOST, NULL},
    {"burst",          QUERY_NUMBER, AT(burst), 1, CONTROL_RPS_MOST, NULL},
    {0},
};

static void say_number(struct call *call, uint64_t number)
{
    buffer_addf(&call->reply->body, "%" PRIu64 "\n", number);
}

static void say_ok(struct call *call)
{
    buffer_add_text(&call->reply->body, "ok\n");
}

static uint64_t end_ns(const struct call *call)
{
    return call->now_ns + call->args.for_ms * UINT64_C(1000000);
}

static const struct count_key *find_key(const struct call *call)
{
    const char *key = call->args.key;
    return count_find(&call->control->data->count, (struct span){key, strlen(key)});
}

static void do_count(struct call *call)
{
    const struct count_key *key = find_key(call);
    say_number(call, key ? key->requests : 0);
}

static void do_total(struct call *call)
{
    say_number(call, call->control->data->count.total);
}

static void do_connections(struct call *call)
{
    say_number(call, call->control->data->count.connections);
}

static void do_zero(struct call *call)
{
    count_zero(&call->control->data->count, call->now_ns);
    say_ok(call);
}

static void do_mode(struct call *call)
{
    struct buffer *mode = &call->control->data->mode;
    struct behave trial;
    char why[QUERY_WHY];
    buffer_empty(mode);
    buffer_add_text(mode, call->raw);
    if (behave_parse(&trial, call->raw, why)) {
        say_ok(call);
        return;
    }
    buffer_empty(mode);
    reply_say(call->reply, 400, why);
}

static void do_down(struct call *call)
{
    struct control *control = call->control;
    port_down(control->port);
    timer_cancel(&control->port->conns.loop->timers, &control->up);
    if (call->args.for_ms)
        timer_set(&control->port->conns.loop->timers, &control->up, end_ns(call));
    say_ok(call);
}

static void do_up(struct call *call)
{
    struct control *control = call->control;
    timer_cancel(&control->port->conns.loop->timers, &control->up);
    control->data->outage_status = 0;
    if (port_up(control->port) == 0)
        say_ok(call);
    else
        reply_say(call->reply, 500, "the data port is taken; trying every 20 ms until it is free");
}

static void do_outage(struct call *call)
{
    struct data *data = call->control->data;
    data->outage_status = call->args.status ? call->args.status : 503;
    data->outage_end_ns = call->args.for_ms ? end_ns(call) : UINT64_MAX;
    say_ok(call);
}

static void do_capacity(struct call *call)
{
    uint64_t burst = call->args.burst ? call->args.burst : call->args.rps;
    call->control->data->capacity = (struct data_capacity){call->args.rps, burst, 0};
    say_ok(call);
}

static void do_timeline(struct call *call)
{
    count_timeline(&call->control->data->count, call->now_ns, &call->reply->body);
}

static void say_heads(struct call *call, uint64_t most)
{
    const struct count_key *key = find_key(call);
    if (!key) {
        reply_say(call->reply, 404, "no request of that key has come");
        return;
    }
    uint64_t first = key->requests > most ? key->requests - most + 1 : 1;
    for (uint64_t nth = first; nth <= key->requests; nth++) {
        struct span head = count_head(key, nth);
        if (nth > first)
            buffer_add_text(&call->reply->body, "--\n");
        buffer_add(&call->reply->body, head.at, head.length);
    }
}

static void do_last(struct call *call)
{
    say_heads(call, 1);
}

static void do_heads(struct call *call)
{
    say_heads(call, COUNT_HEADS);
}

static const struct verb {
    const char *path;
    const struct query_key *keys; /* NULL: takes the query whole */
    const char *needs;            /* a sentence, if key= must be there */
    bool changes;                 /* worth a line on stderr */
    void (*act)(struct call *call);
    const char *help;
} verbs[] = {
    {"/count",       key_keys,      "count wants key=K", false, do_count,       "key=K"             },
    {"/total",       no_keys,       NULL,                false, do_total,       ""                  },
    {"/connections", no_keys,       NULL,                false, do_connections, ""                  },
    {"/zero",        no_keys,       NULL,                true,  do_zero,        ""                  },
    {"/mode",        NULL,          NULL,                true,  do_mode,        "any data behaviour"},
    {"/down",        down_keys,     NULL,                true,  do_down,        "for=MS"            },
    {"/up",          no_keys,       NULL,                true,  do_up,          ""                  },
    {"/outage",      outage_keys,   NULL,                true,  do_outage,      "for=MS&status=N"   },
    {"/capacity",    capacity_keys, NULL,                true,  do_capacity,    "rps=N&burst=N"     },
    {"/timeline",    no_keys,       NULL,                false, do_timeline,    ""                  },
    {"/last",        key_keys,      "last wants key=K",  false, do_last,        "key=K"             },
    {"/heads",       key_keys,      "heads wants key=K", false, do_heads,       "key=K"             },
};
enum { CONTROL_VERBS = sizeof verbs / sizeof *verbs };

static const struct verb *find_verb(struct span path)
{
    for (size_t i = 0; i < CONTROL_VERBS; i++)
        if (strlen(verbs[i].path) == path.length && memcmp(verbs[i].path, path.at, path.length) == 0)
            return &verbs[i];
    return NULL;
}

static void list_verbs(struct reply *reply)
{
    reply_say(reply, 404, "no such path; there are:");
    for (size_t i = 0; i < CONTROL_VERBS; i++)
        buffer_addf(&reply->body, "%s%s%s\n", verbs[i].path, *verbs[i].help ? "?" : "", verbs[i].help);
}

static void act(const struct verb *verb, struct call *call)
{
    char why[QUERY_WHY];
    if (verb->changes && !call->control->quiet)
        fprintf(stderr, "upstream: %s %s\n", verb->path, call->raw);
    if (verb->keys && !query_parse(verb->keys, &call->args, call->raw, why))
        reply_say(call->reply, 400, why);
    else if (verb->needs && !call->args.key)
        reply_say(call->reply, 400, verb->needs);
    else
        verb->act(call);
}

void control_answer(struct control *control, const struct request *request, uint64_t now_ns,
                    struct reply *reply)
{
    const struct verb *verb = find_verb(request->path);
    struct buffer query = {0};
    reply->status = 200;
    if (!verb) {
        list_verbs(reply);
        return;
    }
    buffer_add(&query, request->query.at, request->query.length);
    buffer_add(&query, "", 1);
    struct call call = {control, {0}, query.bytes, now_ns, reply};
    act(verb, &call);
    buffer_clear(&query);
}

static void on_up(struct timer *timer)
{
    struct control *control = (struct control *)((char *)timer - offsetof(struct control, up));
    port_up(control->port);
}

void control_start(struct control *control, struct data *data, struct port *port, bool quiet)
{
    *control = (struct control){.data = data, .port = port, .quiet = quiet, .up.fire = on_up};
}
