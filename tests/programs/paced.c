/*
 * Clients that call one call after another, each once in its period, give or take a fifth; where a call takes
 * longer, the next follows at once. Each call has a connection of its own. Usage: paced URL CLIENTS PERIOD-MS
 * RUN-MS. Prints how many calls were made, and how many of them ended well.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *url;
static int64_t period_us, end_us;

struct client {
    pthread_t thread;
    unsigned seed;
    long calls, good;
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void wait_until(int64_t us)
{
    const struct timespec then = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &then, NULL);
}

static size_t on_write(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes;
    (void)data;
    return size * count;
}

static void *work(void *data)
{
    struct client *client = data;
    CURL *easy = curl_easy_init();
    int64_t next_us = now_us() + rand_r(&client->seed) % period_us;

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    while (next_us < end_us) {
        wait_until(next_us);
        int64_t began_us = now_us();
        client->calls++;
        client->good += curl_easy_perform(easy) == CURLE_OK;
        next_us = began_us + period_us * 4 / 5 + rand_r(&client->seed) % (period_us * 2 / 5);
        if (next_us < now_us())
            next_us = now_us();
    }
    curl_easy_cleanup(easy);
    return NULL;
}

int main(int argc, char **argv)
{
    long calls = 0, good = 0;

    if (argc != 5)
        return 2;
    url = argv[1];
    int count = atoi(argv[2]);
    period_us = atol(argv[3]) * 1000;
    curl_global_init(CURL_GLOBAL_ALL);
    struct client *clients = calloc((size_t)count, sizeof *clients);
    end_us = now_us() + atol(argv[4]) * 1000;
    for (int i = 0; i < count; i++) {
        clients[i].seed = (unsigned)i + 1;
        pthread_create(&clients[i].thread, NULL, work, &clients[i]);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(clients[i].thread, NULL);
        calls += clients[i].calls;
        good += clients[i].good;
    }
    free(clients);
    printf("%ld %ld\n", calls, good);
    return 0;
}
