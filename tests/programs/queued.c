/*
 * Programs that hold their own calls up in a multi handle. Usage: queued WHAT URL COUNT [OTHER-URL]
 *   line    COUNT calls to URL over one connection: all but one wait in libcurl until it is free
 *   left    COUNT calls to URL, and as many to OTHER-URL: what curl_multi_info_read says is left
 */
#include "loops.h"
#include <stdlib.h>

enum { CALLS = 64 };

static struct loop loop;
static CURL *calls[CALLS];
static int count;
static bool reads;

static size_t on_write(char *bytes, size_t size, size_t pieces, void *data)
{
    (void)bytes, (void)data;
    return size * pieces;
}

static void add(const char *url)
{
    CURL *easy = calls[count++] = curl_easy_init();

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_multi_add_handle(loop.multi, easy);
}

static void read_messages(void)
{
    CURLMsg *message;
    long status;
    int left;

    while ((message = curl_multi_info_read(loop.multi, &left))) {
        curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        if (reads)
            printf("result %d status %ld left %d\n", (int)message->data.result, status, left);
        else
            printf("result %d status %ld\n", (int)message->data.result, status);
    }
}

static void run(void)
{
    do {
        loop.step(&loop);
        if (!reads)
            read_messages();
        if (loop.running && loop.rest)
            loop.rest(&loop);
    } while (loop.running);
    read_messages();
}

int main(int argc, char **argv)
{
    if (argc < 4 || !loop_open(&loop, "poll"))
        return 2;
    int number = atoi(argv[3]) < CALLS / 2 ? atoi(argv[3]) : CALLS / 2;

    reads = strcmp(argv[1], "left") == 0;
    if (!reads)
        curl_multi_setopt(loop.multi, CURLMOPT_MAX_HOST_CONNECTIONS, 1L);
    for (int i = 0; i < number; i++)
        add(argv[2]);
    for (int i = 0; i < number && argc > 4; i++)
        add(argv[4]);
    run();
    for (int i = 0; i < count; i++) {
        curl_multi_remove_handle(loop.multi, calls[i]);
        curl_easy_cleanup(calls[i]);
    }
    curl_multi_cleanup(loop.multi);
    return 0;
}
