#include "tool/probe.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool/output.h"

/* curl.h makes macros of these, which check types: the real ones are wanted. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

enum { PATIENCE_MS = 100 };

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
};

static size_t drop(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

/* Asks the address itself, with nothing of the user's: no proxy, no redirects, no .netrc. */
static bool dress(struct check *check, struct probe *probe)
{
    CURL *easy = check->easy;
    const char *authorities = getenv("CURL_CA_BUNDLE"); /* as curl itself has it */

    if (authorities && *authorities)
        lib.easy_setopt(easy, CURLOPT_CAINFO, authorities);
    if (probe->route[0]) {
        check->route = lib.slist_append(NULL, probe->route);
        lib.easy_setopt(easy, CURLOPT_CONNECT_TO, check->route);
    }
    lib.easy_setopt(easy, CURLOPT_PRIVATE, (void *)probe);
    lib.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    lib.easy_setopt(easy, CURLOPT_PROXY, "");
    lib.easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)probe->timeout_ms);
    lib.easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    lib.easy_setopt(easy, CURLOPT_USERAGENT, "gusset-health/" GUSSET_VERSION);
    lib.easy_setopt(easy, CURLOPT_CONNECT_ONLY, probe->type == SETTINGS_HEALTH_HTTP ? 0L : 1L);
    return lib.easy_setopt(easy, CURLOPT_URL, probe->url) == CURLE_OK;
}

static void take_answer(struct check *check, CURLcode code)
{
    struct probe *probe = NULL;
    long status = 0;
    double seconds = 0;

    lib.easy_getinfo(check->easy, CURLINFO_PRIVATE, (void *)&probe);
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

static struct check *find(struct check *checks, unsigned count, const CURL *easy)
{
    for (unsigned i = 0; i < count; i++)
        if (checks[i].easy == easy)
            return &checks[i];
    return NULL;
}

static void run_all(CURLM *multi, struct check *checks, unsigned count, struct progress *progress)
{
    int running = 0, left = 0;

    do {
        lib.multi_perform(multi, &running);
        for (CURLMsg *message; (message = lib.multi_info_read(multi, &left));)
            take_answer(find(checks, count, message->easy_handle), message->data.result);
        if (running)
            lib.multi_wait(multi, NULL, 0, PATIENCE_MS, NULL);
        progress_tell(progress, "%u of %u checked", count - (unsigned)running, count);
    } while (running);
}

int probe_run(struct probe *probes, unsigned count, struct progress *progress)
{
    if (count == 0)
        return 0;
    if (load() < 0)
        return -1;
    struct check *checks = calloc(count, sizeof *checks);
    CURLM *multi = lib.multi_init();
    if (!checks || !multi)
        output_die("out of memory");
    for (unsigned i = 0; i < count; i++) {
        checks[i].easy = lib.easy_init();
        if (!checks[i].easy)
            output_die("out of memory");
        probes[i].outcome = (struct outcome){.type = OUTCOME_LOCAL}; /* what is not even begun */
        snprintf(probes[i].text, sizeof probes[i].text, "it could not be made");
        if (dress(&checks[i], &probes[i]))
            lib.multi_add_handle(multi, checks[i].easy);
    }
    run_all(multi, checks, count, progress);
    for (unsigned i = 0; i < count; i++) {
        lib.multi_remove_handle(multi, checks[i].easy);
        lib.easy_cleanup(checks[i].easy);
        lib.slist_free_all(checks[i].route);
    }
    lib.multi_cleanup(multi);
    free(checks);
    return 0;
}
