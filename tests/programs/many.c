/*
 * An event loop that serves many calls at once by the multi interface. Usage: many WAY COUNT AT-ONCE
 * BODY-FILE URL [threads=N] [beside=URL] [same]. WAY: see loops.h. Each of COUNT calls goes to URL, where @
 * stands for its number, and must give status 200 and that body. With `beside` one more call is under way
 * from before the first of them; once they are served, the loop goes on until that one has ended, too. With
 * `same` each handle keeps the options of its first call. Threads have loops of their own. Prints "N good, N
 * with a wrong body, N failed, N faults", then turns (of the loop until COUNT calls were served), ms (that
 * took), and with `beside` idle (turns from then until it had ended), beside (its status) and after (ms from
 * the beginning until it had).
 */
#include "loops.h"
#include <pthread.h>
#include <stdlib.h>

struct call {
    struct worker *worker;
    CURL *easy;
    size_t at; /* bytes that came */
    bool differs, is_beside;
};

struct worker {
    struct loop loop;
    long begun, ended, good, wrong, failed, turns, idle, beside_status;
    double begin_ms, start_ms, served_ms, beside_ms; /* start: of the COUNT calls */
};

static const char *way, *url, *beside;
static char *wanted;
static size_t wanted_size;
static long count, at_once;
static bool same;

static size_t on_write(char *bytes, size_t size, size_t length, void *data)
{
    struct call *call = data;

    length *= size;
    if (call->at + length > wanted_size || memcmp(wanted + call->at, bytes, length) != 0)
        call->differs = true;
    call->at += length;
    return length;
}

static void begin(struct worker *worker, struct call *call, const char *where)
{
    char text[1024];
    size_t length = 0;

    if (same && call->worker) {
        call->at = 0;
        loop_add(&worker->loop, call->easy);
        return;
    }
    for (const char *at = where; *at && length < sizeof text - 24; at++)
        if (*at == '@')
            length += (size_t)snprintf(text + length, 24, "%ld", worker->begun);
        else
            text[length++] = *at;
    text[length] = '\0';
    call->worker = worker;
    call->at = 0;
    call->differs = false;
    call->is_beside = where == beside;
    curl_easy_setopt(call->easy, CURLOPT_URL, text);
    curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
    loop_add(&worker->loop, call->easy);
}

static void on_done(struct loop *loop, CURL *easy, CURLcode code, void *data)
{
    struct worker *worker = data;
    struct call *call;
    long status = 0;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&call);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    loop_expect(loop, curl_multi_remove_handle(loop->multi, easy), "remove");
    if (call->is_beside) {
        worker->beside_status = status;
        worker->beside_ms = loop_now_ms() - worker->begin_ms;
        return;
    }
    if (code != CURLE_OK || status != 200)
        worker->failed++;
    else if (call->differs || call->at != wanted_size)
        worker->wrong++;
    else
        worker->good++;
    if (++worker->ended == count) {
        worker->turns = loop->turns;
        worker->served_ms = loop_now_ms() - worker->start_ms;
    }
    if (worker->begun < count) {
        begin(worker, call, url);
        worker->begun++;
    }
}

static void *work(void *data)
{
    struct worker *worker = data;
    struct call *calls = calloc((size_t)at_once + 1, sizeof *calls);

    worker->begin_ms = worker->start_ms = loop_now_ms();
    loop_open(&worker->loop, way);
    for (long i = 0; i <= at_once; i++)
        calls[i].easy = curl_easy_init();
    if (beside) {
        begin(worker, &calls[at_once], beside);
        /* until it is certainly on its way, and waits */
        for (double until = loop_now_ms() + 100; loop_now_ms() < until;)
            loop_turn(&worker->loop, on_done, worker);
        worker->loop.turns = 0;
        worker->start_ms = loop_now_ms();
    }
    for (long i = 0; i < at_once && worker->begun < count; i++, worker->begun++)
        begin(worker, &calls[i], url);
    while (loop_turn(&worker->loop, on_done, worker))
        ;
    worker->idle = worker->loop.turns - worker->turns;
    for (long i = 0; i <= at_once; i++)
        curl_easy_cleanup(calls[i].easy);
    loop_close(&worker->loop);
    free(calls);
    return NULL;
}

static bool read_wanted(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (!file)
        return false;
    wanted = malloc(1 << 20);
    wanted_size = fread(wanted, 1, 1 << 20, file);
    fclose(file);
    return true;
}

int main(int argc, char **argv)
{
    static struct worker workers[64], sum;
    pthread_t threads[64];
    int thread_count = 1;

    if (argc < 6 || !read_wanted(argv[4]))
        return 2;
    way = argv[1];
    count = atol(argv[2]);
    at_once = atol(argv[3]);
    url = argv[5];
    for (int i = 6; i < argc; i++)
        if (strncmp(argv[i], "threads=", 8) == 0)
            thread_count = atoi(argv[i] + 8);
        else if (strncmp(argv[i], "beside=", 7) == 0)
            beside = argv[i] + 7;
        else if (strcmp(argv[i], "same") == 0)
            same = true;
    curl_global_init(CURL_GLOBAL_ALL);
    for (int i = 0; i < thread_count; i++)
        pthread_create(&threads[i], NULL, work, &workers[i]);
    for (int i = 0; i < thread_count; i++) {
        pthread_join(threads[i], NULL);
        sum.good += workers[i].good;
        sum.wrong += workers[i].wrong;
        sum.failed += workers[i].failed;
        sum.loop.faults += workers[i].loop.faults;
    }
    printf("%ld good, %ld with a wrong body, %ld failed, %d faults\n", sum.good, sum.wrong, sum.failed,
           sum.loop.faults);
    printf("turns %ld\nms %.0f\n", workers[0].turns, workers[0].served_ms);
    if (beside)
        printf("idle %ld\nbeside %ld\nafter %.0f\n", workers[0].idle, workers[0].beside_status,
               workers[0].beside_ms);
    curl_global_cleanup();
    free(wanted);
    return 0;
}
