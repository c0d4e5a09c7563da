#include "curl/redirect.h"

#include <stdlib.h>
#include <string.h>

#include "config/value.h"
#include "curl/call.h"
#include "curl/proxy.h"
#include "gate/choice.h"

/* ---- where to ---- */

/* URLs of other schemes are not ours to write. */
static struct route *service_of(const struct call *call)
{
    const struct target *target = &call->handle->target;
    return target->scheme == TARGET_OTHER ? NULL : route_of(&call->gate, &target->place);
}

void redirect_open(struct call *call)
{
    struct route *service = service_of(call);

    if (service && !call->redirect)
        call->redirect = calloc(1, sizeof *call->redirect);
    if (call->redirect)
        call->redirect->service = service;
}

static enum target_scheme scheme_at(const struct route_address *address, enum target_scheme asked)
{
    switch (address->scheme) {
    case ENDPOINT_ANY:
        break;
    case ENDPOINT_HTTP:
        return TARGET_HTTP;
    case ENDPOINT_HTTPS:
        return TARGET_HTTPS;
    }
    return asked;
}

static uint16_t usual_port(enum target_scheme scheme)
{
    return scheme == TARGET_HTTPS ? 443 : 80;
}

static bool keeps_host(const struct redirect *redirect)
{
    return redirect->service->keeps_host;
}

/* Where the URL that is to be worn leads, by its own words. A port that was asked for http is none for https.
 */
static void find_origin(struct redirect *redirect, const struct target *asked, const struct route_address *to)
{
    redirect->scheme = scheme_at(to, asked->scheme);
    redirect->origin = keeps_host(redirect) ? asked->place : to->place;
    if (keeps_host(redirect) && redirect->scheme != asked->scheme)
        redirect->origin.port = usual_port(redirect->scheme);
    if (!redirect->origin.port)
        redirect->origin.port = asked->place.port;
}

/* ---- the URL ---- */

static bool set_part(const struct libcurl *libcurl, CURLU *url, CURLUPart part, const char *text)
{
    return libcurl->url_set(url, part, text, 0) == CURLUE_OK;
}

/* An IPv6 address in its brackets, as place_print writes it. */
static void write_host(const struct place *place, char text[PLACE_TEXT_MAX])
{
    struct value_text out = {text, PLACE_TEXT_MAX, 0};
    bool is_ipv6 = place->family == PLACE_IPV6;

    text[0] = '\0';
    value_put(&out, is_ipv6 ? "[" : "");
    value_put(&out, place->name);
    value_put(&out, is_ipv6 ? "]" : "");
}

static bool lead(const struct call *call, CURLU *url)
{
    const struct redirect *redirect = call->redirect;
    const struct libcurl *libcurl = call->handle->libcurl;
    char host[PLACE_TEXT_MAX], port[8] = "";
    struct value_text digits = {port, sizeof port, 0};
    bool is_usual = redirect->origin.port == usual_port(redirect->scheme);

    write_host(&redirect->origin, host);
    value_put_decimal(&digits, redirect->origin.port, 0, 0);
    return set_part(libcurl, url, CURLUPART_SCHEME, redirect->scheme == TARGET_HTTPS ? "https" : "http") &&
           set_part(libcurl, url, CURLUPART_HOST, host) &&
           set_part(libcurl, url, CURLUPART_PORT, is_usual ? NULL : port);
}

static bool add_prefix(const struct call *call, CURLU *url, const struct route_address *to)
{
    const struct libcurl *libcurl = call->handle->libcurl;
    char *asked = NULL;
    bool is_fine = false;

    if (!call->redirect->service->prefix || !to->path_length)
        return true;
    if (libcurl->url_get(url, CURLUPART_PATH, &asked, 0) != CURLUE_OK)
        return false;
    size_t size = to->path_length + strlen(asked) + 1;
    char *whole = malloc(size);
    if (whole) {
        memcpy(whole, to->path, to->path_length);
        memcpy(whole + to->path_length, asked, size - to->path_length);
        is_fine = set_part(libcurl, url, CURLUPART_PATH, whole);
    }
    free(whole);
    libcurl->free(asked);
    return is_fine;
}

