/*
 * A program that makes a handle for each request.
 *   fresh KIND=URL...
 * KIND: get · post · head · port:N, porting:N (CURLOPT_PORT before, after the URL) · parts (CURLU) · anew
 * (another URL, curl_easy_reset, the URL) · late (another URL, then the URL) · tour:N (a request to port N,
 * then likewise) · file (the URL, then a file, three times) · astray:N (the URL twice, then localhost:N,
 * three times) · fork (a child with a handle of its own) Prints for each what the server was sent in X-Rule;
 * for fork whether the child's request id was its own.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct text {
    char bytes[8192];
    size_t length;
};

static size_t take(char *bytes, size_t one, size_t count, void *data)
{
    struct text *text = data;
    size_t size = one * count, room = sizeof text->bytes - 1 - text->length;

    memcpy(text->bytes + text->length, bytes, size < room ? size : room);
    text->length += size < room ? size : room;
    text->bytes[text->length] = '\0';
    return size;
}

static void print_header(const char *head, const char *name)
{
    const char *line = strstr(head, name);

    if (!line)
        printf("none");
    else
        printf("%.*s", (int)strcspn(line + strlen(name), "\r\n"), line + strlen(name));
}

static void set_url(CURL *easy, const char *kind, const char *url, CURLU *parts)
{
    if (strncmp(kind, "port:", 5) == 0)
        curl_easy_setopt(easy, CURLOPT_PORT, atol(kind + 5));
    if (strcmp(kind, "anew") == 0 || strcmp(kind, "late") == 0)
        curl_easy_setopt(easy, CURLOPT_URL, "http://elsewhere.test/");
    if (strcmp(kind, "anew") == 0) {
        curl_easy_setopt(easy, CURLOPT_PORT, 1L);
        curl_easy_reset(easy);
    }
    if (strcmp(kind, "parts") == 0) {
        curl_url_set(parts, CURLUPART_URL, url, 0);
        curl_easy_setopt(easy, CURLOPT_CURLU, parts);
    } else {
        curl_easy_setopt(easy, CURLOPT_URL, url);
    }
    if (strncmp(kind, "porting:", 8) == 0)
        curl_easy_setopt(easy, CURLOPT_PORT, atol(kind + 8));
    if (strcmp(kind, "post") == 0)
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "a=b");
}

static CURLcode perform(CURL *easy, struct text *head)
{
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, head);
    return curl_easy_perform(easy);
}

static void go_elsewhere(CURL *easy, long port, struct text *head)
{
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%ld/", port);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    perform(easy, head);
}

static void follow_up(CURL *easy, const char *url)
{
    curl_easy_setopt(easy, CURLOPT_URL, url);
    for (int i = 0; i < 3; i++)
        curl_easy_perform(easy);
}

static CURLcode ask(const char *kind, const char *url, struct text *head)
{
    CURL *easy = curl_easy_init();
    CURLU *parts = curl_url();
    char astray[64];

    head->length = 0;
    head->bytes[0] = '\0';
    if (strncmp(kind, "tour:", 5) == 0) {
        go_elsewhere(easy, atol(kind + 5), head);
        curl_easy_reset(easy);
        head->length = 0;
    }
    set_url(easy, kind, url, parts);
    CURLcode code = perform(easy, head);
    if (strcmp(kind, "file") == 0)
        follow_up(easy, "file:///dev/null");
    if (strncmp(kind, "astray:", 7) == 0) {
        snprintf(astray, sizeof astray, "http://localhost:%ld/", atol(kind + 7));
        curl_easy_perform(easy);
        follow_up(easy, astray);
    }
    curl_easy_cleanup(easy);
    curl_url_cleanup(parts);
    return code;
}

/* Both go on from the same memory, and must not send the same id. */
static void ask_from_child(const char *url)
{
    static struct text mine, childs;
    int ends[2];

    if (pipe(ends) != 0)
        exit(2);
    fflush(stdout);
    if (fork() == 0) {
        ask("get", url, &mine);
        _exit(write(ends[1], mine.bytes, mine.length + 1) < 0);
    }
    ask("get", url, &mine);
    wait(NULL);
    if (read(ends[0], childs.bytes, sizeof childs.bytes) <= 0)
        exit(2);
    bool sent = strstr(mine.bytes, "X-Request-Id: ") && strstr(childs.bytes, "X-Request-Id: ");
    printf("%s", sent && strcmp(mine.bytes, childs.bytes) != 0 ? "own" : "the same");
}

int main(int count, char **words)
{
    static struct text head;

    for (int i = 1; i < count; i++) {
        char *url = strchr(words[i], '=') + 1;
        url[-1] = '\0';
        if (strcmp(words[i], "fork") == 0)
            ask_from_child(url);
        else if (ask(words[i], url, &head) == CURLE_OK)
            print_header(head.bytes, "X-Rule: ");
        else
            printf("failed");
        printf(i + 1 < count ? " " : "\n");
    }
    return 0;
}
