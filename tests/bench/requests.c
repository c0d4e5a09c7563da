/*
 * Makes N requests to one URL and says what they took. A plain client such as anyone would write; it
 * knows nothing of gusset.
 *   requests N URL [fresh] [own] [smaps] [ca=FILE]
 * fresh: a handle, so a connection, a request; else one handle for all. own: sends three headers of its
 * own. smaps: prints /proc/self/smaps afterwards, while the handle is still there. ca: the authority that
 * signed the server.
 * Prints: wall ns a request, processor ns a request, failures, bytes received.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "headers.h"

struct client {
    const char *url;
    const char *authority;
    struct curl_slist *headers;
    size_t received;
};

static size_t count_bytes(char *bytes, size_t one, size_t count, void *received)
{
    (void)bytes;
    *(size_t *)received += one * count;
    return one * count;
}

static CURL *new_handle(struct client *client)
{
    CURL *easy = curl_easy_init();

    if (!easy)
        exit(2);
    curl_easy_setopt(easy, CURLOPT_URL, client->url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &client->received);
    if (client->authority)
        curl_easy_setopt(easy, CURLOPT_CAINFO, client->authority);
    if (client->headers)
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, client->headers);
    return easy;
}

static void print_smaps(void)
{
    char line[4096];
    FILE *smaps = fopen("/proc/self/smaps", "r");

    while (smaps && fgets(line, sizeof line, smaps))
        fputs(line, stdout);
    if (smaps)
        fclose(smaps);
}

int main(int count, char **words)
{
    bool fresh = false, own = false, smaps = false;
    struct client client = {0};
    long failures = 0;

    for (int i = 3; i < count; i++) {
        fresh |= strcmp(words[i], "fresh") == 0;
        own |= strcmp(words[i], "own") == 0;
        smaps |= strcmp(words[i], "smaps") == 0;
        if (strncmp(words[i], "ca=", 3) == 0)
            client.authority = words[i] + 3;
    }
    long requests = count >= 3 ? atol(words[1]) : 0;
    if (requests <= 0) {
        fprintf(stderr, "usage: requests N URL [fresh] [own] [smaps] [ca=FILE]\n");
        return 2;
    }
    client.url = words[2];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    client.headers = own ? headers_own() : NULL;

    double began_ns = clock_ns(), cpu_began_ns = clock_cpu_ns();
    CURL *easy = fresh ? NULL : new_handle(&client);
    for (long i = 0; i < requests; i++) {
        CURL *used = fresh ? new_handle(&client) : easy;
        failures += curl_easy_perform(used) != CURLE_OK;
        if (fresh)
            curl_easy_cleanup(used);
    }
    double took_ns = clock_ns() - began_ns, cpu_ns = clock_cpu_ns() - cpu_began_ns;

    printf("%.1f %.1f %ld %zu\n", took_ns / (double)requests, cpu_ns / (double)requests, failures,
           client.received);
    if (smaps)
        print_smaps();
    curl_easy_cleanup(easy);
    curl_slist_free_all(client.headers);
    curl_global_cleanup();
    return failures > 0;
}
