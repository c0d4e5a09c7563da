/*
 * A program that speaks WebSocket by libcurl. Usage: websocket easy|poll|wait|fdset|socket URL reads what
 * comes by its write function, by curl_easy_perform or in a loop (see loops.h); websocket talk URL TEXT…
 * sends each text on a connection of its own making (CURLOPT_CONNECT_ONLY) and prints what comes back.
 */
#include "loops.h"
#include <curl/websockets.h>
#include <poll.h>
#include <stdlib.h>

static unsigned long sum, bytes;

static size_t on_write(char *data, size_t size, size_t count, void *user)
{
    (void)user;
    for (size_t i = 0; i < size * count; i++)
        sum = sum * 31 + (unsigned char)data[i];
    bytes += size * count;
    return size * count;
}

static size_t on_header(char *data, size_t size, size_t count, void *user)
{
    (void)user;
    if (strncmp(data, "HTTP/", 5) == 0)
        printf("%.*s\n", (int)strcspn(data, "\r\n"), data);
    return size * count;
}

static void on_done(struct loop *loop, CURL *easy, CURLcode code, void *data)
{
    *(CURLcode *)data = code;
    loop_expect(loop, curl_multi_remove_handle(loop->multi, easy), "remove");
}

static CURLcode read_all(CURL *easy, const char *way)
{
    struct loop loop;
    CURLcode code = CURLE_FAILED_INIT;

    if (strcmp(way, "easy") == 0)
        return curl_easy_perform(easy);
    if (!loop_open(&loop, way))
        return code;
    loop_add(&loop, easy);
    while (loop_turn(&loop, on_done, &code))
        ;
    loop_close(&loop);
    if (loop.faults)
        printf("%d faults\n", loop.faults);
    return code;
}

static CURLcode receive(CURL *easy, char *text, size_t room, size_t *length)
{
    void *frame; /* a struct curl_ws_frame, const from 8.0 on */
    curl_socket_t fd = -1;
    CURLcode code;

    curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd);
    while ((code = curl_ws_recv(easy, text, room, length, (void *)&frame)) == CURLE_AGAIN)
        poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 5000);
    return code;
}

static CURLcode talk(CURL *easy, char **texts)
{
    char back[1000];
    size_t length = 0;
    CURLcode code;

    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 2L);
    code = curl_easy_perform(easy);
    for (; code == CURLE_OK && *texts; texts++) {
        code = curl_ws_send(easy, *texts, strlen(*texts), &length, 0, CURLWS_TEXT);
        if (code == CURLE_OK)
            code = receive(easy, back, sizeof back, &length);
        printf("%.*s\n", (int)length, back);
    }
    return code;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, argv[2]);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    CURLcode code = strcmp(argv[1], "talk") == 0 ? talk(easy, argv + 3) : read_all(easy, argv[1]);
    printf("result %d, %lu bytes, sum %lx\n", (int)code, bytes, sum);
    curl_easy_cleanup(easy);
    return 0;
}
