#include "data.h"

#include "answer.h"

#include <string.h>

void data_start(struct data *data, uint64_t now_ns)
{
    *data = (struct data){0};
    count_start(&data->count, now_ns);
}

bool data_capacity_admits(struct data_capacity *capacity, uint64_t now_ns)
{
    if (capacity->rps == 0)
        return true;
    uint64_t apart_ns = UINT64_C(1000000000) / capacity->rps;
    uint64_t due_ns = capacity->due_ns > now_ns ? capacity->due_ns : now_ns;
    if (due_ns + apart_ns > now_ns + apart_ns * capacity->burst)
        return false;
    capacity->due_ns = due_ns + apart_ns;
    return true;
}

/* A copy that may be decoded in place, and ends with NUL. */
static char *query_copy(struct data *data, const struct request *request)
{
    buffer_empty(&data->decoded);
    if (request->query.length)
        buffer_add(&data->decoded, request->query.at, request->query.length);
    else
        buffer_add(&data->decoded, data->mode.bytes, buffer_length(&data->mode));
    buffer_add(&data->decoded, "", 1);
    return buffer_front(&data->decoded);
}

static void override(struct data *data, struct behave *behave, uint64_t now_ns)
{
    if (data->outage_status && now_ns < data->outage_end_ns)
        behave_override(behave, data->outage_status);
    else if (!data_capacity_admits(&data->capacity, now_ns))
        behave_override(behave, 503);
}

static void answer(struct data *data, struct behave *behave, const struct request *request, uint64_t now_ns,
                   struct reply *reply)
{
    struct span name = request->path;
    if (behave->key && *behave->key)
        name = (struct span){behave->key, strlen(behave->key)};
    struct count_key *key = count_arrival(&data->count, name, request->head, now_ns);
    if (!key) {
        reply_say(reply, 507, "too many different keys: GET /zero on the control port");
        return;
    }
    behave_settle(behave, key->requests, &key->dice_hits);
    override(data, behave, now_ns);
    answer_compose(behave, request, reply);
}

void data_answer(struct data *data, const struct request *request, uint64_t now_ns, struct reply *reply)
{
    struct behave behave;
    char why[QUERY_WHY];
    if (behave_parse(&behave, query_copy(data, request), why)) {
        answer(data, &behave, request, now_ns, reply);
    } else {
        count_arrival(&data->count, request->path, request->head, now_ns);
        reply_say(reply, 400, why);
    }
    if (reply_fails(reply))
        count_failure(&data->count, now_ns);
}

void data_clear(struct data *data)
{
    count_clear(&data->count);
    buffer_clear(&data->mode);
    buffer_clear(&data->decoded);
}
