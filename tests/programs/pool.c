/*
 * A program that makes a new handle for each request, as many old ones do. It knows nothing of gusset.
 *   pool WORD...
 * The words are done in turn:
 *   NAME=VALUE      sets an option on the handles to come; NAME= sets it to nothing. clear: forgets them
 *   get URL         a request on a fresh handle; prints CURLcode, new connections and the body
 *   times N URL     N of them; prints how many succeeded
 *   keep URL        leaves its handle for the words that follow. again URL: a request on that handle,
 *                   with the options as they are now. drop: cleans it up
 *   dup, reset      a duplicate of the kept handle takes its place; resets the kept handle
 *   socket          prints whether the kept handle's socket is known and open
 *   fork N URL      times, in a child; waits for it
 *   inherit URL     again, then the same once more in a child, which sets nothing and cleans the handle up
 *   threads T N URL times, in T threads at once; prints the sum
 *   moved URL       again, in another thread
 *   nest URL URL    a request from within the write callback of another; prints both
 *   multi URL       on the kept handle, in a multi handle
 *   own-share URL   with a share object of its own. late-share URL: given to the kept handle in a callback
 *   late NAME=VALUE URL  again, and sets the option in a callback. open: prints how many descriptors a
 * command has sleep MS        quiet: prints no bodies from here on. global: curl_global_cleanup and init
 * again
 */
#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SETTINGS = 16, THREADS = 32, BODY = 4096 };

enum kind { NUMBER, TEXT, LIST };

static const struct {
    const char *name;
    CURLoption option;
    enum kind kind;
} options[] = {
    {"ca",         CURLOPT_CAINFO,          TEXT  },
    {"cert",       CURLOPT_SSLCERT,         TEXT  },
    {"key",        CURLOPT_SSLKEY,          TEXT  },
    {"verify",     CURLOPT_SSL_VERIFYPEER,  NUMBER},
    {"verifyhost", CURLOPT_SSL_VERIFYHOST,  NUMBER},
    {"tls",        CURLOPT_SSLVERSION,      NUMBER},
    {"http",       CURLOPT_HTTP_VERSION,    NUMBER},
    {"userpwd",    CURLOPT_USERPWD,         TEXT  },
    {"user",       CURLOPT_USERNAME,        TEXT  },
    {"password",   CURLOPT_PASSWORD,        TEXT  },
    {"auth",       CURLOPT_HTTPAUTH,        NUMBER},
    {"proxy",      CURLOPT_PROXY,           TEXT  },
    {"proxyuser",  CURLOPT_PROXYUSERPWD,    TEXT  },
    {"tunnel",     CURLOPT_HTTPPROXYTUNNEL, NUMBER},
    {"interface",  CURLOPT_INTERFACE,       TEXT  },
    {"resolve",    CURLOPT_RESOLVE,         LIST  },
    {"header",     CURLOPT_HTTPHEADER,      LIST  },
    {"agent",      CURLOPT_USERAGENT,       TEXT  },
    {"fresh",      CURLOPT_FRESH_CONNECT,   NUMBER},
    {"forbid",     CURLOPT_FORBID_REUSE,    NUMBER},
    {"connects",   CURLOPT_MAXCONNECTS,     NUMBER},
    {"timeout",    CURLOPT_TIMEOUT_MS,      NUMBER},
    {"follow",     CURLOPT_FOLLOWLOCATION,  NUMBER},
    {"post",       CURLOPT_POSTFIELDS,      TEXT  },
    {"upload",     CURLOPT_UPLOAD,          NUMBER},
    {"method",     CURLOPT_CUSTOMREQUEST,   TEXT  },
};

static struct setting {
    CURLoption option;
    enum kind kind;
    const char *value;
    struct curl_slist *list;
} settings[SETTINGS];
static unsigned setting_count;
static bool is_quiet;

struct reply {
    size_t length;
    char body[BODY];
    const char *nested_url; /* a request that the write callback makes first */
    CURL *easy;             /* gets share or setting in the write callback */
    CURLSH *share;
    const struct setting *setting;
};

static void print_request(const char *url);
static void apply(CURL *easy, const struct setting *setting);

static size_t keep_bytes(char *bytes, size_t one, size_t count, void *data)
{
    struct reply *reply = data;
    size_t size = one * count;

    if (reply->nested_url)
        print_request(reply->nested_url);
    reply->nested_url = NULL;
    if (reply->share)
        curl_easy_setopt(reply->easy, CURLOPT_SHARE, reply->share);
    if (reply->setting)
        apply(reply->easy, reply->setting);
    for (size_t i = 0; i < size && reply->length < BODY - 1; i++)
        reply->body[reply->length++] = bytes[i];
    return size;
}

