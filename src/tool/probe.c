#include "tool/probe.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool/output.h"

/* curl.h makes macros of these, which check types: the real ones are wanted. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

/* The functions of libcurl that are used. */
static struct {
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
    void (*easy_cleanup)(CURL *);
    const char *(*easy_strerror)(CURLcode);
    struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
    void (*slist_free_all)(struct curl_slist *);
    CURLM *(*multi_init)(void);
    CURLMcode (*multi_add_handle)(CURLM *, CURL *);
    CURLMcode (*multi_remove_handle)(CURLM *, CURL *);
    CURLMcode (*multi_perform)(CURLM *, int *);
    CURLMcode (*multi_wait)(CURLM *, struct curl_waitfd *, unsigned, int, int *);
    CURLMsg *(*multi_info_read)(CURLM *, int *);
    CURLMcode (*multi_cleanup)(CURLM *);
} lib;

static const struct {
    const char *name;
    void *to;
} functions[] = {
    {"curl_easy_init",           &lib.easy_init          },
    {"curl_easy_setopt",         &lib.easy_setopt        },
    {"curl_easy_getinfo",        &lib.easy_getinfo       },
    {"curl_easy_cleanup",        &lib.easy_cleanup       },
    {"curl_easy_strerror",       &lib.easy_strerror      },
    {"curl_slist_append",        &lib.slist_append       },
    {"curl_slist_free_all",      &lib.slist_free_all     },
    {"curl_multi_init",          &lib.multi_init         },
    {"curl_multi_add_handle",    &lib.multi_add_handle   },
    {"curl_multi_remove_handle", &lib.multi_remove_handle},
    {"curl_multi_perform",       &lib.multi_perform      },
    {"curl_multi_wait",          &lib.multi_wait         },
    {"curl_multi_info_read",     &lib.multi_info_read    },
    {"curl_multi_cleanup",       &lib.multi_cleanup      },
};

/* The command is linked to no libcurl, so that who wants no health checks needs none. */
static int load(void)
{
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl-nss.so.4"};
    void *found = NULL;

    if (lib.easy_init)
        return 0;
    for (size_t i = 0; !found && i < sizeof names / sizeof *names; i++)
        found = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; found && i < sizeof functions / sizeof *functions; i++) {
        *(void **)functions[i].to = dlsym(found, functions[i].name);
        if (!*(void **)functions[i].to)
            found = NULL;
    }
    if (found)
        return 0;
    lib.easy_init = NULL;
    output_error(
        "health: checks are made by libcurl, which is not here; Debian has it in the package libcurl4");
    return -1;
}

/* A check in the making. */
struct check {
    CURL *easy;
    struct curl_slist *route;
    struct probe *probe;
    bool is_over, is_made; /* it has ended; it could be begun at all */
    CURLcode code;
    struct check *next;
};

/* All checks of this process. */
static struct {
    CURLM *multi;
    struct check *first;
} all;

static size_t drop(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

/* Asks the address itself, with nothing of the user's: no proxy, no redirects, no .netrc. */
static bool dress(struct check *check)
{
    CURL *easy = check->easy;
    const struct probe *probe = check->probe;
    const char *authorities = getenv("CURL_CA_BUNDLE"); /* as curl itself has it */

    if (authorities && *authorities)
        lib.easy_setopt(easy, CURLOPT_CAINFO, authorities);
    if (probe->route[0]) {
        check->route = lib.slist_append(NULL, probe->route);
        lib.easy_setopt(easy, CURLOPT_CONNECT_TO, check->route);
    }
    lib.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* Each check looks the name up, connects and shakes hands anew: that is what it is for. */
    lib.easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    lib.easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    lib.easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    lib.easy_setopt(easy, CURLOPT_PROXY, "");
    lib.easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)probe->timeout_ms);
    lib.easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    lib.easy_setopt(easy, CURLOPT_USERAGENT, "gusset-health/" GUSSET_VERSION);
    lib.easy_setopt(easy, CURLOPT_CONNECT_ONLY, probe->type == SETTINGS_HEALTH_HTTP ? 0L : 1L);
    return lib.easy_setopt(easy, CURLOPT_URL, probe->url) == CURLE_OK;
}

