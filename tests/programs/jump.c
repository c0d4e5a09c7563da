/*
 * Programs that leave curl_easy_perform by another door, or enter it twice. Usage: jump WAY URL [OTHER-URL].
 *   write, header, read, progress  longjmp out of that callback, then a new handle and the old one's reset,
 * use and cleanup clean                          longjmp out of the write callback, then cleanup at once
 *   again                          longjmp out of the write callback, then the same handle once more as it is
 *   nest                           in the write callback perform OTHER-URL on another handle
 *   change                         in the header callback set another write function
 *   alone                          in a thread of its own, while the first thread has left the process
 *   inside                         in the write callback perform the same handle (libcurl refuses),
 * duplicate, clean the duplicate libcurl itself is not made to be left by longjmp: what is asked here is that
 * gusset makes nothing worse.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static jmp_buf out;
static const char *way, *other;
static int jumps;

static size_t plain(char *bytes, size_t size, size_t count, void *data)
{
    fwrite(bytes, size, count, data ? data : stdout);
    return size * count;
}

static void fetch(const char *url)
{
    CURL *easy = curl_easy_init();

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, plain);
    printf("other %d\n", (int)curl_easy_perform(easy));
    curl_easy_cleanup(easy);
}

static void leave(const char *callback)
{
    int leaves = strcmp(way, callback) == 0 ||
                 (strcmp(callback, "write") == 0 && (strcmp(way, "clean") == 0 || strcmp(way, "again") == 0));

    if (leaves && jumps > 0) {
        jumps--;
        longjmp(out, 1);
    }
}

static size_t on_write(char *bytes, size_t size, size_t count, void *data)
{
    leave("write");
    if (strcmp(way, "nest") == 0)
        fetch(other);
    if (strcmp(way, "inside") == 0) {
        CURL *copy = curl_easy_duphandle(data);
        printf("inside %d\n", (int)curl_easy_perform(data));
        curl_easy_setopt(copy, CURLOPT_WRITEFUNCTION, plain);
        curl_easy_setopt(copy, CURLOPT_WRITEDATA, stdout);
        curl_easy_setopt(copy, CURLOPT_HEADERFUNCTION, NULL);
        curl_easy_setopt(copy, CURLOPT_HEADERDATA, NULL); /* else its write function would get the lines */
        printf("copy %d\n", (int)curl_easy_perform(copy));
        curl_easy_cleanup(copy);
    }
    printf("write ");
    return plain(bytes, size, count, stdout);
}

static size_t on_header(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes;
    leave("header");
    if (strcmp(way, "change") == 0) {
        curl_easy_setopt(data, CURLOPT_WRITEFUNCTION, plain);
        curl_easy_setopt(data, CURLOPT_WRITEDATA, NULL);
    }
    return size * count;
}

static size_t on_read(char *bytes, size_t size, size_t count, void *data)
{
    static int rest = 3;
    (void)data;
    leave("read");
    if (!rest || size * count < 4)
        return 0;
    rest--;
    memcpy(bytes, "abc\n", 4);
    return 4;
}

static int on_progress(void *data, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)data, (void)a, (void)b, (void)c, (void)d;
    leave("progress");
    return 0;
}

static void dress(CURL *easy, const char *url)
{
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, easy);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, easy);
    if (strcmp(way, "read") == 0) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    }
    if (strcmp(way, "progress") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    }
}

static void *fetch_alone(void *url)
{
    fetch(url);
    exit(0);
}

int main(int argc, char **argv)
{
    pthread_t thread;

    if (argc < 3)
        return 2;
    way = argv[1];
    other = argc > 3 ? argv[3] : argv[2];
    if (strcmp(way, "alone") == 0) {
        pthread_create(&thread, NULL, fetch_alone, argv[2]);
        pthread_exit(NULL);
    }
    jumps = 1;
    setvbuf(stdout, NULL, _IONBF, 0);
    curl_global_init(CURL_GLOBAL_ALL);
    CURL *volatile easy = curl_easy_init();
    dress(easy, argv[2]);
    if (setjmp(out) == 0)
        printf("result %d\n", (int)curl_easy_perform(easy));
    else
        printf("left\n");
    if (strcmp(way, "clean") != 0) {
        fetch(other);
        if (strcmp(way, "again") != 0) {
            curl_easy_reset(easy);
            dress(easy, argv[2]);
        }
        printf("result %d\n", (int)curl_easy_perform(easy));
    }
    curl_easy_cleanup(easy);
    fetch(other);
    curl_global_cleanup();
    return 0;
}
