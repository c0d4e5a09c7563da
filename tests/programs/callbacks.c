/*
 * A program with callbacks of its own: logs each one with what it was given, then the result and what
 * getinfo says. Run bare and under gusset, the logs must be the same. Usage: callbacks URL [OPTION]…, or
 * callbacks - [OPTION]… with such lines on standard input, one after the other; its options go before theirs.
 * Options: via=poll, wait, fdset or socket (a multi handle, see loops.h, not curl_easy_perform),
 * info (the error and what every getinfo says), include,
 * follow, fail, head, post=TEXT, put=FILE, noseek, headerdata, pause, abort=N (stop at the N-th progress
 * call), short=N (take only N bytes of a body), timeout=MS, header=LINE, custom=METHOD, repeat=N (the same
 * handle again), dup (perform a duplicate), reset (reset before the last), url=URL (through CURLU),
 * depended (the streams of two other handles depend on it), schemes=LIST and protocols=BITS (what is allowed;
 * the last one holds), option=NUMBER:VALUE (any other one).
 */
#include "loops.h"
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *body;
static long pauses, aborts, progress_calls, shorts;
static bool is_paused, tells_all;
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

/* "NUMBER:VALUE", of any option whose value is a number or a text. */
static void set_any(CURL *easy, const char *text)
{
    char *value;
    CURLoption option = (CURLoption)strtol(text, &value, 10);

    if (option >= CURLOPTTYPE_OFF_T)
        curl_easy_setopt(easy, option, (curl_off_t)atoll(value + 1));
    else if (option >= CURLOPTTYPE_STRINGPOINT)
        curl_easy_setopt(easy, option, value + 1);
    else
        curl_easy_setopt(easy, option, atol(value + 1));
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
    else if ((value = value_of(option, "option")))
        set_any(easy, value);
    else if ((value = value_of(option, "schemes")))
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, value);
    else if ((value = value_of(option, "protocols")))
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS, atol(value));
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

/* What every getinfo says that does not differ from run to run; of a time only whether there is one. */
static const struct {
    CURLINFO info;
    const char *name;
} infos[] = {
    {CURLINFO_HTTP_CONNECTCODE,          "connect_status"},
    {CURLINFO_REDIRECT_COUNT,            "redirects"     },
    {CURLINFO_HEADER_SIZE,               "header_size"   },
    {CURLINFO_REQUEST_SIZE,              "request_size"  },
    {CURLINFO_NUM_CONNECTS,              "connects"      },
    {CURLINFO_OS_ERRNO,                  "errno"         },
    {CURLINFO_HTTP_VERSION,              "http"          },
    {CURLINFO_PROTOCOL,                  "protocol"      },
    {CURLINFO_PRIMARY_PORT,              "port"          },
    {CURLINFO_SSL_VERIFYRESULT,          "verify"        },
    {CURLINFO_CONDITION_UNMET,           "unmet"         },
    {CURLINFO_HTTPAUTH_AVAIL,            "auth"          },
    {CURLINFO_FILETIME,                  "filetime"      },
    {CURLINFO_SIZE_DOWNLOAD_T,           "downloaded"    },
    {CURLINFO_SIZE_UPLOAD_T,             "uploaded"      },
    {CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, "length"        },
    {CURLINFO_CONTENT_LENGTH_UPLOAD_T,   "upload_length" },
    {CURLINFO_EFFECTIVE_URL,             "url"           },
    {CURLINFO_EFFECTIVE_METHOD,          "method"        },
    {CURLINFO_REDIRECT_URL,              "redirect_url"  },
    {CURLINFO_CONTENT_TYPE,              "type"          },
    {CURLINFO_PRIMARY_IP,                "ip"            },
    {CURLINFO_LOCAL_IP,                  "local_ip"      },
    {CURLINFO_SCHEME,                    "scheme"        },
    {CURLINFO_PRIVATE,                   "private"       },
    {CURLINFO_CONNECT_TIME_T,            "connected"     },
    {CURLINFO_PRETRANSFER_TIME_T,        "sent"          },
    {CURLINFO_STARTTRANSFER_TIME_T,      "answered"      },
    {CURLINFO_TOTAL_TIME_T,              "took"          },
};

static void tell_info(CURL *easy)
{
    printf("info");
    for (size_t i = 0; i < sizeof infos / sizeof *infos; i++) {
        long number = 0;
        curl_off_t offset = 0;
        char *string = NULL;

        switch (infos[i].info & CURLINFO_TYPEMASK) {
        case CURLINFO_LONG:
            curl_easy_getinfo(easy, infos[i].info, &number);
            printf(" %s=%ld", infos[i].name, number);
            break;
        case CURLINFO_OFF_T:
            curl_easy_getinfo(easy, infos[i].info, &offset);
            if (infos[i].info >= CURLINFO_TOTAL_TIME_T && infos[i].info <= CURLINFO_REDIRECT_TIME_T)
                offset = offset > 0;
            printf(" %s=%ld", infos[i].name, (long)offset);
            break;
        default:
            curl_easy_getinfo(easy, infos[i].info, &string);
            printf(" %s=%s", infos[i].name, string ? string : "NULL");
        }
    }
    printf("\n");
}

