#include "curl/told.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "curl/handles.h"
#include "sys/clock.h"
#include "sys/raw.h"

enum { MICRO = 1000000 };

/* ---- answers ---- */

/* libcurl below 8.5 names schemes in capitals. */
static const char *secure_name(const char *plain)
{
    return plain && plain[0] == 'H' ? "HTTPS" : "https";
}

static void answer_of_target(const struct told *told, CURLINFO info, void *out)
{
    switch ((int)info) {
    case CURLINFO_EFFECTIVE_URL:
        if (told->url)
            *(char **)out = told->url;
        return;
    case CURLINFO_SCHEME:
        if (told->is_https)
            *(const char **)out = secure_name(*(const char **)out);
        return;
    case CURLINFO_PROTOCOL:
        if (told->is_https)
            *(long *)out = CURLPROTO_HTTPS;
        return;
    }
}

static void answer_of_first(const struct told_first *first, CURLINFO info, void *out)
{
    switch ((int)info) {
#define X(name)                                                                                              \
    case CURLINFO_##name:                                                                                    \
        *(long *)out = first->name;                                                                          \
        return;
        TOLD_LONGS(X)
#undef X
#define X(name)                                                                                              \
    case CURLINFO_##name##_T:                                                                                \
        *(curl_off_t *)out = first->name;                                                                    \
        return;                                                                                              \
    case CURLINFO_##name:                                                                                    \
        *(double *)out = (double)first->name / MICRO;                                                        \
        return;
        TOLD_TIMES(X)
#undef X
    case CURLINFO_FILETIME:
        *(long *)out = (long)first->filetime;
        return;
    case CURLINFO_FILETIME_T:
        *(curl_off_t *)out = first->filetime;
        return;
    case CURLINFO_CONTENT_TYPE:
        *(char **)out = first->type;
        return;
    }
}

static void answer_of_peer(const struct told_peer *peer, CURLINFO info, void *out)
{
    switch ((int)info) {
    case CURLINFO_PRIMARY_IP:
        *(const char **)out = peer->primary_ip;
        return;
    case CURLINFO_LOCAL_IP:
        *(const char **)out = peer->local_ip;
        return;
    case CURLINFO_PRIMARY_PORT:
        *(long *)out = peer->primary_port;
        return;
    case CURLINFO_LOCAL_PORT:
        *(long *)out = peer->local_port;
        return;
    case CURLINFO_REDIRECT_URL:
        *(char **)out = peer->redirect_url;
        return;
    }
}

static void answer_of_socket(const struct told *told, CURLINFO info, void *out)
{
    switch ((int)info) {
    case CURLINFO_ACTIVESOCKET:
        *(curl_socket_t *)out = told->socket;
        return;
    case CURLINFO_LASTSOCKET:
        *(long *)out = told->socket;
        return;
    }
}

static curl_off_t speed(const struct told *told)
{
    return told->took_us ? (curl_off_t)((double)told->size * MICRO / (double)told->took_us) : 0;
}

static void answer_of_whole(const struct told *told, CURLINFO info, void *out)
{
    switch ((int)info) {
    case CURLINFO_OS_ERRNO:
        if (told->is_well)
            *(long *)out = 0;
        return;
    case CURLINFO_SIZE_DOWNLOAD_T:
        *(curl_off_t *)out = told->size;
        return;
    case CURLINFO_SIZE_DOWNLOAD:
        *(double *)out = (double)told->size;
        return;
    case CURLINFO_CONTENT_LENGTH_DOWNLOAD_T:
        *(curl_off_t *)out = told->length;
        return;
    case CURLINFO_CONTENT_LENGTH_DOWNLOAD:
        *(double *)out = (double)told->length;
        return;
    case CURLINFO_TOTAL_TIME_T:
        *(curl_off_t *)out = told->took_us;
        return;
    case CURLINFO_TOTAL_TIME:
        *(double *)out = (double)told->took_us / MICRO;
        return;
    case CURLINFO_SPEED_DOWNLOAD_T:
        *(curl_off_t *)out = speed(told);
        return;
    case CURLINFO_SPEED_DOWNLOAD:
        *(double *)out = (double)speed(told);
        return;
    }
}

CURLcode told_info(const struct handle *handle, CURLINFO info, void *out)
{
    const struct told *told = handle->told;
    CURLcode code = handle->libcurl->easy_getinfo(handle->easy, info, out);

    if (code != CURLE_OK || !out)
        return code;
    answer_of_target(told, info, out);
    if (told->has_socket)
        answer_of_socket(told, info, out);
    if (told->has_first)
        answer_of_first(&told->first, info, out);
    if (told->has_peer)
        answer_of_peer(&told->peer, info, out);
    if (told->is_whole)
        answer_of_whole(told, info, out);
    return code;
}

/* ---- what there is to tell ---- */

/* The URL as libcurl itself writes it, once it has read it. */
static char *effective_url(const struct handle *handle)
{
    const struct libcurl *libcurl = handle->libcurl;
    const char *text = handle->texts[HANDLES_URL].bytes,
               *scheme = handle->texts[HANDLES_DEFAULT_PROTOCOL].bytes;
    CURLU *own = handles_pointer(handle, HANDLES_CURLU), *parts = own ? own : libcurl->url();
    char *url = NULL;

    if (!parts)
        return NULL;
    bool is_read = own || libcurl->url_set(parts, CURLUPART_URL, text,
                                           CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME) == CURLUE_OK;
    if (is_read && !own && scheme && !strstr(text, "://"))
        libcurl->url_set(parts, CURLUPART_SCHEME, scheme, 0);
    if (is_read)
        libcurl->url_get(parts, CURLUPART_URL, &url, 0);
    if (!own)
        libcurl->url_cleanup(parts);
    return url;
}