static bool drop_credentials(const struct call *call, CURLU *url)
{
    const struct libcurl *libcurl = call->handle->libcurl;

    if (call->redirect->service->credentials)
        return true;
    return set_part(libcurl, url, CURLUPART_USER, NULL) && set_part(libcurl, url, CURLUPART_PASSWORD, NULL) &&
           set_part(libcurl, url, CURLUPART_OPTIONS, NULL);
}

/* The program's URL, as libcurl itself reads it. */
static bool read_asked(const struct handle *handle, CURLU *url)
{
    const struct libcurl *libcurl = handle->libcurl;
    CURLU *parts = handles_pointer(handle, HANDLES_CURLU);
    char *whole = NULL, *text = handle->texts[HANDLES_URL].bytes;
    unsigned flags = CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME;

    if (handle->words[HANDLES_PATH_AS_IS])
        flags |= CURLU_PATH_AS_IS;
    if (parts && libcurl->url_get(parts, CURLUPART_URL, &whole, 0) == CURLUE_OK)
        text = whole;
    bool is_fine = text && libcurl->url_set(url, CURLUPART_URL, text, flags) == CURLUE_OK;
    libcurl->free(whole);
    return is_fine;
}

/* libcurl's memory; NULL when it cannot be written. */
static char *write_url(const struct call *call, const struct route_address *to)
{
    const struct libcurl *libcurl = call->handle->libcurl;
    CURLU *url = libcurl->url();
    char *text = NULL;

    if (!url)
        return NULL;
    if (!read_asked(call->handle, url) || !lead(call, url) || !add_prefix(call, url, to) ||
        !drop_credentials(call, url) || libcurl->url_get(url, CURLUPART_URL, &text, 0) != CURLUE_OK)
        text = NULL;
    libcurl->url_cleanup(url);
    return text;
}

/* "user-service:80:10.0.0.5:8001": for what the URL names, and nothing else. */
static void write_entry(struct redirect *redirect, const struct route_address *to, uint16_t asked_port)
{
    struct value_text out = {redirect->entry_text, sizeof redirect->entry_text, 0};
    struct place place = to->place;
    char text[PLACE_TEXT_MAX];

    place.port = place.port ? place.port : asked_port;
    place_print(&redirect->origin, text);
    value_put(&out, text);
    value_put(&out, ":");
    place_print(&place, text);
    value_put(&out, text);
    redirect->entry = (struct curl_slist){redirect->entry_text, NULL};
}

/* ---- past proxies ---- */

/* libcurl itself looks at what the worn URL names, and at nothing else. */
static bool goes_past_proxy(const struct redirect *redirect, const struct handle *handle,
                            const struct place *to)
{
    if (!proxy_may_be_used(handle, redirect->scheme, &redirect->origin))
        return false;
    return proxy_is_excepted(handle, &handle->target.place) || proxy_is_excepted(handle, to) ||
           (!handle->texts[HANDLES_PROXY].bytes && place_is_loopback(to));
}

/* ---- dressing ---- */

/* What stands in headers depends on whether they go elsewhere. */
static void changes(struct call *call)
{
    call->inject.nodes_for = NULL;
    call->handle->is_settled = false;
}

static void wear(struct call *call, const struct route_address *to)
{
    struct redirect *redirect = call->redirect;
    const struct handle *handle = call->handle;

    find_origin(redirect, &handle->target, to);
    char *url = write_url(call, to);
    if (!url) {
        redirect_restore(call);
        return;
    }
    if (handle->words[HANDLES_CURLU]) /* before the URL: from libcurl 8.12 on it takes that away */
        call_set(call, CURLOPT_CURLU, NULL);
    call_set(call, CURLOPT_URL, url);
    handle->libcurl->free(url);
    if (handle->words[HANDLES_PORT])
        call_set(call, CURLOPT_PORT, 0L);
    if (keeps_host(redirect)) {
        write_entry(redirect, to, handle->target.place.port);
        redirect->has_entry = call_set(call, CURLOPT_CONNECT_TO, &redirect->entry) == CURLE_OK;
    }
    redirect->is_past_proxy = goes_past_proxy(redirect, handle, &to->place);
    if (redirect->is_past_proxy)
        call_set(call, CURLOPT_NOPROXY, "*");
    if (!redirect->service->credentials)
        call_set(call, CURLOPT_HTTPAUTH, CURLAUTH_NONE);
    redirect->worn = to;
    redirect->withholds = !redirect->service->credentials;
    changes(call);
}

