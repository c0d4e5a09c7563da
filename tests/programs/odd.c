/*
 * Programs that use libcurl, or connect(2), in ways that are legal and rare. Usage: odd SCENARIO ARGUMENT ...
 * Each prints what the program itself can see, so that two runs can be compared.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static CURL *easy;
static char **arguments;
static int calls; /* of the scenario's callback */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void nap_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static CURLcode perform(void)
{
    long status = 0;
    CURLcode code = curl_easy_perform(easy);

    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    printf("result %d status %ld\n", (int)code, status);
    return code;
}

static void go_to(const char *url)
{
    if (!easy)
        easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url);
}

static size_t count_only(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes, (void)data;
    return size * count;
}

/* Not the data that a write callback gets where the program set none. */
static void be_quiet(void)
{
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count_only);
}

/* ---- defaults of the data ---- */

static size_t name_data(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes;
    printf("userdata %s\n", !data ? "NULL" : data == stdout ? "stdout" : data == stdin ? "stdin" : "other");
    return size * count;
}

static size_t name_data_once(char *bytes, size_t size, size_t count, void *data)
{
    (void)size, (void)count;
    if (calls++)
        return 0;
    name_data(bytes, 0, 0, data);
    *bytes = 'x';
    return 1;
}

/* data URL ...: only the functions are set */
static void data(void)
{
    for (; *arguments; arguments++) {
        go_to(*arguments);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, name_data);
        perform();
    }
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, name_data_once);
    perform();
}

/* null URL ...: the data is set, and NULL */
static void null(void)
{
    go_to(*arguments);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, NULL);
    curl_easy_setopt(easy, CURLOPT_READDATA, NULL);
    data();
}

/* ---- one handle, two protocols ---- */

static void mail(void) /* mail HTTP-URL SMTP-URL */
{
    go_to(arguments[0]);
    be_quiet();
    perform();
    curl_mime *mime = curl_mime_init(easy);
    curl_mime_data(curl_mime_addpart(mime), "hello", 5);
    struct curl_slist *to = curl_slist_append(NULL, "<bob@example.org>");
    go_to(arguments[1]);
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, "<a@example.org>");
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(easy, CURLOPT_MIMEPOST, mime);
    perform();
}

/* header URL ...: with CURLOPT_HEADER, on one handle */
static void header(void)
{
    for (; *arguments; arguments++) {
        go_to(*arguments);
        curl_easy_setopt(easy, CURLOPT_HEADER, 1L);
        perform();
    }
}

static size_t name_header(char *bytes, size_t size, size_t count, void *data)
{
    (void)data;
    printf("< %.*s", (int)(size * count), bytes);
    return size * count;
}

/* blocks URL [h2|PROXY] [plain]: every header line, beside CURLOPT_HEADER or not */
static void blocks(void)
{
    go_to(*arguments++);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_HEADER, 1L);
    for (; *arguments; arguments++) {
        if (strcmp(*arguments, "h2") == 0) {
            curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2_0);
        } else if (strcmp(*arguments, "plain") == 0) {
            curl_easy_setopt(easy, CURLOPT_HEADER, 0L);
            curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, name_header);
        } else {
            curl_easy_setopt(easy, CURLOPT_PROXY, *arguments);
            curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
        }
    }
    perform();
}

/* ---- unified headers: the same list for the proxy, which the environment names ---- */

static void unified(void) /* unified URL */
{
    go_to(*arguments);
    be_quiet();
    curl_easy_setopt(easy, CURLOPT_HEADEROPT, CURLHEADER_UNIFIED);
    curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    perform();
}

/* ---- options that are set in callbacks ---- */

static struct curl_slist *list;

static size_t set_list(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes, (void)data;
    if (!calls++)
        printf("set %d\n", (int)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list));
    return size * count;
}

static void lists(void) /* lists URL */
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

static void hears(void) /* hears URL */
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

static void timed(void)
{
    double started = now();
    perform();
    double took = now() - started;
    printf("took %s\n", took < 0.7 ? "little" : took < 1.6 ? "a second" : "long");
}

/* limit NAME FIRST LAST URL OTHER-URL: FIRST, then LAST are set in the write callback */
static void limit_inside(void)
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
static void freed(void)
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

/* ---- uploads ---- */

static const char stream[] = "stream-data";
static size_t left;

static size_t read_stream(char *bytes, size_t size, size_t count, void *data)
{
    size_t give = left < size * count ? left : size * count;

    memcpy(bytes, (char *)data + sizeof stream - 1 - left, give);
    left -= give;
    return give;
}

static void form(void) /* form URL: PUT by a reader, then a form whose part the same reader gives */
{
    struct curl_httppost *first = NULL, *last = NULL;

    go_to(*arguments);
    be_quiet();
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_stream);
    curl_easy_setopt(easy, CURLOPT_READDATA, stream);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE, (long)sizeof stream - 1);
    left = sizeof stream - 1;
    perform();
    left = sizeof stream - 1;
    curl_formadd(&first, &last, CURLFORM_COPYNAME, "f", CURLFORM_STREAM, stream, CURLFORM_CONTENTSLENGTH,
                 (long)sizeof stream - 1, CURLFORM_FILENAME, "x", CURLFORM_END);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTPPOST, first);
    perform();
    printf("left %zu\n", left);
}

static long position;

