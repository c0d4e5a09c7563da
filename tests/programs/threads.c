/*
 * Many threads, each with a handle of its own, all against one server. Every thread asks REQUESTS times, with
 * a new handle for each tenth, and holds each body to what it should be. Usage: threads URL THREADS REQUESTS
 * BODY-FILE.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *url;
static char *wanted;
static size_t wanted_length;
static long requests;

struct worker {
    pthread_t thread;
    long good, bad_body, failed;
    size_t length;
    int differs;
};

static size_t on_write(char *bytes, size_t size, size_t count, void *data)
{
    struct worker *worker = data;
    size_t length = size * count;

    if (worker->length + length > wanted_length || memcmp(wanted + worker->length, bytes, length) != 0)
        worker->differs = 1;
    worker->length += length;
    return length;
}

static CURL *make(struct worker *worker)
{
    CURL *easy = curl_easy_init();

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, worker);
    return easy;
}

static void *work(void *data)
{
    struct worker *worker = data;
    CURL *easy = NULL;

    for (long i = 0; i < requests; i++) {
        if (i % 10 == 0) {
            curl_easy_cleanup(easy);
            easy = make(worker);
        }
        worker->length = 0;
        worker->differs = 0;
        if (curl_easy_perform(easy) != CURLE_OK)
            worker->failed++;
        else if (worker->differs || worker->length != wanted_length)
            worker->bad_body++;
        else
            worker->good++;
    }
    curl_easy_cleanup(easy);
    return NULL;
}

static void read_wanted(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (!file)
        exit(2);
    wanted = malloc(1 << 20);
    wanted_length = fread(wanted, 1, 1 << 20, file);
    fclose(file);
}

int main(int argc, char **argv)
{
    struct worker workers[64] = {0}, sum = {0};

    if (argc != 5)
        return 2;
    url = argv[1];
    long count = atol(argv[2]);
    requests = atol(argv[3]);
    read_wanted(argv[4]);
    curl_global_init(CURL_GLOBAL_ALL);
    for (long i = 0; i < count && i < 64; i++)
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    for (long i = 0; i < count && i < 64; i++) {
        pthread_join(workers[i].thread, NULL);
        sum.good += workers[i].good;
        sum.bad_body += workers[i].bad_body;
        sum.failed += workers[i].failed;
    }
    printf("%ld good, %ld with a wrong body, %ld failed\n", sum.good, sum.bad_body, sum.failed);
    free(wanted);
    curl_global_cleanup();
    return 0;
}