static void apply(CURL *easy, const struct setting *setting)
{
    switch (setting->kind) {
    case NUMBER:
        curl_easy_setopt(easy, setting->option, atol(setting->value));
        return;
    case TEXT:
        curl_easy_setopt(easy, setting->option, *setting->value ? setting->value : NULL);
        return;
    case LIST:
        curl_easy_setopt(easy, setting->option, setting->list);
        return;
    }
}

static CURLcode perform(CURL *easy, const char *url, struct reply *reply)
{
    reply->length = 0;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, reply);
    for (unsigned i = 0; i < setting_count; i++)
        apply(easy, &settings[i]);
    CURLcode code = curl_easy_perform(easy);
    reply->body[reply->length] = 0;
    return code;
}

static void print_reply(CURL *easy, CURLcode code, const struct reply *reply)
{
    long connects = -1;

    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
    if (!is_quiet)
        printf("%d %ld %s\n", code, connects, code == CURLE_OK ? reply->body : "");
    fflush(stdout);
}

static void print_perform(CURL *easy, const char *url)
{
    struct reply reply = {0};
    print_reply(easy, perform(easy, url, &reply), &reply);
}

static void print_request(const char *url)
{
    CURL *easy = curl_easy_init();
    print_perform(easy, url);
    curl_easy_cleanup(easy);
}

struct work {
    long count;
    const char *url;
    long good;
    CURL *easy;
};

static void *work(void *data)
{
    struct work *work = data;
    struct reply reply = {0};

    for (long i = 0; i < work->count; i++) {
        CURL *easy = curl_easy_init();
        work->good += perform(easy, work->url, &reply) == CURLE_OK;
        curl_easy_cleanup(easy);
    }
    return NULL;
}

static void *work_moved(void *data)
{
    struct work *work = data;
    print_perform(work->easy, work->url);
    return NULL;
}

static void print_good(long count, const char *url)
{
    struct work some = {.count = count, .url = url};

    work(&some);
    printf("%ld\n", some.good);
    fflush(stdout);
}

static void print_threads(long threads, long count, const char *url)
{
    pthread_t ids[THREADS];
    struct work works[THREADS];
    long good = 0;

    for (long i = 0; i < threads && i < THREADS; i++) {
        works[i] = (struct work){.count = count, .url = url};
        pthread_create(&ids[i], NULL, work, &works[i]);
    }
    for (long i = 0; i < threads && i < THREADS; i++) {
        pthread_join(ids[i], NULL);
        good += works[i].good;
    }
    printf("%ld\n", good);
}

static void print_moved(CURL *easy, const char *url)
{
    struct work some = {.url = url, .easy = easy};
    pthread_t id;

    pthread_create(&id, NULL, work_moved, &some);
    pthread_join(id, NULL);
}

static void wait_for(pid_t child)
{
    int status = 0;

    waitpid(child, &status, 0);
    if (status)
        printf("the child ended with %d\n", status);
}

static void print_multi(CURL *easy, const char *url)
{
    CURLM *multi = curl_multi_init();
    struct reply reply = {0};
    CURLcode code = CURLE_FAILED_INIT;
    int running = 1, left;

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &reply);
    curl_multi_add_handle(multi, easy);
    while (running && curl_multi_perform(multi, &running) == CURLM_OK && running)
        curl_multi_poll(multi, NULL, 0, 1000, NULL);
    CURLMsg *message = curl_multi_info_read(multi, &left);
    if (message)
        code = message->data.result;
    print_reply(easy, code, &reply);
    curl_multi_remove_handle(multi, easy);
    curl_multi_cleanup(multi);
}

static void print_own_share(const char *url)
{
    CURLSH *share = curl_share_init();

    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
    for (int i = 0; i < 2; i++) {
        CURL *easy = curl_easy_init();
        curl_easy_setopt(easy, CURLOPT_SHARE, share);
        print_perform(easy, url);
        curl_easy_cleanup(easy);
    }
    printf("%d\n", curl_share_cleanup(share));
}

static void print_late_share(CURL *easy, const char *url)
{
    struct reply reply = {.easy = easy};
    CURLSH *share = curl_share_init();

    reply.share = share;
    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    print_reply(easy, perform(easy, url, &reply), &reply);
    printf("%d ", curl_share_cleanup(share)); /* 2: it is in use */
    curl_easy_setopt(easy, CURLOPT_SHARE, NULL);
    printf("%d\n", curl_share_cleanup(share));
}

