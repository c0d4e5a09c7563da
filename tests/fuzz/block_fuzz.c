/*
 * libFuzzer: any bytes as a server's reply. libcurl reads them from a socket pair and hands its header lines
 * over; what gusset makes of them, line by line, must be what libcurl makes of them.
 */
#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "curl/block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reply {
    CURL *curl;
    struct block block;
    bool has_begun;
    bool is_usual; /* the block's first line is one that a server would send */
};

/* Of others each libcurl makes something else: 7.88 takes "HTTP/2503" for 503 and "HTTP/x" for 200. */
static bool is_usual(const char *line, size_t size)
{
    static const char *const starts[] = {"HTTP/1.0 ", "HTTP/1.1 ", "HTTP/2 ", "HTTP/3 "};

    for (unsigned i = 0; i < sizeof starts / sizeof *starts; i++) {
        size_t at = strlen(starts[i]);
        if (size < at || memcmp(line, starts[i], at) != 0)
            continue;
        while (at < size && line[at] == ' ')
            at++;
        size_t end = at;
        while (end < size && line[end] >= '0' && line[end] <= '9')
            end++;
        return end - at == 3;
    }
    return false;
}

static curl_socket_t open_socket(void *socket, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    (void)address;
    return *(int *)socket;
}

/* libcurl's own call comes here: the socket pair is connected. 7.88 connects even where SOCKOPTFUNCTION says
 * so. */
int connect(int fd, const struct sockaddr *to, socklen_t length)
{
    (void)fd;
    (void)to;
    (void)length;
    return 0;
}

static size_t drop(char *bytes, size_t one, size_t size, void *unused)
{
    (void)bytes;
    (void)unused;
    return one * size;
}

static void differ(const char *what, long long ours, long long theirs)
{
    fprintf(stderr, "%s: read as %lld, libcurl says %lld\n", what, ours, theirs);
    abort();
}

/* At a block's end. */
static void compare(const struct reply *reply)
{
    long code = 0;

    curl_easy_getinfo(reply->curl, CURLINFO_RESPONSE_CODE, &code);
    if (reply->is_usual && code != reply->block.status)
        differ("status", reply->block.status, code);
    if (reply->block.retry_after_ms < -1 || reply->block.retry_after_ms > 86400000)
        differ("Retry-After", reply->block.retry_after_ms, 0);
    if (reply->block.content_length < -1)
        differ("Content-Length", reply->block.content_length, 0);
}

static size_t read_line(char *bytes, size_t one, size_t size, void *data)
{
    struct reply *reply = data;
    char *line = malloc(one * size); /* of exactly its size, so that the sanitizer sees a read behind it */

    memcpy(line, bytes, one * size);
    bool is_plain = block_is_success(&reply->block) && !reply->block.has_ended && line[0] > '\r';
    struct block before = reply->block;
    if (!reply->has_begun || reply->block.has_ended)
        reply->is_usual = is_usual(line, one * size);
    reply->has_begun = true;
    bool ends = block_read(&reply->block, line, one * size);
    if (is_plain && (ends || memcmp(&before, &reply->block, sizeof before) != 0))
        differ("a plain line", reply->block.status, before.status);
    if (ends)
        compare(reply);
    free(line);
    return one * size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int pair[2];
    struct reply reply = {.curl = curl_easy_init()};

    if (size > 4000 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
        curl_easy_cleanup(reply.curl);
        return 0;
    }
    if (write(pair[1], data, size) != (ssize_t)size)
        abort();
    shutdown(pair[1], SHUT_WR);
    block_init(&reply.block);
    curl_easy_setopt(reply.curl, CURLOPT_URL, "http://127.0.0.1/");
    curl_easy_setopt(reply.curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(reply.curl, CURLOPT_OPENSOCKETDATA, &pair[0]);
    curl_easy_setopt(reply.curl, CURLOPT_HEADERFUNCTION, read_line);
    curl_easy_setopt(reply.curl, CURLOPT_HEADERDATA, &reply);
    curl_easy_setopt(reply.curl, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(reply.curl, CURLOPT_TIMEOUT_MS, 2000L);
    curl_easy_perform(reply.curl);
    curl_easy_cleanup(reply.curl);
    close(pair[1]);
    return 0;
}
