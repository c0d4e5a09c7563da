/*
 * Clients that loop: storm CLIENTS MS PAUSE_MS URL. Each is a process of its own that asks for URL by the
 * easy interface, on one handle, again and again with a pause between, until MS have passed. Prints "CALLS
 * GOOD".
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct tally {
    long calls, good;
};

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static size_t on_write(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes, (void)data;
    return size * count;
}

static struct tally loop(long until_ms, long pause_ms, const char *url)
{
    struct tally tally = {0, 0};
    CURL *easy = curl_easy_init();

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    usleep((unsigned)(getpid() % 50 * pause_ms * 20)); /* not all at once */
    while (now_ms() < until_ms) {
        tally.good += curl_easy_perform(easy) == CURLE_OK;
        tally.calls++;
        usleep((unsigned)pause_ms * 1000);
    }
    curl_easy_cleanup(easy);
    return tally;
}

int main(int argc, char **argv)
{
    struct tally one, sum = {0, 0};
    int pipes[2];

    if (argc < 5 || pipe(pipes) != 0)
        return 2;
    int clients = atoi(argv[1]);
    long until_ms = now_ms() + atol(argv[2]);
    for (int i = 0; i < clients; i++) {
        if (fork() != 0)
            continue;
        one = loop(until_ms, atol(argv[3]), argv[4]);
        _exit(write(pipes[1], &one, sizeof one) == (ssize_t)sizeof one ? 0 : 1);
    }
    close(pipes[1]);
    while (read(pipes[0], &one, sizeof one) == (ssize_t)sizeof one) {
        sum.calls += one.calls;
        sum.good += one.good;
    }
    while (wait(NULL) > 0)
        ;
    printf("%ld %ld\n", sum.calls, sum.good);
    return 0;
}
