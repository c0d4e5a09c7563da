/*
 * A program that takes what a server pushes over HTTP/2. Usage: push WAY URL COUNT [deny]. WAY: see loops.h.
 * Each of COUNT calls goes to URL, one after the other, all on one connection. Prints how each transfer
 * ended, pushed ones with the path that they were promised for; deny: it wants none. The last line: turns of
 * the loop that were wrong about what runs.
 */
#include "loops.h"
#include <stdlib.h>

enum { PUSHES = 64 };

static struct loop loop;
static const char *url;
static int left, pushed_count;
static bool denies;
static struct pushed {
    char path[128];
    long bytes;
} pushes[PUSHES], asked = {.path = "asked"};

static size_t on_write(char *bytes, size_t size, size_t count, void *data)
{
    struct pushed *to = data;

    (void)bytes;
    to->bytes += (long)(size * count);
    return size * count;
}

static int on_push(CURL *parent, CURL *easy, size_t count, struct curl_pushheaders *headers, void *data)
{
    const char *path = curl_pushheader_byname(headers, ":path");

    (void)parent, (void)count, (void)data;
    if (denies || pushed_count == PUSHES) {
        printf("denied %s\n", path ? path : "?");
        return CURL_PUSH_DENY;
    }
    struct pushed *to = &pushes[pushed_count++];
    snprintf(to->path, sizeof to->path, "%s", path ? path : "?");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, to);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, to);
    loop.open++;
    return CURL_PUSH_OK;
}

static void ask(CURL *easy)
{
    asked.bytes = 0;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &asked);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &asked);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE"));
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    loop_add(&loop, easy);
}

static void on_done(struct loop *of, CURL *easy, CURLcode code, void *data)
{
    struct pushed *from;
    long status = 0;

    (void)data;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&from);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    printf("%s: result %d status %ld, %ld bytes\n", from->path, (int)code, status, from->bytes);
    loop_expect(of, curl_multi_remove_handle(of->multi, easy), "remove");
    if (from != &asked)
        curl_easy_cleanup(easy);
    else if (--left)
        ask(easy);
}

int main(int argc, char **argv)
{
    if (argc < 4 || !loop_open(&loop, argv[1]))
        return 2;
    url = argv[2];
    left = atoi(argv[3]);
    denies = argc > 4;
    curl_multi_setopt(loop.multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    curl_multi_setopt(loop.multi, CURLMOPT_PUSHFUNCTION, on_push);
    CURL *easy = curl_easy_init();
    ask(easy);
    while (loop_turn(&loop, on_done, NULL))
        ;
    curl_easy_cleanup(easy);
    loop_close(&loop);
    printf("%d faults\n", loop.faults);
    return 0;
}
