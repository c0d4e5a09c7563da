/*
 * A program that has libcurl only by the loader's functions. Usage: loading SCENARIO ARGUMENT…
 * Each scenario prints what the program itself can see.
 */
#include <curl/curl.h>
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct curl {
    void *library;
    CURL *(*init)(void);
    CURLcode (*setopt)(CURL *, CURLoption, ...);
    CURLcode (*perform)(CURL *);
    CURLcode (*getinfo)(CURL *, CURLINFO, ...);
    void (*cleanup)(CURL *);
    char *(*version)(void);
};

static void *must_open(const char *file, int mode)
{
    void *library = dlopen(file, mode);
    if (library)
        return library;
    printf("dlopen: %s\n", dlerror());
    exit(1);
}

static void load(struct curl *curl, const char *file)
{
    curl->library = must_open(file, RTLD_NOW | RTLD_LOCAL);
    *(void **)&curl->init = dlsym(curl->library, "curl_easy_init");
    *(void **)&curl->setopt = dlsym(curl->library, "curl_easy_setopt");
    *(void **)&curl->perform = dlsym(curl->library, "curl_easy_perform");
    *(void **)&curl->getinfo = dlsym(curl->library, "curl_easy_getinfo");
    *(void **)&curl->cleanup = dlsym(curl->library, "curl_easy_cleanup");
    *(void **)&curl->version = dlsym(curl->library, "curl_version");
    if (!curl->init || !curl->setopt || !curl->perform || !curl->getinfo || !curl->cleanup || !curl->version)
        exit(1);
}

static size_t swallow(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes, (void)data;
    return size * count;
}

static void fetch(const struct curl *curl, CURL *easy, const char *url)
{
    long status = 0;

    curl->setopt(easy, CURLOPT_URL, url);
    curl->setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
    CURLcode code = curl->perform(easy);
    curl->getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    printf("%d %ld\n", (int)code, status);
}

/* both FILE URL FILE URL: two libraries side by side, their handles in turn. */
static int both(char **argument)
{
    struct curl one, other;

    load(&one, argument[0]);
    load(&other, argument[2]);
    CURL *first = one.init(), *second = other.init();
    fetch(&one, first, argument[1]);
    fetch(&other, second, argument[3]);
    fetch(&one, first, argument[1]);
    printf("%s\n", strcmp(one.version(), other.version()) ? "two libraries" : "one library");
    other.cleanup(second);
    one.cleanup(first);
    return 0;
}

/* again FILE URL COUNT: opened, used, closed. */
static int again(char **argument)
{
    for (int i = atoi(argument[2]); i > 0; i--) {
        struct curl curl;
        load(&curl, argument[0]);
        CURL *easy = curl.init();
        fetch(&curl, easy, argument[1]);
        curl.cleanup(easy);
        if (dlclose(curl.library) != 0)
            return 1;
    }
    return 0;
}

/* plugins FILE URL FILE URL: each loaded and used, then each once more. */
static int plugins(char **argument)
{
    for (int i = 0; i < 4; i++) {
        int (*fetch_by_plugin)(const char *);
        void *library = must_open(argument[i % 2 * 2], RTLD_NOW | RTLD_LOCAL);
        *(void **)&fetch_by_plugin = dlsym(library, "plugin_fetch");
        fetch_by_plugin(argument[i % 2 * 2 + 1]);
    }
    return 0;
}

/* plugin FILE URL [deep]: what an interpreter does with an extension. */
static int plugin(char **argument)
{
    void *library = must_open(argument[0], RTLD_LAZY | RTLD_LOCAL | (argument[2] ? RTLD_DEEPBIND : 0));
    int (*fetch_by_plugin)(const char *);

    *(void **)&fetch_by_plugin = dlsym(library, "plugin_fetch");
    return !fetch_by_plugin || fetch_by_plugin(argument[1]);
}

static void say(const char *what, const void *found)
{
    const char *error = dlerror();
    printf("%s: %s%s\n", what, found ? "found" : "none", error ? ", error" : "");
}

