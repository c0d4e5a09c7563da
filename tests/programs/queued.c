/*
 * Programs that hold their own calls up in a multi handle. Usage: queued WHAT URL COUNT [OTHER-URL [COMMAND]]
 *   line    COUNT calls to URL over one connection: all but one wait in libcurl until it is free
 *   left    COUNT calls to URL, and as many to OTHER-URL: what curl_multi_info_read says is left
 *   copy    a call to URL, COMMAND is run, a call to OTHER-URL that waits in line, and COUNT ms later a copy
 * of that early   a call that is paused for COUNT ms by curl_easy_pause, soon after it has begun late
 * likewise, once some of its body has come easy    likewise, out of the progress callback of
 * curl_easy_perform
 */
#include "loops.h"
#include <stdlib.h>

enum { CALLS = 64 };

static struct loop loop;
static CURL *calls[CALLS];
static int count;
static bool reads;
static long received, while_paused;
static bool is_paused;

static size_t on_write(char *bytes, size_t size, size_t pieces, void *data)
{
    (void)bytes, (void)data;
    received += (long)(size * pieces);
    while_paused += is_paused;
    return size * pieces;
}

static void set_paused(CURL *easy, bool paused)
{
    is_paused = paused;
    CURLcode code = curl_easy_pause(easy, paused ? CURLPAUSE_RECV : CURLPAUSE_CONT);
    printf("%s %d\n", paused ? "pause" : "go on", (int)code);
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

static void go_on_until(double until_ms, bool with_body)
{
    while (loop_now_ms() < until_ms || (with_body && !received)) {
        curl_multi_perform(loop.multi, &loop.running);
        curl_multi_poll(loop.multi, NULL, 0, 10, NULL);
    }
}

static void copy_in_line(const char *url, const char *other, const char *command, double ms)
{
    add(url);
    go_on_until(loop_now_ms() + 50, false);
    if (system(command))
        puts("the command failed");
    add(other);
    go_on_until(loop_now_ms() + 50, false);
    CURL *copy = curl_easy_duphandle(calls[1]);
    run();
    loop_nap_ms((long)ms);
    printf("copy %d\n", (int)curl_easy_perform(copy));
    curl_easy_cleanup(copy);
}

static void pause_in_loop(const char *url, double ms, bool is_late)
{
    add(url);
    go_on_until(loop_now_ms() + (is_late ? 0 : 80), is_late);
    set_paused(calls[0], true);
    go_on_until(loop_now_ms() + ms, false);
    set_paused(calls[0], false);
    run();
}

static double pause_ms;

static int on_progress(void *data, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up)
{
    static double began_ms;

    (void)total, (void)now, (void)up_total, (void)up;
    if (received && !began_ms) {
        began_ms = loop_now_ms();
        set_paused(data, true);
    } else if (is_paused && loop_now_ms() > began_ms + pause_ms) {
        set_paused(data, false);
    }
    return 0;
}

static void pause_in_easy(const char *url, double ms)
{
    CURL *easy = curl_easy_init();

    pause_ms = ms;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, easy);
    printf("result %d\n", (int)curl_easy_perform(easy));
    curl_easy_cleanup(easy);
}

int main(int argc, char **argv)
{
    if (argc < 4 || !loop_open(&loop, "poll"))
        return 2;
    int number = atoi(argv[3]) < CALLS / 2 ? atoi(argv[3]) : CALLS / 2;

    reads = strcmp(argv[1], "left") == 0;
    if (!reads)
        curl_multi_setopt(loop.multi, CURLMOPT_MAX_HOST_CONNECTIONS, 1L);
    if (strcmp(argv[1], "copy") == 0 && argc > 5) {
        copy_in_line(argv[2], argv[4], argv[5], atof(argv[3]));
    } else if (strcmp(argv[1], "easy") == 0) {
        pause_in_easy(argv[2], atof(argv[3]));
    } else if (strcmp(argv[1], "early") == 0 || strcmp(argv[1], "late") == 0) {
        pause_in_loop(argv[2], atof(argv[3]), strcmp(argv[1], "late") == 0);
    } else {
        for (int i = 0; i < number; i++)
            add(argv[2]);
        for (int i = 0; i < number && argc > 4; i++)
            add(argv[4]);
        run();
    }
    if (pause_ms > 0 || is_paused || received > 1000)
        printf("%ld bytes, %ld pieces while paused\n", received, while_paused);
    for (int i = 0; i < count; i++) {
        curl_multi_remove_handle(loop.multi, calls[i]);
        curl_easy_cleanup(calls[i]);
    }
    curl_multi_cleanup(loop.multi);
    return 0;
}
