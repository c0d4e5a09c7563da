/*
 * A program that has credentials of its own and asks a service for something, then somebody else. It knows
 * nothing of gusset. services WAY SERVICE-URL OTHER-URL WAY: again (URL set anew), dup, reset, curlu (the
 * parts of a CURLU are changed), port (CURLOPT_PORT for the service), multi (the service in a multi handle,
 * twice), lead PORT (CURLOPT_CONNECT_TO leads to that port), late (in a callback of the service's transfer
 * the next URL is set), jar (a cookie of the service's comes back to it). Prints what either answered,
 * "--" between, and the URL that the transfer ended at.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *late_url;
static struct curl_slist *headers;

static size_t on_body(char *data, size_t size, size_t count, void *handle)
{
    if (late_url && handle)
        curl_easy_setopt(handle, CURLOPT_URL, late_url);
    return fwrite(data, size, count, stdout);
}

static void dress(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_USERPWD, "user:password");
    curl_easy_setopt(easy, CURLOPT_COOKIE, "own=cookie");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, NULL);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, 10L);
}

static void tell(CURL *easy, CURLcode code)
{
    char *url = NULL;

    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
    printf("-- %d %s\n", (int)code, url ? url : "");
}

static void go(CURL *easy)
{
    tell(easy, curl_easy_perform(easy));
}

static void go_to(CURL *easy, const char *url)
{
    curl_easy_setopt(easy, CURLOPT_URL, url);
    go(easy);
}

static void go_in_multi(CURL *easy)
{
    CURLM *multi = curl_multi_init();
    CURLMsg *message;
    int running = 1, left;

    curl_multi_add_handle(multi, easy);
    while (running && curl_multi_perform(multi, &running) == CURLM_OK)
        curl_multi_poll(multi, NULL, 0, 100, NULL);
    while ((message = curl_multi_info_read(multi, &left)))
        tell(easy, message->data.result);
    curl_multi_remove_handle(multi, easy);
    curl_multi_cleanup(multi);
}

int main(int argc, char **argv)
{
    const char *way = argc > 3 ? argv[1] : "", *service = argc > 3 ? argv[2] : "",
               *other = argc > 3 ? argv[3] : "";
    struct curl_slist *lead = NULL;
    CURLU *parts = curl_url();
    CURL *easy = curl_easy_init(), *copy;

    headers = curl_slist_append(NULL, "Authorization: Bearer token");
    headers = curl_slist_append(headers, "X-Own: 1");
    dress(easy);
    if (strcmp(way, "curlu") == 0) {
        curl_url_set(parts, CURLUPART_URL, service, 0);
        curl_easy_setopt(easy, CURLOPT_CURLU, parts);
        go(easy);
        go(easy);
        curl_url_set(parts, CURLUPART_URL, other, 0);
        go(easy);
        curl_easy_setopt(easy, CURLOPT_CURLU, NULL);
        go_to(easy, other);
    } else if (strcmp(way, "port") == 0) {
        curl_easy_setopt(easy, CURLOPT_PORT, 9L);
        go_to(easy, service);
        curl_easy_setopt(easy, CURLOPT_PORT, 0L);
        go_to(easy, other);
    } else if (strcmp(way, "multi") == 0) {
        curl_easy_setopt(easy, CURLOPT_URL, service);
        go_in_multi(easy);
        go_in_multi(easy);
        curl_easy_setopt(easy, CURLOPT_URL, other);
        go_in_multi(easy);
    } else if (strcmp(way, "lead") == 0 && argc > 4) {
        char entry[256];
        snprintf(entry, sizeof entry, "::127.0.0.1:%s", argv[4]);
        lead = curl_slist_append(NULL, entry);
        curl_easy_setopt(easy, CURLOPT_CONNECT_TO, lead);
        go_to(easy, service);
        curl_easy_setopt(easy, CURLOPT_CONNECT_TO, NULL);
        go_to(easy, service);
        go_to(easy, other);
    } else if (strcmp(way, "late") == 0) {
        late_url = other;
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, easy);
        go_to(easy, service);
        go(easy);
    } else if (strcmp(way, "jar") == 0) {
        curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");
        go_to(easy, service);
        go(easy);
        go_to(easy, other);
    } else if (strcmp(way, "dup") == 0) {
        go_to(easy, service);
        copy = curl_easy_duphandle(easy);
        go(copy);
        go_to(copy, other);
        curl_easy_cleanup(copy);
        go(easy);
    } else if (strcmp(way, "reset") == 0) {
        go_to(easy, service);
        curl_easy_reset(easy);
        dress(easy);
        go_to(easy, other);
    } else {
        go_to(easy, service);
        go(easy);
        go_to(easy, other);
        go_to(easy, service);
        go_to(easy, other);
    }
    curl_easy_cleanup(easy);
    curl_url_cleanup(parts);
    curl_slist_free_all(headers);
    curl_slist_free_all(lead);
    return 0;
}