static size_t read_letters(char *bytes, size_t size, size_t count, void *data)
{
    size_t i = 0;

    (void)data;
    for (; i < size * count && position < 3000000; i++, position++)
        bytes[i] = (char)('0' + position / 100000 % 60);
    return i;
}

static int seek_letters(void *data, curl_off_t offset, int origin)
{
    (void)data, (void)origin;
    position = (long)offset;
    return CURL_SEEKFUNC_OK;
}

static struct curl_slist *no_expect(void)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    return headers;
}

/* keep URL [once]: 3 MB in chunks, and CURLOPT_KEEP_SENDING_ON_ERROR; once: it cannot go back */
static void keep(void)
{
    go_to(*arguments);
    no_expect();
    be_quiet();
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_letters);
    if (!arguments[1])
        curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, seek_letters);
    curl_easy_setopt(easy, CURLOPT_KEEP_SENDING_ON_ERROR, 1L);
    perform();
}

static void file(void) /* file URL FILE: libcurl's own reader, follows redirects */
{
    FILE *from = fopen(arguments[1], "rb");

    if (!from)
        exit(2);
    fseek(from, 0, SEEK_END);
    go_to(*arguments);
    be_quiet();
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READDATA, from);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)ftell(from));
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    rewind(from);
    perform();
}

static size_t drip(char *bytes, size_t size, size_t count, void *data)
{
    (void)size, (void)count, (void)data;
    if (calls++ >= 5)
        return 0;
    nap_ms(100);
    *bytes = 'x';
    return 1;
}

static void early(void) /* early URL: the reply begins before the upload ends */
{
    go_to(*arguments);
    no_expect();
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, drip);
    perform();
}

/* ---- time ---- */

static size_t block(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes, (void)data;
    if (!calls++)
        nap_ms(1300);
    return size * count;
}

static void slow(void) /* slow URL: the first write blocks for 1.3 s */
{
    go_to(*arguments);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, block);
    perform();
}

/* ---- left by longjmp ---- */

static jmp_buf out;

static size_t leave(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes, (void)size, (void)count, (void)data;
    longjmp(out, 1);
}

static size_t leave_another(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes, (void)data;
    if (!calls++) {
        CURL *volatile inner = curl_easy_init();
        curl_easy_setopt(inner, CURLOPT_URL, arguments[1]);
        curl_easy_setopt(inner, CURLOPT_WRITEFUNCTION, leave);
        if (setjmp(out) == 0)
            printf("inner %d\n", (int)curl_easy_perform(inner));
        else
            printf("inner left\n");
        curl_easy_cleanup(inner);
    }
    printf("write\n");
    return size * count;
}

static void nested(void) /* nested URL INNER-URL */
{
    go_to(*arguments);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, leave_another);
    perform();
    calls = 0;
    perform();
}

/* ---- unix sockets ---- */

/* unix abstract|path NAME URL ...: performs each; "wait" waits 1.1 s */
static void unix_socket(void)
{
    int is_path = strcmp(arguments[0], "path") == 0;

    go_to(arguments[2]);
    curl_easy_setopt(easy, is_path ? CURLOPT_UNIX_SOCKET_PATH : CURLOPT_ABSTRACT_UNIX_SOCKET, arguments[1]);
    for (arguments += 2; *arguments; arguments++) {
        if (strcmp(*arguments, "wait") == 0) {
            nap_ms(1100);
            continue;
        }
        go_to(*arguments);
        perform();
    }
}

/* refused PATH BAD-URL URL: a refusal, then the same handle to a unix socket, and without one again */
static void refused(void)
{
    go_to(arguments[1]);
    be_quiet();
    perform();
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, NULL);
    go_to(arguments[2]);
    perform();
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, arguments[0]);
    perform();
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, NULL);
    nap_ms(1100);
    perform();
}

/* ---- connect(2) ---- */

/* connect PORT [COMMAND]: not blocking, twice, with the command between */
static void connect_twice(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[0]))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct pollfd wait = {.fd = fd, .events = POLLOUT};

    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    for (int i = 0; i < 3; i++) {
        errno = 0;
        int result = connect(fd, (struct sockaddr *)&to, sizeof to);
        printf("connect %d %s\n", result, strerror(errno));
        poll(&wait, 1, 1000);
        if (!i && arguments[1])
            result = system(arguments[1]);
    }
    printf("established %d\n", send(fd, "x", 1, MSG_NOSIGNAL) == 1);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } scenarios[] = {
        {"data",    data         },
        {"null",    null         },
        {"mail",    mail         },
        {"header",  header       },
        {"blocks",  blocks       },
        {"unified", unified      },
        {"lists",   lists        },
        {"hears",   hears        },
        {"limit",   limit_inside },
        {"freed",   freed        },
        {"form",    form         },
        {"keep",    keep         },
        {"file",    file         },
        {"early",   early        },
        {"slow",    slow         },
        {"nested",  nested       },
        {"unix",    unix_socket  },
        {"refused", refused      },
        {"connect", connect_twice},
    };

    setvbuf(stdout, NULL, _IONBF, 0);
    for (size_t i = 0; argc > 1 && i < sizeof scenarios / sizeof *scenarios; i++) {
        if (strcmp(argv[1], scenarios[i].name) != 0)
            continue;
        arguments = argv + 2;
        scenarios[i].run();
        curl_easy_cleanup(easy);
        return 0;
    }
    return 2;
}