/* An error's text without its numbers: milliseconds differ. */
static void tell_error(void)
{
    bool was_digit = false;

    printf("error ");
    for (const char *at = error; *at; at++) {
        bool is_digit = *at >= '0' && *at <= '9';
        if (!is_digit || !was_digit)
            putchar(is_digit ? '#' : *at);
        was_digit = is_digit;
    }
    printf("\n");
}

static void finished(struct loop *loop, CURL *easy, CURLcode code, void *data)
{
    CURLcode *result = data;

    printf("message of %s handle\n", easy == current ? "the" : "another");
    *result = code;
    loop_expect(loop, curl_multi_remove_handle(loop->multi, easy), "remove");
}

static const char *way;  /* how to perform; NULL: curl_easy_perform */
static struct loop loop; /* kept for the whole scenario, as its connections are */

static CURLcode perform_by_way(CURL *easy)
{
    CURLcode code = CURLE_FAILED_INIT;

    if (!way)
        return curl_easy_perform(easy);
    loop_add(&loop, easy);
    while (loop_turn(&loop, finished, &code))
        ;
    return code;
}

static void perform(CURL *easy)
{
    long status = 0;

    current = easy;
    error[0] = '\0';
    CURLcode code = perform_by_way(easy);
    if (tells_all) {
        tell_error();
        tell_info(easy);
    }
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    printf("result %d status %ld\n", (int)code, status);
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

/* The words of a scenario: URL [OPTION]… */
static void scenario(int count, char **words)
{
    long repeat = 1;
    bool duplicate = false, reset = false;
    CURL *easy = make(words[0]), *others[2] = {NULL, NULL};

    for (int i = 1; i < count; i++) {
        apply(easy, words[i]);
        duplicate |= strcmp(words[i], "dup") == 0;
        reset |= strcmp(words[i], "reset") == 0;
        tells_all |= strcmp(words[i], "info") == 0;
        if (value_of(words[i], "repeat"))
            repeat = atol(value_of(words[i], "repeat"));
        if (value_of(words[i], "via"))
            way = value_of(words[i], "via");
        for (int j = 0; j < 2 && strcmp(words[i], "depended") == 0; j++)
            curl_easy_setopt(others[j] = curl_easy_init(), CURLOPT_STREAM_DEPENDS, easy);
        if (strcmp(words[i], "pause") == 0)
            curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    }
    if (way && !loop_open(&loop, way))
        printf("there is no way %s\n", way);
    for (long i = 0; i < repeat; i++)
        perform(easy);
    if (duplicate) {
        CURL *copy = curl_easy_duphandle(easy);
        perform(copy);
        curl_easy_cleanup(copy);
    }
    if (reset) {
        curl_easy_reset(easy);
        curl_easy_setopt(easy, CURLOPT_URL, words[0]);
        current = easy;
        printf("result after reset %d\n", (int)perform_by_way(easy));
    }
    curl_easy_cleanup(easy);
    curl_easy_cleanup(others[0]);
    curl_easy_cleanup(others[1]);
    curl_slist_free_all(headers);
    if (way)
        loop_close(&loop);
    if (body)
        fclose(body);
    headers = NULL;
    body = NULL;
    pauses = aborts = progress_calls = shorts = 0;
    is_paused = false;
}

/* Each line of standard input, after the words given, as a scenario of its own. */
static void scenarios(int count, char **words)
{
    char line[8192];

    while (fgets(line, sizeof line, stdin)) {
        char *list[32];
        int filled = 1;

        for (int i = 0; i < count && filled < 32; i++)
            list[filled++] = words[i];
        char *word = strtok(line, " \n");
        list[0] = word;
        while (filled < 32 && (word = strtok(NULL, " \n")))
            list[filled++] = word;
        if (!list[0])
            continue;
        printf("== %s", list[0]);
        for (int i = 1 + count; i < filled; i++)
            printf(" %s", list[i]);
        printf("\n");
        scenario(filled, list);
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    curl_global_init(CURL_GLOBAL_ALL);
    if (strcmp(argv[1], "-") == 0)
        scenarios(argc - 2, argv + 2);
    else
        scenario(argc - 1, argv + 1);
    curl_global_cleanup();
    return 0;
}