static void take_answer(const struct check *check)
{
    struct probe *probe = check->probe;
    CURLcode code = check->code;
    long status = 0;
    double seconds = 0;

    lib.easy_getinfo(check->easy, CURLINFO_RESPONSE_CODE, &status);
    lib.easy_getinfo(check->easy, CURLINFO_TOTAL_TIME, &seconds);
    probe->took_us = (uint64_t)(seconds * 1e6);
    probe->outcome = code ? outcome_of_curl((int)code) : outcome_of_status((int)status);
    if (code)
        snprintf(probe->text, sizeof probe->text, "%s", lib.easy_strerror(code));
    else if (probe->outcome.type != OUTCOME_SUCCESS)
        snprintf(probe->text, sizeof probe->text, "status %ld", status);
    else
        probe->text[0] = '\0';
}

int probe_begin(struct probe *probe)
{
    if (load() < 0)
        return -1;
    if (!all.multi)
        all.multi = lib.multi_init();
    struct check *check = calloc(1, sizeof *check);
    if (!check || !all.multi || !(check->easy = lib.easy_init()))
        output_die("out of memory");
    check->probe = probe;
    check->is_made = dress(check) && lib.multi_add_handle(all.multi, check->easy) == CURLM_OK;
    check->is_over = !check->is_made;
    check->next = all.first;
    all.first = check;
    return 0;
}

/* Takes the check that link leads to out. */
static void end(struct check **link)
{
    struct check *check = *link;

    *link = check->next;
    lib.multi_remove_handle(all.multi, check->easy);
    lib.easy_cleanup(check->easy);
    lib.slist_free_all(check->route);
    free(check);
}

static void go_on(void)
{
    int running, left;

    if (!all.first)
        return;
    lib.multi_perform(all.multi, &running);
    for (CURLMsg *message; (message = lib.multi_info_read(all.multi, &left));)
        for (struct check *check = all.first; check; check = check->next)
            if (check->easy == message->easy_handle) {
                check->is_over = true;
                check->code = message->data.result;
            }
}

/* The link to the first that is over, else to none. */
static struct check **find_over(void)
{
    struct check **link = &all.first;

    go_on();
    while (*link && !(*link)->is_over)
        link = &(*link)->next;
    return link;
}

bool probe_has_ended(void)
{
    return *find_over() != NULL;
}

struct probe *probe_ended(void)
{
    struct check **link = find_over();

    if (!*link)
        return NULL;
    struct probe *probe = (*link)->probe;
    if ((*link)->is_made) {
        take_answer(*link);
    } else {
        probe->outcome = (struct outcome){.type = OUTCOME_LOCAL};
        snprintf(probe->text, sizeof probe->text, "it could not be made");
    }
    end(link);
    return probe;
}

void probe_wait(struct pollfd *polled, unsigned count, int timeout_ms)
{
    struct curl_waitfd waited[PROBE_POLLED];
    unsigned used = 0;

    if (!all.first) {
        if (poll(polled, count, timeout_ms) < 0)
            for (unsigned i = 0; i < count; i++)
                polled[i].revents = 0;
        return;
    }
    for (unsigned i = 0; i < count && used < PROBE_POLLED; i++)
        if (polled[i].fd >= 0)
            waited[used++] = (struct curl_waitfd){.fd = polled[i].fd, .events = polled[i].events};
    lib.multi_wait(all.multi, waited, used, timeout_ms, NULL);
    for (unsigned i = 0, at = 0; i < count; i++)
        polled[i].revents = polled[i].fd >= 0 && at < used ? waited[at++].revents : 0;
}

void probe_drop(void)
{
    while (all.first)
        end(&all.first);
    if (all.multi)
        lib.multi_cleanup(all.multi);
    all.multi = NULL;
}