/* A program that leads its connections by CURLOPT_CONNECT_TO knows better. */
void redirect_attempt(struct call *call)
{
    struct redirect *redirect = call->redirect;
    const struct handle *handle = call->handle;
    const struct choice_wish wish = {.is_encrypted = handle->target.scheme == TARGET_HTTPS,
                                     .may_ask = true,
                                     .port = handle->target.place.port};
    const struct route_address *to = NULL;

    if (redirect->service && !handle->words[HANDLES_CONNECT_TO])
        to = choice_make(&call->gate, redirect->service, &wish);
    if (!to)
        redirect_restore(call);
    else if (to != redirect->worn)
        wear(call, to);
}

void redirect_restore(struct call *call)
{
    struct redirect *redirect = call->redirect;
    const struct handle *handle = call->handle;

    if (!redirect || !redirect->worn)
        return;
    redirect->worn = NULL;
    call_set(call, CURLOPT_URL, handle->texts[HANDLES_URL].bytes);
    if (handle->words[HANDLES_CURLU])
        call_set(call, CURLOPT_CURLU, handle->words[HANDLES_CURLU]);
    if (handle->words[HANDLES_PORT])
        call_set(call, CURLOPT_PORT, handle->words[HANDLES_PORT]);
    if (redirect->has_entry)
        call_set(call, CURLOPT_CONNECT_TO, handle->words[HANDLES_CONNECT_TO]);
    if (redirect->is_past_proxy)
        call_set(call, CURLOPT_NOPROXY, handle->texts[HANDLES_NOPROXY].bytes);
    redirect->has_entry = redirect->is_past_proxy = false;
    call_set(call, CURLOPT_HTTPAUTH, handle->words[HANDLES_HTTPAUTH]);
    changes(call);
}

void redirect_retire(struct redirect *redirect)
{
    if (!redirect)
        return;
    redirect->worn = NULL;
    redirect->has_entry = redirect->is_past_proxy = false;
}

/* ---- questions ---- */

bool redirect_is_worn(const struct call *call)
{
    return call->redirect && call->redirect->worn;
}

bool redirect_withholds(const struct call *call)
{
    return redirect_is_worn(call) && call->redirect->withholds;
}

bool redirect_may_change(const struct call *call)
{
    return call->redirect && call->redirect->service && route_may_change(call->redirect->service);
}

bool redirect_has_borrowed(const struct call *call, CURLoption option)
{
    if (!redirect_is_worn(call))
        return false;
    switch ((int)option) {
    case CURLOPT_URL:
    case CURLOPT_CURLU:
    case CURLOPT_PORT:
    case CURLOPT_CONNECT_TO:
    case CURLOPT_HTTPAUTH:
        return true;
    case CURLOPT_NOPROXY:
        return call->redirect->is_past_proxy || !call->handle->is_performing;
    case CURLOPT_PROXY:     /* whether one is asked was decided by it */
    case CURLOPT_AWS_SIGV4: /* sets the other */
    case CURLOPT_DEFAULT_PROTOCOL:
    case CURLOPT_PATH_AS_IS: /* the URL was read by it */
        return !call->handle->is_performing;
    }
    return false;
}

bool redirect_is_past_proxy(const struct call *call)
{
    return redirect_is_worn(call) && call->redirect->is_past_proxy;
}

const struct place *redirect_origin(const struct call *call, enum target_scheme *scheme)
{
    const struct target *target = &call->handle->target;
    bool is_worn = redirect_is_worn(call);

    *scheme = is_worn ? call->redirect->scheme : target->scheme;
    return is_worn ? &call->redirect->origin : &target->place;
}
