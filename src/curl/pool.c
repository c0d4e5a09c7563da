#include "curl/pool.h"

#include <stdlib.h>
#include <strings.h>

#include "core/method.h"
#include "curl/call.h"
#include "curl/options.h"
#include "curl/shares.h"
#include "sys/raw.h"

enum { SHARES_MOST = 8 }; /* a thread, whatever the limits say */

/* "NTLM …" and "Negotiate …", by the program's own hand, authenticate the connection and not the request. */
static bool names_bound_scheme(const char *value)
{
    while (*value == ' ' || *value == '\t')
        value++;
    return strncasecmp(value, "NTLM", 4) == 0 || strncasecmp(value, "Negotiate", 9) == 0 ||
           strncasecmp(value, "Kerberos", 8) == 0;
}

static bool binds_connection(const struct curl_slist *header)
{
    for (; header; header = header->next) {
        const char *line = header->data;
        if (line && strncasecmp(line, "Proxy-", 6) == 0)
            line += 6;
        if (line && strncasecmp(line, "Authorization:", 14) == 0 && names_bound_scheme(line + 14))
            return true;
    }
    return false;
}

/* libcurl compares where a proxy of the environment is, not as whom a tunnel through it was opened. 0: no
 * memory. */
static uint64_t with_environment(uint64_t fingerprint)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        uint64_t hash = value && *value ? fingerprint_text(value) : 1;
        if (!hash)
            return 0;
        fingerprint = fingerprint * 0x9E3779B97F4A7C15u + hash;
    }
    return fingerprint ? fingerprint : 1;
}

static unsigned shares_most(const struct policy_pool *rule)
{
    unsigned most = rule->connections / rule->keepalive;
    return most < 1 ? 1 : most > SHARES_MOST ? SHARES_MOST : most;
}

/* The share for the handle as the program has set it; NULL: it keeps to itself. */
static struct share *share_for(struct handle *handle, const struct policy_pool *rule)
{
    struct pool *pool = &handle->pool;
    uint64_t fingerprint = fingerprint_of(&handle->fingerprint);

    if (!fingerprint || binds_connection(handles_pointer(handle, HANDLES_HTTPHEADER)))
        return NULL;
    if (pool->share && pool->fingerprint == fingerprint && shares_may_use(pool->share, handle))
        return pool->share;
    pool->fingerprint = fingerprint;
    fingerprint = with_environment(fingerprint);
    return fingerprint ? shares_find(handle->libcurl, fingerprint, shares_most(rule)) : NULL;
}

static void let_go(const struct handle *handle, struct share *share)
{
    const struct handle *user = handle;

    atomic_compare_exchange_strong(&share->user, &user, NULL); /* where a longjmp left the transfer */
    atomic_fetch_sub(&share->wearers, 1);
}

/* An idle connection must not go along to what the program executes; older libcurl leaves it open there. */
static int close_on_exec(void *unused, curl_socket_t socket, curlsocktype purpose)
{
    (void)unused;
    (void)purpose;
    sys_close_on_exec(socket);
    return CURL_SOCKOPT_OK;
}

static void wear(struct handle *handle, struct share *share)
{
    struct share *before = handle->pool.share;

    if (share == before)
        return;
    atomic_fetch_add(&share->wearers, 1);
    handle->libcurl->easy_setopt(handle->easy, CURLOPT_SHARE, share->real);
    handle->pool.share = share;
    if (before)
        let_go(handle, before);
    else
        handle->libcurl->easy_setopt(handle->easy, CURLOPT_SOCKOPTFUNCTION, close_on_exec);
}

static void wear_limit(struct handle *handle, const struct policy_pool *rule)
{
    long keepalive = (long)rule->keepalive, own = (long)handle->words[HANDLES_MAXCONNECTS];

    if (own != POOL_DEFAULT_MAXCONNECTS && own < keepalive)
        keepalive = own;
    if (keepalive == handle->pool.keepalive)
        return;
    handle->libcurl->easy_setopt(handle->easy, CURLOPT_MAXCONNECTS, keepalive);
    handle->pool.keepalive = keepalive;
}

/*
 * When a reused connection turns out to be dead, libcurl by itself sends the request again, whatever its
 * method and though the server may have acted on it. On a new connection it never does.
 */