void told_pretend(struct handle *handle)
{
    told_forget(handle);
    struct told *told = calloc(1, sizeof *told);

    if (!told)
        return;
    told->url = effective_url(handle);
    told->is_https = handle->target.scheme == TARGET_HTTPS;
    handle->told = told;
}

static char *copy_of(const char *text)
{
    return text ? strdup(text) : NULL;
}

static void ask_first(struct told *told, const struct libcurl *libcurl, CURL *easy)
{
    CURLcode (*ask)(CURL *, CURLINFO, ...) = libcurl->easy_getinfo;
    char *type = NULL;

#define X(name) ask(easy, CURLINFO_##name, &told->first.name);
    TOLD_LONGS(X)
#undef X
#define X(name) ask(easy, CURLINFO_##name##_T, &told->first.name);
    TOLD_TIMES(X)
#undef X
    ask(easy, CURLINFO_FILETIME_T, &told->first.filetime);
    ask(easy, CURLINFO_CONTENT_TYPE, &type);
    free(told->first.type);
    told->first.type = copy_of(type);
    told->has_first = true;
}

/* What another handle has got of it (told_of_other) libcurl does not say of this one. */
static bool has_kept(struct handle *handle)
{
    struct told *told = handle->told;

    if (!told || !told->has_peer)
        return false;
    handle->libcurl->free(told->url);
    told->url = NULL;
    told->is_https = told->has_peer = told->is_whole = false;
    return true;
}

void told_keep(struct handle *handle)
{
    if (has_kept(handle))
        return;
    told_forget(handle);
    struct told *told = calloc(1, sizeof *told);

    if (!told)
        return;
    ask_first(told, handle->libcurl, handle->easy);
    handle->told = told;
}

static void ask_text(const struct libcurl *libcurl, CURL *easy, CURLINFO info, char text[TOLD_IP_ROOM])
{
    char *found = NULL;

    libcurl->easy_getinfo(easy, info, &found);
    if (found && strlen(found) < TOLD_IP_ROOM)
        memcpy(text, found, strlen(found) + 1);
}

static void ask_peer(struct told *told, const struct libcurl *libcurl, CURL *easy)
{
    struct told_peer *peer = &told->peer;
    char *redirect_url = NULL;

    ask_text(libcurl, easy, CURLINFO_PRIMARY_IP, peer->primary_ip);
    ask_text(libcurl, easy, CURLINFO_LOCAL_IP, peer->local_ip);
    libcurl->easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &peer->primary_port);
    libcurl->easy_getinfo(easy, CURLINFO_LOCAL_PORT, &peer->local_port);
    libcurl->easy_getinfo(easy, CURLINFO_REDIRECT_URL, &redirect_url);
    free(peer->redirect_url);
    peer->redirect_url = copy_of(redirect_url);
    told->has_peer = true;
}

void told_of_other(struct handle *handle, CURL *other, uint64_t later_us)
{
    struct told *told = handle->told;

    if (!told)
        return;
    ask_first(told, handle->libcurl, other);
#define X(name)                                                                                              \
    if (told->first.name > 0)                                                                                \
        told->first.name += (curl_off_t)later_us;
    TOLD_TIMES(X)
#undef X
    ask_peer(told, handle->libcurl, other);
}

void told_whole(struct handle *handle, uint64_t size, int64_t length, uint64_t began_us, bool is_well)
{
    struct told *told = handle->told;

    if (!told)
        return;
    told->is_whole = true;
    told->is_well = is_well;
    told->size = (curl_off_t)size;
    told->length = length;
    told->took_us = (curl_off_t)(clock_now_us() - began_us);
}

/* Where the handle has run without us before, libcurl looks among the connections of that time. */
static bool is_local_port(curl_socket_t socket, long port)
{
    struct sockaddr_in6 local = {0}; /* or an IPv4 one, whose port is in the same place */
    socklen_t length = sizeof local;
    uint8_t bytes[2];

    if (sys_getsockname(socket, (struct sockaddr *)(void *)&local, &length) < 0 ||
        (local.sin6_family != AF_INET && local.sin6_family != AF_INET6))
        return false;
    memcpy(bytes, &local.sin6_port, sizeof bytes);
    return port == (bytes[0] << 8 | bytes[1]);
}

void told_of_socket(struct handle *handle)
{
    const struct libcurl *libcurl = handle->libcurl;
    struct told *told = handle->told ? handle->told : calloc(1, sizeof *told);
    curl_socket_t socket = CURL_SOCKET_BAD;
    long port = 0;

    if (!told)
        return;
    handle->told = told;
    libcurl->easy_getinfo(handle->easy, CURLINFO_ACTIVESOCKET, &socket);
    libcurl->easy_getinfo(handle->easy, CURLINFO_LOCAL_PORT, &port);
    bool is_its_own = !handle->pool.share && socket != CURL_SOCKET_BAD && is_local_port(socket, port);
    told->socket = is_its_own ? socket : CURL_SOCKET_BAD;
    told->has_socket = true;
}

void told_forget(struct handle *handle)
{
    struct told *told = handle->told;

    if (!told)
        return;
    if (told->url)
        handle->libcurl->free(told->url);
    free(told->first.type);
    free(told->peer.redirect_url);
    free(told);
    handle->told = NULL;
}
