/*
 * What libcurl keeps beside the options of a handle, and what its programs do with it. Usage: kept WHAT URL
 * OTHER-URL [NAME:PORT:ADDRESS | FILE]. Two requests of one handle, to URL and OTHER-URL; in between, or
 * while the second is under way, WHAT is done: resolved    the handle was told an address by CURLOPT_RESOLVE
 *     freed       and the list is freed after the first request
 *     file        the handle reads its cookies from FILE
 *     socket      nothing, but the connection's socket is asked for
 *     reset       the handle, which has a jar of cookies, is reset
 *     shared      150 ms after the second began another handle of the same share gets other cookies
 *     jarless     the handle's share has cookies, of which it makes no use; then another one asks
 *     aborted     the program ends the second after 400 ms, in a multi handle; WAYs as in loops.h:
 * aborted-poll … Prints what the program can see.
 */
#include "loops.h"
#include <netinet/in.h>
#include <stdlib.h>

static CURLSH *share;
static CURL *other;
static const char *what;
static double began_ms;

static size_t on_write(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes, (void)data;
    return size * count;
}

static void set_cookie(CURL *easy, const char *cookie)
{
    char line[100];

    snprintf(line, sizeof line, "Set-Cookie: %s; domain=127.0.0.1; path=/", cookie);
    curl_easy_setopt(easy, CURLOPT_COOKIELIST, line);
}

static int on_progress(void *data, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    double since_ms = loop_now_ms() - began_ms;

    (void)data, (void)a, (void)b, (void)c, (void)d;
    if (began_ms > 0 && since_ms > 150 && strcmp(what, "shared") == 0) {
        set_cookie(other, "mine=new");
        began_ms = 0;
    }
    return began_ms > 0 && since_ms > 400 && strncmp(what, "aborted", 7) == 0;
}

static CURL *make(void)
{
    CURL *easy = curl_easy_init();

    if (share)
        curl_easy_setopt(easy, CURLOPT_SHARE, share);
    return easy;
}

static void say_socket(CURL *easy)
{
    struct sockaddr_in local = {0};
    socklen_t length = sizeof local;
    curl_socket_t socket = -1;
    long port = 0, last = -1;

    curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &socket);
    curl_easy_getinfo(easy, CURLINFO_LASTSOCKET, &last);
    curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &port);
    bool is_its_own =
        getsockname(socket, (struct sockaddr *)&local, &length) == 0 && ntohs(local.sin_port) == port;
    printf("socket %s\n", socket < 0 ? "none" : is_its_own && last == socket ? "its own" : "another's");
}

static void say(CURL *easy, CURLcode code)
{
    struct curl_slist *cookies = NULL;
    long status = 0, verified = 0;

    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verified);
    curl_easy_getinfo(easy, CURLINFO_COOKIELIST, &cookies);
    printf("result %d status %ld verified %ld\n", (int)code, status, verified);
    for (const struct curl_slist *cookie = cookies; cookie; cookie = cookie->next)
        printf("%s\n", cookie->data);
    curl_slist_free_all(cookies);
    if (strcmp(what, "socket") == 0)
        say_socket(easy);
}

static void set(CURL *easy, const char *url)
{
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
}

static void fetch(CURL *easy, const char *url)
{
    set(easy, url);
    say(easy, curl_easy_perform(easy));
}

static void on_done(struct loop *loop, CURL *easy, CURLcode code, void *data)
{
    (void)loop, (void)data;
    say(easy, code);
}

static void fetch_in_loop(CURL *easy, const char *url, const char *way)
{
    struct loop loop;

    set(easy, url);
    if (!loop_open(&loop, way))
        return;
    loop_add(&loop, easy);
    while (loop_turn(&loop, on_done, NULL))
        ;
    curl_multi_remove_handle(loop.multi, easy);
    loop_close(&loop);
}

int main(int count, char **words)
{
    struct curl_slist *addresses = NULL;

    if (count < 4)
        return 2;
    what = words[1];
    curl_global_init(CURL_GLOBAL_ALL);
    bool is_shared = strcmp(what, "shared") == 0, is_jarless = strcmp(what, "jarless") == 0;
    if (is_shared || is_jarless) {
        share = curl_share_init();
        curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
    }
    CURL *easy = make();
    other = make();
    if (is_shared || strcmp(what, "reset") == 0)
        curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");
    if (is_shared)
        set_cookie(other, "mine=old");
    if (strcmp(what, "file") == 0)
        curl_easy_setopt(easy, CURLOPT_COOKIEFILE, words[4]);
    else if (count > 4)
        addresses = curl_slist_append(NULL, words[4]);
    curl_easy_setopt(easy, CURLOPT_RESOLVE, addresses);
    fetch(easy, words[2]);
    if (strcmp(what, "freed") == 0) {
        memset(addresses->data, 'x', strlen(addresses->data));
        curl_slist_free_all(addresses);
    }
    if (strcmp(what, "reset") == 0)
        curl_easy_reset(easy);
    began_ms = loop_now_ms();
    if (strncmp(what, "aborted-", 8) == 0)
        fetch_in_loop(easy, words[3], what + 8);
    else
        fetch(easy, words[3]);
    if (share)
        say(other, CURLE_OK);
    curl_easy_cleanup(other);
    curl_easy_cleanup(easy);
    curl_share_cleanup(share);
    if (strcmp(what, "resolved") == 0)
        curl_slist_free_all(addresses);
    return 0;
}