static bool may_be_sent_again(const struct call *call)
{
    static const uint32_t idempotent = /* RFC 9110, 9.2.2 */
        METHOD_GET | METHOD_HEAD | METHOD_OPTIONS | METHOD_PUT | METHOD_DELETE | METHOD_TRACE;
    const struct policy *policy = call->gate.policy->settings;
    const struct handle *handle = call->handle;
    uint32_t methods = policy->groups & POLICY_RETRY ? policy->retry.methods : idempotent;

    if (handle->request == HANDLES_PUT || handle->request == HANDLES_FORM ||
        (handle->request == HANDLES_POST && !handle->words[HANDLES_POSTFIELDS]))
        return false; /* its body comes from a callback, which may not be able to go back */
    return call->method & methods || inject_program_sends(call, "Idempotency-Key");
}

static void wear_freshness(struct call *call)
{
    struct pool *pool = &call->handle->pool;
    bool is_fresh = !may_be_sent_again(call);

    if (is_fresh != pool->is_fresh)
        call_set(call, CURLOPT_FRESH_CONNECT, (long)is_fresh);
    pool->is_fresh = is_fresh;
}

bool pool_wants(const struct call *call)
{
    const struct policy *policy = call->gate.policy->settings;

    return policy->groups & POLICY_POOL && policy->pool.share && call->is_http && !call->handle->pool.has_own;
}

void pool_enter(struct call *call)
{
    struct handle *handle = call->handle;
    const struct policy *policy = call->gate.policy->settings;
    struct share *share = share_for(handle, &policy->pool);

    if (!share) {
        pool_stay_out(handle);
        return;
    }
    wear(handle, share);
    wear_limit(handle, &policy->pool);
    wear_freshness(call);
    atomic_store(&share->user, handle);
}

void pool_exit(struct handle *handle)
{
    struct pool *pool = &handle->pool;

    if (!pool->share)
        return;
    if (fingerprint_of(&handle->fingerprint) != pool->fingerprint) /* a callback has set something */
        shares_spoil(pool->share);
    atomic_store(&pool->share->user, NULL);
    if (pool->is_overtaken)
        pool_leave(handle);
}

/* What a handle in the pool wears. */
static const struct {
    CURLoption option;
    enum handles_word word;
} worn[] = {
    {CURLOPT_SHARE,           HANDLES_SHARE          },
    {CURLOPT_MAXCONNECTS,     HANDLES_MAXCONNECTS    },
    {CURLOPT_FRESH_CONNECT,   HANDLES_FRESH_CONNECT  },
    {CURLOPT_SOCKOPTFUNCTION, HANDLES_SOCKOPTFUNCTION},
};

void pool_leave(struct handle *handle)
{
    struct pool *pool = &handle->pool;
    struct share *share = pool->share;

    if (!share)
        return;
    for (unsigned i = 0; i < sizeof worn / sizeof worn[0]; i++)
        handle->libcurl->easy_setopt(handle->easy, worn[i].option, handle->words[worn[i].word]);
    pool->share = NULL;
    pool->keepalive = 0;
    pool->is_fresh = pool->is_overtaken = false;
    let_go(handle, share);
}

/*
 * A libcurl below 8.12 would lose the handle's own TLS sessions if a share came over them, and a handle
 * that is used again keeps its connections anyway.
 */
void pool_stay_out(struct handle *handle)
{
    if (handle->pool.share)
        pool_leave(handle);
    handle->pool.has_own = true;
}

bool pool_has_borrowed(const struct handle *handle, CURLoption option)
{
    for (unsigned i = 0; handle->pool.share && i < sizeof worn / sizeof worn[0]; i++)
        if (worn[i].option == option)
            return true;
    return false;
}

/* All but the share are read when a transfer or a connection begins, and ours are put on again before. */
CURLcode pool_program_sets(struct handle *handle, CURLoption option, uint64_t word)
{
    CURLcode code = CURLE_OK;

    if (option == CURLOPT_SHARE)
        handle->pool.is_overtaken = true;
    else
        code = handle->libcurl->easy_setopt(handle->easy, option, word);
    if (code != CURLE_OK)
        return code;
    if (option == CURLOPT_MAXCONNECTS)
        handle->pool.keepalive = 0;
    if (option == CURLOPT_FRESH_CONNECT)
        handle->pool.is_fresh = word != 0;
    options_note(handle, option, word);
    return CURLE_OK;
}

void pool_free(struct handle *handle)
{
    handle->pool.has_own = false;
    if (!handle->pool.share)
        return;
    let_go(handle, handle->pool.share);
    handle->pool = (struct pool){0};
}