/* probe FILE: what each way of asking answers, and what dlerror says then. */
static int probe(char **argument)
{
    say("default", dlsym(RTLD_DEFAULT, "curl_easy_init"));
    say("default, a version", dlvsym(RTLD_DEFAULT, "curl_easy_init", "CURL_OPENSSL_4"));
    say("default, another", dlvsym(RTLD_DEFAULT, "curl_easy_init", "CURL_NOBODYS_4"));
    say("the program", dlsym(dlopen(NULL, RTLD_LAZY), "curl_easy_perform"));
    if (argument[0]) {
        void *library = must_open(argument[0], RTLD_LAZY | RTLD_LOCAL);
        say("handle", dlsym(library, "curl_easy_perform"));
        say("handle, a version", dlvsym(library, "curl_easy_perform", "CURL_OPENSSL_4"));
        say("handle, another", dlvsym(library, "curl_easy_perform", "CURL_NOBODYS_4"));
        say("no such function", dlsym(library, "curl_easy_nothing"));
        say("another function", dlsym(library, "curl_version"));
        say("a wrong library", dlsym(must_open("libc.so.6", RTLD_LAZY), "curl_easy_init"));
    }
    return 0;
}

struct multi {
    CURLM *(*init)(void);
    CURLMcode (*perform)(CURLM *, int *);
};

static struct multi load_multi(const char *file)
{
    struct multi multi;
    void *library = must_open(file, RTLD_NOW | RTLD_LOCAL);

    *(void **)&multi.init = dlsym(library, "curl_multi_init");
    *(void **)&multi.perform = dlsym(library, "curl_multi_perform");
    if (!multi.init || !multi.perform)
        exit(1);
    return multi;
}

static void *perform_for_good(void *multi)
{
    CURLM *own = ((struct multi *)multi)->init();
    for (int running;;)
        ((struct multi *)multi)->perform(own, &running);
    return NULL;
}

static sem_t is_within;

static int stay(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)info, (void)size, (void)data;
    sem_post(&is_within);
    for (;;)
        pause();
    return 1;
}

static void *stay_within(void *data)
{
    dl_iterate_phdr(stay, NULL);
    return data;
}

static void begin(void *(*act)(void *), void *data)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, act, data) != 0)
        exit(1);
}

/* A child of a fork that goes on with its parent's multi handle, and may load a library. True when it came to
 * its end. */
static bool child_ends(const struct multi *multi, CURLM *own, const char *library)
{
    int running, status;
    pid_t child = fork();

    if (child == 0) {
        alarm(5);
        multi->perform(own, &running);
        if (library)
            must_open(library, RTLD_NOW | RTLD_LOCAL);
        _exit(0);
    }
    return waitpid(child, &status, 0) == child && status == 0;
}

/* forks FILE COUNT LIBRARY: while threads use the multi interface; the child loads a library, too. */
static int forks(char **argument)
{
    struct multi multi = load_multi(argument[0]);
    CURLM *own = multi.init();
    int hung = 0;

    begin(perform_for_good, &multi);
    begin(perform_for_good, &multi);
    for (int i = atoi(argument[1]); i > 0 && hung < 2; i--)
        hung += !child_ends(&multi, own, argument[2]);
    printf("%d hung\n", hung);
    _exit(0);
}

/* held FILE: a fork while a thread walks the loader's list, as an unwinder does. */
static int held(char **argument)
{
    struct multi multi = load_multi(argument[0]);
    CURLM *own = multi.init();

    sem_init(&is_within, 0, 0);
    begin(stay_within, NULL);
    while (sem_wait(&is_within) != 0)
        ;
    printf("%d hung\n", !child_ends(&multi, own, NULL));
    _exit(0);
}

static const struct {
    const char *name;
    int arguments;
    int (*act)(char **argument);
} scenarios[] = {
    {"both",    4, both   },
    {"again",   3, again  },
    {"forks",   3, forks  },
    {"held",    1, held   },
    {"plugin",  2, plugin },
    {"plugins", 4, plugins},
    {"probe",   0, probe  },
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    for (size_t i = 0; argc > 1 && i < sizeof scenarios / sizeof *scenarios; i++)
        if (strcmp(argv[1], scenarios[i].name) == 0 && argc - 2 >= scenarios[i].arguments)
            return scenarios[i].act(argv + 2);
    return 2;
}
