#include "curl/inject.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "curl/call.h"

static const struct curl_slist *program_list(const struct call *call)
{
    return handles_pointer(call->handle, HANDLES_HTTPHEADER);
}

/* libcurl takes "Name: v" (send), "Name:" (do not send) and "Name;" (send empty): all of them name it. */
static bool names(const char *line, const char *name, size_t length)
{
    if (strncasecmp(line, name, length) != 0)
        return false;
    while (line[length] == ' ' || line[length] == '\t')
        length++;
    return line[length] == ':' || line[length] == ';';
}

static bool list_names(const struct curl_slist *list, const char *name, size_t length)
{
    for (; list; list = list->next)
        if (list->data && names(list->data, name, length))
            return true;
    return false;
}

bool inject_program_sends(const struct call *call, const char *name)
{
    size_t length = strlen(name);

    for (const struct curl_slist *node = program_list(call); node; node = node->next) {
        const char *colon = node->data && names(node->data, name, length) ? strchr(node->data, ':') : NULL;
        if (colon && colon[1 + strspn(colon + 1, " \t\r\n")])
            return true;
    }
    return false;
}

static const char request_id_name[] = "X-Request-Id";

static void add(struct inject *inject, const char *line)
{
    if (inject->count == INJECT_MAX)
        return;
    inject->lines[inject->count] = line;
    inject->nodes[inject->count].data = (char *)line; /* libcurl reads it only */
    inject->count++;
}

static void add_unless_named(struct call *call, const char *line, size_t name_length)
{
    if (line[0] && !list_names(program_list(call), line, name_length))
        add(&call->inject, line);
}

/* "Name: value" into a line; left empty when the value is empty or too long. */
static void write_line(char *line, const char *name, const char *value)
{
    size_t name_length = strlen(name), value_length = strlen(value);

    line[0] = '\0';
    if (!value_length || name_length + 2 + value_length + 1 > INJECT_LINE_MAX)
        return;
    memcpy(line, name, name_length);
    memcpy(line + name_length, ": ", 2);
    memcpy(line + name_length + 2, value, value_length + 1);
}

/* The lines that are the same for all calls of this process, and the name of the one that is not. */
static void write_constant_lines(struct call *call)
{
    struct inject *inject = &call->inject;
    const struct rules_policy *policy = call->gate.policy;
    const struct rules_globals *globals = call->gate.ready->globals;

    write_line(inject->request_id, request_id_name, globals->request_id[0] ? globals->request_id : "-");
    write_line(inject->tenant_id, "X-Tenant-Id", globals->tenant_id);
    write_line(inject->project_id, "X-Project-Id", globals->project_id);
    inject->makes_id = policy->settings->propagate & POLICY_REQUEST_ID && !globals->request_id[0];
    inject->written_for = policy;
}

static void make_id(struct inject *inject)
{
    trace_new_id(inject->request_id + sizeof request_id_name + 1); /* behind the name and ": " */
}

void inject_repeat(struct inject *inject)
{
    if (inject->makes_id)
        make_id(inject);
}

static const char key_name[] = "Idempotency-Key";

/* What may be repeated anyhow needs none, and servers remember those that they get. */
static bool makes_key(const struct call *call)
{
    const struct policy *settings = call->gate.policy->settings;

    return settings->retry.makes_key && settings->groups & POLICY_RETRY && call->is_http &&
           !(call->method & settings->retry.methods);
}

static void make_key(struct inject *inject)
{
    memcpy(inject->key, key_name, sizeof key_name - 1);
    memcpy(inject->key + sizeof key_name - 1, ": ", 2);
    trace_new_id(inject->key + sizeof key_name + 1);
}

bool inject_has_key(const struct call *call)
{
    const struct inject *inject = &call->inject;

    return (inject->is_dressed && inject->has_key && !inject->is_silent) ||
           inject_program_sends(call, key_name);
}

