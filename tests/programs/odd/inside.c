/* Options that are set in callbacks of the transfer that they are about. */
#include "odd.h"

#include <string.h>
#include <time.h>

static struct curl_slist *list;

static size_t set_list(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes, (void)data;
    if (!calls++)
        printf("set %d\n", (int)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list));
    return size * count;
}

void lists(void) /* lists URL */
{
    list = curl_slist_append(NULL, "X-Mine: 1");
    go_to(*arguments);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, set_list);
    perform();
    perform();
    perform();
}

static int heard;

static size_t hear(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes, (void)data;
    heard++;
    return size * count;
}

static size_t set_header_function(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes, (void)data;
    if (!calls++)
        printf("set %d\n", (int)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, hear));
    return size * count;
}

void hears(void) /* hears URL */
{
    go_to(*arguments);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, set_header_function);
    perform();
    printf("heard %d\n", heard);
    perform();
    printf("heard %d\n", heard);
}

static CURLoption limit;
static long limits[2];

static size_t set_limit(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes, (void)data;
    if (!calls++)
        for (int i = 0; i < 2; i++)
            printf("set %ld: %d\n", limits[i], (int)curl_easy_setopt(easy, limit, limits[i]));
    return size * count;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void timed(void)
{
    double started = now();
    perform();
    double took = now() - started;
    printf("took %s\n", took < 0.7 ? "little" : took < 1.6 ? "a second" : "long");
}

/* limit NAME FIRST LAST URL OTHER-URL: FIRST, then LAST are set in the write callback */
void limit_inside(void)
{
    static const struct {
        const char *name;
        CURLoption option;
    } options[] = {
        {"timeout",    CURLOPT_TIMEOUT          },
        {"timeout_ms", CURLOPT_TIMEOUT_MS       },
        {"connect",    CURLOPT_CONNECTTIMEOUT   },
        {"connect_ms", CURLOPT_CONNECTTIMEOUT_MS}
    };

    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strcmp(arguments[0], options[i].name) == 0)
            limit = options[i].option;
    limits[0] = atol(arguments[1]);
    limits[1] = atol(arguments[2]);
    go_to(arguments[3]);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, set_limit);
    timed();
    go_to(arguments[4]);
    timed();
}

static int replace_list(void *data, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    long status = 0;
    (void)data, (void)a, (void)b, (void)c, (void)d;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == 302 && !calls++) {
        struct curl_slist *old = list;
        list = curl_slist_append(NULL, "X-New: 1");
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
        curl_slist_free_all(old);
    }
    return 0;
}

/* freed URL: the old list is freed in a redirect's progress callback, after a new one is set */
void freed(void)
{
    list = curl_slist_append(NULL, "X-Old: 1");
    go_to(*arguments);
    be_quiet();
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, replace_list);
    perform();
    printf("replaced %d\n", calls > 0);
    perform();
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(list);
}