static void print_nested(const char *outer, const char *inner)
{
    struct reply reply = {.nested_url = inner};
    CURL *easy = curl_easy_init();

    print_reply(easy, perform(easy, outer, &reply), &reply);
    curl_easy_cleanup(easy);
}

static void print_socket(CURL *easy)
{
    curl_socket_t socket = CURL_SOCKET_BAD;
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    CURLcode code = curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &socket);

    printf("%d %s\n", code,
           code == CURLE_OK && getpeername(socket, (struct sockaddr *)&peer, &size) == 0 ? "open" : "none");
}

static bool set(const char *word)
{
    size_t length = strcspn(word, "=");

    if (!word[length])
        return false;
    for (unsigned i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (strlen(options[i].name) != length || strncmp(options[i].name, word, length) != 0)
            continue;
        struct setting *setting = &settings[setting_count++];
        *setting = (struct setting){options[i].option, options[i].kind, word + length + 1, NULL};
        if (setting->kind == LIST && *setting->value)
            setting->list = curl_slist_append(NULL, setting->value);
        return true;
    }
    return false;
}

static void forget_settings(void)
{
    for (unsigned i = 0; i < setting_count; i++)
        curl_slist_free_all(settings[i].list);
    setting_count = 0;
}

/* The setting that the last word made is taken back, and made in the callback. */
static void print_late(CURL *easy, const char *url)
{
    struct setting setting = settings[--setting_count];
    struct reply reply = {.easy = easy, .setting = &setting};

    print_reply(easy, perform(easy, url, &reply), &reply);
    curl_slist_free_all(setting.list);
}

static void print_inherited(CURL *easy, const char *url)
{
    static struct reply reply;

    print_reply(easy, perform(easy, url, &reply), &reply);
    pid_t child = fork();
    if (child == 0) {
        reply.length = 0;
        CURLcode code = curl_easy_perform(easy);
        print_reply(easy, code, &reply);
        curl_easy_cleanup(easy);
        _exit(0);
    }
    wait_for(child);
}

int main(int count, char **words)
{
    CURL *kept = NULL;

    (void)count;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    for (words++; *words; words++) {
#define IS(name) (strcmp(*words, name) == 0)
#define NEXT     (*++words)
        if (set(*words)) {
        } else if (IS("clear")) {
            forget_settings();
        } else if (IS("get")) {
            print_request(NEXT);
        } else if (IS("times")) {
            long times = atol(NEXT);
            print_good(times, NEXT);
        } else if (IS("keep")) {
            kept = curl_easy_init();
            print_perform(kept, NEXT);
        } else if (IS("again")) {
            print_perform(kept, NEXT);
        } else if (IS("moved")) {
            print_moved(kept, NEXT);
        } else if (IS("drop")) {
            curl_easy_cleanup(kept);
            kept = NULL;
        } else if (IS("dup")) {
            CURL *copy = curl_easy_duphandle(kept);
            curl_easy_cleanup(kept);
            kept = copy;
        } else if (IS("reset")) {
            curl_easy_reset(kept);
        } else if (IS("socket")) {
            print_socket(kept);
        } else if (IS("fork")) {
            long times = atol(NEXT);
            const char *url = NEXT;
            pid_t child = fork();
            if (child == 0) {
                print_good(times, url);
                exit(0);
            }
            wait_for(child);
        } else if (IS("inherit")) {
            print_inherited(kept, NEXT);
        } else if (IS("threads")) {
            long threads = atol(NEXT), times = atol(NEXT);
            print_threads(threads, times, NEXT);
        } else if (IS("nest")) {
            const char *outer = NEXT;
            print_nested(outer, NEXT);
        } else if (IS("multi")) {
            print_multi(kept, NEXT);
        } else if (IS("own-share")) {
            print_own_share(NEXT);
        } else if (IS("late-share")) {
            print_late_share(kept, NEXT);
        } else if (IS("late")) {
            set(NEXT);
            print_late(kept, NEXT);
        } else if (IS("open")) {
            fflush(stdout);
            if (system("ls /proc/self/fd | wc -l"))
                return 2;
        } else if (IS("sleep")) {
            usleep((useconds_t)atol(NEXT) * 1000);
        } else if (IS("quiet")) {
            is_quiet = true;
        } else if (IS("global")) {
            curl_global_cleanup();
            curl_global_init(CURL_GLOBAL_DEFAULT);
        } else {
            fprintf(stderr, "pool: what is %s?\n", *words);
            return 2;
        }
    }
    curl_easy_cleanup(kept);
    forget_settings();
    curl_global_cleanup();
    return 0;
}