void inject_call(struct call *call)
{
    struct inject *inject = &call->inject;
    uint32_t propagate = call->gate.policy->settings->propagate;

    if (makes_key(call))
        make_key(inject);
    if (!propagate)
        return;
    if (inject->written_for != call->gate.policy)
        write_constant_lines(call);
    if (inject->makes_id)
        make_id(inject);
    if (propagate & POLICY_TRACEPARENT) {
        inject->tracestate[0] = '\0';
        if (trace_begin(inject->traceparent))
            trace_state(inject->tracestate);
    }
}

void inject_forget_rules(struct inject *inject)
{
    inject->written_for = inject->nodes_for = NULL;
}

static bool is_secret(const char *line)
{
    return names(line, "Authorization", sizeof "Authorization" - 1) ||
           names(line, "Cookie", sizeof "Cookie" - 1);
}

/* Whether a line of the program's is not sent: the rule overrides it, or it would carry credentials
 * elsewhere. */
static bool is_dropped(const struct call *call, const char *line)
{
    const struct rules_policy *policy = call->gate.policy;

    for (uint32_t i = 0; i < policy->header_count; i++)
        if (policy->headers[i].override &&
            names(line, policy->headers[i].line, policy->headers[i].name_length))
            return true;
    return redirect_withholds(call) && is_secret(line);
}

/*
 * The program's list without what is dropped: new nodes over the program's own texts. Returns the program's
 * own list where nothing is, or where there is no memory; where credentials stay here rather none.
 */
static struct curl_slist *keep_program_list(struct call *call)
{
    struct inject *inject = &call->inject;
    struct curl_slist *list = (struct curl_slist *)program_list(call);
    size_t count = 0, kept = 0, dropped = 0;

    for (const struct curl_slist *node = list; node; node = node->next, count++)
        dropped += node->data && is_dropped(call, node->data);
    if (!dropped)
        return list;
    if (count > inject->kept_room) {
        struct curl_slist *grown = realloc(inject->kept, count * sizeof *grown);
        if (!grown)
            return redirect_withholds(call) ? NULL : list;
        inject->kept = grown;
        inject->kept_room = count;
    }
    for (const struct curl_slist *node = list; node; node = node->next)
        if (!node->data || !is_dropped(call, node->data))
            inject->kept[kept++].data = node->data;
    for (size_t i = 0; i < kept; i++)
        inject->kept[i].next = i + 1 < kept ? &inject->kept[i + 1] : NULL;
    return kept ? inject->kept : NULL;
}

/* To a trace of the program's own nothing is added: our state would belong to another trace. */
static void add_trace(struct call *call)
{
    struct inject *inject = &call->inject;

    trace_next_span(inject->traceparent);
    if (list_names(program_list(call), inject->traceparent, sizeof "traceparent" - 1))
        return;
    add(inject, inject->traceparent);
    add_unless_named(call, inject->tracestate, sizeof "tracestate" - 1);
}

/*
 * With unified headers the same list goes to a proxy, which must not learn ours, and which may be named
 * by the environment. A libcurl that does not tell when it sends cannot be kept from sending them on.
 */
static bool would_leak(const struct handle *handle)
{
    return handle->words[HANDLES_HEADEROPT] == CURLHEADER_UNIFIED ||
           (!handle->libcurl->has_prereq && handle->words[HANDLES_FOLLOWLOCATION]);
}

/* On the way of every fresh handle: a call would show among its instructions. */
static inline __attribute__((always_inline)) bool has_any(const struct call *call)
{
    const struct rules_policy *policy = call->gate.policy;
    return call->is_http &&
           (policy->header_count || policy->settings->propagate || makes_key(call) || resume_is_on(call)) &&
           !would_leak(call->handle);
}

