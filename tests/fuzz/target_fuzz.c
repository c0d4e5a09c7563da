/*
 * libFuzzer: any text as CURLOPT_URL, held against libcurl itself: where the two read different hosts, ports
 * or schemes, a secret goes to the wrong host. The truth is a transfer's own (it ends at a unix socket where
 * nobody can listen), so that its way with CURLOPT_DEFAULT_PROTOCOL is asked too, and not only that of
 * curl_url.
 */
#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "curl/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct parts { /* as a transfer reads a URL; scheme NULL: it refuses it */
    char *scheme, *host, *port, *path;
};

static const struct libcurl libcurl = {
    .url = curl_url,
    .url_cleanup = curl_url_cleanup,
    .url_set = curl_url_set,
    .url_get =
        (CURLUcode(*)(const CURLU *, CURLUPart, char **, unsigned))curl_url_get, /* CURLU *, before 8.0 */
    .free = curl_free};

/* The first byte of an input chooses. */
static const char *const default_schemes[] = {NULL, "http", "https", "ftp"};

static void parts_clear(struct parts *parts)
{
    curl_free(parts->scheme);
    curl_free(parts->host);
    curl_free(parts->port);
    curl_free(parts->path);
}

static void parts_read(struct parts *parts, const char *url)
{
    CURLU *parsed = curl_url();

    if (curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK) {
        curl_url_get(parsed, CURLUPART_SCHEME, &parts->scheme, 0);
        curl_url_get(parsed, CURLUPART_HOST, &parts->host, 0);
        curl_url_get(parsed, CURLUPART_PORT, &parts->port, CURLU_DEFAULT_PORT);
        curl_url_get(parsed, CURLUPART_PATH, &parts->path, 0);
    }
    curl_url_cleanup(parsed);
}

/* A transfer writes the URL that it has understood back into its effective URL. */
static void parts_of_transfer(struct parts *parts, const char *url, const char *default_scheme)
{
    static CURL *curl;
    const char *effective = NULL;

    if (!curl)
        curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,ftp");
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, "/dev/null/nobody");
    curl_easy_setopt(curl, CURLOPT_DEFAULT_PROTOCOL, default_scheme);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    if (curl_easy_perform(curl) == CURLE_COULDNT_CONNECT) {
        curl_easy_getinfo(curl, CURLINFO_EFFECTIVE_URL, &effective);
        parts_read(parts, effective);
    }
}

static enum target_scheme scheme_of(const char *name)
{
    return strcmp(name, "http") == 0 ? TARGET_HTTP : strcmp(name, "https") == 0 ? TARGET_HTTPS : TARGET_OTHER;
}

/* "000000.1" and "0.0.0.1" are one host to libcurl, whichever of its functions has said so. */
static bool is_host(const char *ours, const char *theirs)
{
    struct parts a = {0}, b = {0};
    char url[600];

    snprintf(url, sizeof url, strchr(ours, ':') ? "http://[%.255s]/" : "http://%.255s/", ours);
    parts_read(&a, url);
    snprintf(url, sizeof url, "http://%.255s/", theirs);
    parts_read(&b, url);
    bool same = a.host && b.host && strcasecmp(a.host, b.host) == 0;
    parts_clear(&a);
    parts_clear(&b);
    return same;
}

static void compare(const struct target *target, const struct parts *parts, const char *url)
{
    struct place place;

    bool same_host =
        place_from_host(&place, parts->host, strlen(parts->host), (uint16_t)atoi(parts->port)) &&
        place.port == target->place.port &&
        (strcmp(place.name, target->place.name) == 0 || is_host(target->place.name, parts->host));
    if (same_host && scheme_of(parts->scheme) == target->scheme &&
        strnlen(parts->path, TARGET_PATH_MAX) == target->path_length &&
        memcmp(parts->path, target->path, target->path_length) == 0)
        return;
    fprintf(stderr, "\"%s\" goes to %s://%s:%s%s, but was read as %d://%s:%u%.*s\n", url, parts->scheme,
            parts->host, parts->port, parts->path, target->scheme, target->place.name, target->place.port,
            (int)target->path_length, target->path);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target target;
    struct parts parts = {0};

    if (size < 1 || size > 2000)
        return 0;
    const char *default_scheme = default_schemes[data[0] % 4];
    char *url = strndup((const char *)data + 1, size - 1);
    parts_of_transfer(&parts, url, default_scheme);
    if (target_read(&target, &libcurl, url, default_scheme, 0) && parts.scheme)
        compare(&target, &parts, url);
    if (target_read_plain(&target, url) && parts.scheme)
        compare(&target, &parts, url);
    parts_clear(&parts);
    free(url);
    return 0;
}
