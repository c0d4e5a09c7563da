/*
 * Transfers in one multi handle, as an event loop with curl_multi_poll makes them; it knows nothing of
 * gusset. multi N URL [own]    makes N transfers, four at a time, each handle used again. own: sends three
 * headers of its own. multi N URL idle     starts a thousand transfers of a URL that does not answer, then
 * lets the loop come by N times. Prints: processor ns a transfer (or a time that the loop comes by),
 * failures.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "clock.h"
#include "headers.h"

enum { AT_ONCE = 4, IDLE = 1000 };

static size_t count_bytes(char *bytes, size_t one, size_t count, void *received)
{
    (void)bytes;
    *(size_t *)received += one * count;
    return one * count;
}

static CURL *new_handle(const char *url, struct curl_slist *headers)
{
    static size_t received;
    CURL *easy = curl_easy_init();

    if (!easy)
        exit(2);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &received);
    if (headers)
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    return easy;
}

static long transfer(CURLM *multi, long transfers, const char *url, struct curl_slist *headers)
{
    CURL *easies[AT_ONCE];
    long begun = 0, failures = 0;
    int running = 1, left;

    for (int i = 0; i < AT_ONCE; i++, begun++) {
        easies[i] = new_handle(url, headers);
        curl_multi_add_handle(multi, easies[i]);
    }
    for (long ended = 0; ended < transfers;) {
        curl_multi_perform(multi, &running);
        for (CURLMsg *message; (message = curl_multi_info_read(multi, &left));) {
            CURL *easy = message->easy_handle;
            failures += message->data.result != CURLE_OK;
            ended++;
            curl_multi_remove_handle(multi, easy);
            if (begun++ < transfers)
                curl_multi_add_handle(multi, easy);
        }
        if (running)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    for (int i = 0; i < AT_ONCE; i++)
        curl_easy_cleanup(easies[i]);
    return failures;
}

static long idle(CURLM *multi, long turns, const char *url)
{
    static CURL *easies[IDLE];
    struct rlimit files;
    int running = 0;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    for (int i = 0; i < IDLE; i++) {
        easies[i] = new_handle(url, NULL);
        curl_multi_add_handle(multi, easies[i]);
    }
    for (long turn = 0; turn < turns; turn++)
        curl_multi_perform(multi, &running);
    for (int i = 0; i < IDLE; i++) {
        curl_multi_remove_handle(multi, easies[i]);
        curl_easy_cleanup(easies[i]);
    }
    return IDLE - running;
}

int main(int count, char **words)
{
    bool own = count > 3 && strcmp(words[3], "own") == 0,
         is_idle = count > 3 && strcmp(words[3], "idle") == 0;
    long number = count >= 3 ? atol(words[1]) : 0;
    struct curl_slist *headers = own ? headers_own() : NULL;

    if (number <= 0) {
        fprintf(stderr, "usage: multi N URL [own | idle]\n");
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM *multi = curl_multi_init();
    double cpu = clock_cpu_ns();
    long failures = is_idle ? idle(multi, number, words[2]) : transfer(multi, number, words[2], headers);
    cpu = (clock_cpu_ns() - cpu) / (double)number;
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    printf("%.0f %ld\n", cpu, failures);
    return 0;
}