static void collect(struct call *call)
{
    const struct rules_policy *policy = call->gate.policy;
    struct inject *inject = &call->inject;
    uint32_t propagate = policy->settings->propagate;

    inject->count = 0;
    inject->has_key = false;
    if (!has_any(call))
        return;
    inject->has_key = makes_key(call) && !list_names(program_list(call), key_name, sizeof key_name - 1);
    if (inject->has_key)
        add(inject, inject->key);
    if (resume_is_on(call))
        add(inject, call->resume->line);
    for (uint32_t i = 0; i < policy->header_count; i++) {
        const struct rules_header *header = &policy->headers[i];
        if (header->override)
            add(inject, header->line);
        else
            add_unless_named(call, header->line, header->name_length);
    }
    if (propagate & POLICY_REQUEST_ID)
        add_unless_named(call, inject->request_id, sizeof request_id_name - 1);
    if (propagate & POLICY_TENANT_ID)
        add_unless_named(call, inject->tenant_id, sizeof "X-Tenant-Id" - 1);
    if (propagate & POLICY_PROJECT_ID)
        add_unless_named(call, inject->project_id, sizeof "X-Project-Id" - 1);
    if (propagate & POLICY_TRACEPARENT)
        add_trace(call);
}

static void silence(struct inject *inject, bool silent)
{
    static char nothing[] = "";

    if (silent == inject->is_silent)
        return;
    inject->is_silent = silent;
    for (unsigned i = 0; i < inject->count; i++)
        inject->nodes[i].data = silent ? nothing : (char *)inject->lines[i];
}

/* libcurl does not send CURLOPT_COOKIE beside a header of that name, nor one that is empty. */
static struct curl_slist *put_withheld(struct inject *inject, struct curl_slist *rest)
{
    static char no_cookie[] = "Cookie:";

    inject->withheld = (struct curl_slist){no_cookie, rest};
    return &inject->withheld;
}

/* The nodes in a row, and behind them the program's own. */
static void link_nodes(struct call *call)
{
    struct inject *inject = &call->inject;
    struct curl_slist *rest = keep_program_list(call);

    if (redirect_withholds(call))
        rest = put_withheld(inject, rest);
    for (unsigned i = 0; i < inject->count; i++)
        inject->nodes[i].next = i + 1 < inject->count ? &inject->nodes[i + 1] : rest;
    inject->list = inject->count ? inject->nodes : rest;
}

static void wear(struct call *call)
{
    struct inject *inject = &call->inject;

    if (inject->is_dressed && inject->worn == inject->list)
        return;
    inject->worn = inject->list;
    inject->is_dressed = call_set(call, CURLOPT_HTTPHEADER, inject->list) == CURLE_OK;
}

void inject_attempt(struct call *call)
{
    struct inject *inject = &call->inject;

    silence(inject, false);
    if (call->handle->is_settled && inject->is_same)
        return;
    /* Nodes may come behind those that the program gave; a span is new for each attempt. */
    inject->is_same = !program_list(call) && !makes_key(call) && !resume_is_on(call) &&
                      !(call->gate.policy->settings->propagate & POLICY_TRACEPARENT);
    if (!has_any(call) && !redirect_withholds(call)) {
        inject_restore(call);
        return;
    }
    if (!inject->is_same || inject->nodes_for != call->gate.policy) {
        collect(call);
        link_nodes(call);
        inject->nodes_for = inject->is_same ? call->gate.policy : NULL;
    }
    if (inject->list == program_list(call))
        inject_restore(call);
    else
        wear(call);
}

/*
 * The next request of this transfer takes the new list. Ours stay before it as they are: what they say
 * was settled when the attempt began, but none that the program now names may stand beside its own.
 */
void inject_program_set(struct call *call)
{
    struct inject *inject = &call->inject;
    bool was_silent = inject->is_silent;

    silence(inject, false);
    inject->nodes_for = NULL;
    collect(call);
    link_nodes(call);
    inject->worn = inject->list;
    call_set(call, CURLOPT_HTTPHEADER, inject->list);
    silence(inject, was_silent);
}

/* libcurl builds each hop's headers from the list anew, and skips a node without a colon. */
__attribute__((noinline)) void inject_check_origin(struct call *call)
{
    if (call->inject.is_dressed)
        silence(&call->inject, call_is_at_another_origin(call));
}

void inject_restore(struct call *call)
{
    if (call->inject.is_dressed)
        call_set(call, CURLOPT_HTTPHEADER, program_list(call));
    call->inject.is_dressed = false;
}

void inject_retire(struct inject *inject)
{
    silence(inject, false);
    inject->is_dressed = false;
}

void inject_clear(struct inject *inject)
{
    free(inject->kept);
}
