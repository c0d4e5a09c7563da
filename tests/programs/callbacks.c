/*
 * A program with callbacks of its own: logs each one with what it was given, then the result and what
 * getinfo says. Run bare and under gusset, the logs must be the same. Usage: callbacks URL [OPTION]…
 * Options: include, follow, fail, head, post=TEXT, put=FILE, noseek, headerdata, pause, abort=N (stop at
 * the N-th progress call), short=N (take only N bytes of a body), timeout=MS, header=LINE, custom=METHOD,
 * repeat=N (the same handle again), dup (perform a duplicate), reset (reset before the last), url=URL
 * (through CURLU).
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *body;
static long pauses, aborts, progress_calls, shorts;
static bool is_paused;
static CURL *current;

static size_t on_write(char *bytes, size_t size, size_t count, void *data)
{
    (void)data;
    if (pauses > 0) {
        pauses--;
        is_paused = true;
        printf("write %zu: pause\n", size * count);
        return CURL_WRITEFUNC_PAUSE;
    }
    printf("write %zu: ", size * count);
    fwrite(bytes, size, count < 60 ? count : 60, stdout);
    printf("\n");
    return shorts ? (size_t)shorts : size * count;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *data)
{
    printf("header %s%zu: ", data ? "with data " : "", size * count);
    fwrite(bytes, size, count, stdout);
    return size * count;
}

static size_t on_read(char *bytes, size_t size, size_t count, void *data)
{
    size_t got = fread(bytes, size, count, data);
    if (!got)
        printf("read: end\n");
    return got;
}

static int on_seek(void *data, curl_off_t offset, int origin)
{
    printf("seek %ld\n", (long)offset);
    return fseek(data, (long)offset, origin) ? CURL_SEEKFUNC_FAIL : CURL_SEEKFUNC_OK;
}

static int on_progress(void *data, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)data, (void)a, (void)b, (void)c, (void)d;
    if (is_paused) {
        is_paused = false;
        curl_easy_pause(current, CURLPAUSE_CONT);
    }
    return aborts && ++progress_calls >= aborts;
}

static struct curl_slist *headers;
static char error[CURL_ERROR_SIZE];

static const char *value_of(const char *option, const char *name)
{
    size_t length = strlen(name);
    return strncmp(option, name, length) == 0 && option[length] == '=' ? option + length + 1 : NULL;
}

static void apply(CURL *easy, const char *option)
{
    const char *value;

    if (strcmp(option, "include") == 0)
        curl_easy_setopt(easy, CURLOPT_HEADER, 1L);
    else if (strcmp(option, "follow") == 0)
        curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    else if (strcmp(option, "fail") == 0)
        curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    else if (strcmp(option, "head") == 0)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else if (strcmp(option, "headerdata") == 0) {
        curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, NULL);
        curl_easy_setopt(easy, CURLOPT_HEADERDATA, &error);
    } else if (strcmp(option, "pause") == 0)
        pauses = 2;
    else if ((value = value_of(option, "post")))
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, value);
    else if ((value = value_of(option, "put"))) {
        body = fopen(value, "rb");
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(easy, CURLOPT_READDATA, body);
        curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(easy, CURLOPT_SEEKDATA, body);
    } else if (strcmp(option, "noseek") == 0)
        curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, NULL);
    else if ((value = value_of(option, "abort"))) {
        aborts = atol(value);
        curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    } else if ((value = value_of(option, "short")))
        shorts = atol(value);
    else if ((value = value_of(option, "timeout")))
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, atol(value));
    else if ((value = value_of(option, "custom")))
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, value);
    else if ((value = value_of(option, "header"))) {
        headers = curl_slist_append(headers, value);
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    } else if ((value = value_of(option, "url"))) {
        CURLU *parts = curl_url();
        curl_url_set(parts, CURLUPART_URL, value, 0);
        curl_easy_setopt(easy, CURLOPT_CURLU, parts);
    }
}

static void perform(CURL *easy)
{
    long status = 0, redirects = 0;
    double size = 0;
    char *type = NULL;

    current = easy;
    error[0] = '\0';
    CURLcode code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_REDIRECT_COUNT, &redirects);
    curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD, &size);
    curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
    printf("result %d status %ld redirects %ld size %.0f type %s error %s\n", (int)code, status, redirects,
           size, type ? type : "none", error[0] ? "said" : "none");
}

static CURL *make(const char *url)
{
    CURL *easy = curl_easy_init();

    if (url[0])
        curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, NULL);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    return easy;
}

int main(int argc, char **argv)
{
    long repeat = 1;
    bool duplicate = false, reset = false;

    if (argc < 2)
        return 2;
    curl_global_init(CURL_GLOBAL_ALL);
    CURL *easy = make(argv[1]);
    for (int i = 2; i < argc; i++) {
        apply(easy, argv[i]);
        duplicate |= strcmp(argv[i], "dup") == 0;
        reset |= strcmp(argv[i], "reset") == 0;
        if (value_of(argv[i], "repeat"))
            repeat = atol(value_of(argv[i], "repeat"));
        if (strcmp(argv[i], "pause") == 0)
            curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    }
    for (long i = 0; i < repeat; i++)
        perform(easy);
    if (duplicate) {
        CURL *copy = curl_easy_duphandle(easy);
        perform(copy);
        curl_easy_cleanup(copy);
    }
    if (reset) {
        curl_easy_reset(easy);
        curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
        printf("result after reset %d\n", (int)curl_easy_perform(easy));
    }
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    curl_global_cleanup();
    return 0;
}
