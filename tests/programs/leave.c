/*
 * What programs do while a call is under way in their multi handle. Usage: leave WHAT URL OTHER-URL. The call
 * goes to URL and takes about 400 ms, be it that the server is slow, or that the call waits for its next try;
 * after 150 ms WHAT is done. Each prints what the program can see, so that two runs can be compared.
 */
#include "loops.h"
#include <dlfcn.h>
#include <poll.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

static struct loop loop;
static CURL *easy;
static const char *url, *other;
static long while_ms;
static jmp_buf out;
static bool jumps;
static bool asks;  /* the handle's callbacks call what no callback may */
static bool armed; /* the program's timer, where it has one */

static size_t on_write(char *bytes, size_t size, size_t count, void *data)
{
    (void)data;
    if (jumps) {
        jumps = false;
        longjmp(out, 1);
    }
    fwrite(bytes, size, count, stdout);
    return size * count;
}

static void on_done(struct loop *with, CURL *done, CURLcode code, void *data)
{
    long status = 0;

    (void)with, (void)data;
    curl_easy_getinfo(done, CURLINFO_RESPONSE_CODE, &status);
    printf("result %d status %ld\n", (int)code, status);
}

/* From inside a callback, once: libcurl refuses it all. */
static void ask(void)
{
    int running = -1, left = -1;

    if (!asks)
        return;
    asks = false;
    printf("perform %d\n", (int)curl_multi_perform(loop.multi, &running));
    printf("action %d\n", (int)curl_multi_socket_action(loop.multi, CURL_SOCKET_TIMEOUT, 0, &running));
    printf("remove %d\n", (int)curl_multi_remove_handle(loop.multi, easy));
    printf("message %d\n", curl_multi_info_read(loop.multi, &left) != NULL);
    printf("running %d left %d\n", running, left);
    printf("option %d\n", (int)curl_multi_setopt(loop.multi, CURLMOPT_TIMERFUNCTION, NULL));
    printf("cleanup %d\n", (int)curl_multi_cleanup(loop.multi));
}

static int on_progress(void *data, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up)
{
    (void)data, (void)total, (void)now, (void)up_total, (void)up;
    ask();
    return 0;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes, (void)data;
    ask();
    return size * count;
}

static int on_timer(CURLM *multi, long ms, void *data)
{
    (void)multi, (void)data;
    armed = ms >= 0;
    return 0;
}

static CURL *make(const char *where)
{
    CURL *made = curl_easy_init();

    curl_easy_setopt(made, CURLOPT_URL, where);
    curl_easy_setopt(made, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(made, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(made, CURLOPT_NOPROGRESS, 0L);
    return made;
}

static void start(void)
{
    loop_open(&loop, "poll");
    easy = make(url);
    loop_add(&loop, easy);
    for (double until = loop_now_ms() + (double)while_ms; loop_now_ms() < until;) {
        loop.rest = NULL; /* this way nothing waits for longer than it should */
        loop_turn(&loop, on_done, NULL);
        loop_nap_ms(5);
    }
    printf("under way: %d\n", loop.running);
}

static void go_on(void)
{
    while (loop_turn(&loop, on_done, NULL))
        loop_nap_ms(2);
}

static void finish(void)
{
    printf("remove %d\n", (int)curl_multi_remove_handle(loop.multi, easy));
    curl_easy_cleanup(easy);
    loop_close(&loop);
}

static void fetch(const char *where)
{
    CURL *made = make(where);

    printf("other %d\n", (int)curl_easy_perform(made));
    curl_easy_cleanup(made);
}

/* A child that does its own and leaves as programs do; then the parent goes on. */
static void in_child(bool by_exit)
{
    int status = 0;

    start();
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        fetch(other);
        fflush(stdout);
        if (by_exit)
            exit(3);
        _exit(3);
    }
    waitpid(child, &status, 0);
    printf("child %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    go_on();
    finish();
}

static void child(void)
{
    in_child(false);
}

static void child_exit(void)
{
    in_child(true);
}

/* The timer among the descriptors that the loop is to wait for; -1: none. */
static int timer_of_loop(void)
{
    fd_set in, out_set, odd;
    struct itimerspec left;
    int highest = -1;

    FD_ZERO(&in);
    FD_ZERO(&out_set);
    FD_ZERO(&odd);
    curl_multi_fdset(loop.multi, &in, &out_set, &odd, &highest);
    for (int fd = 0; fd <= highest; fd++)
        if (FD_ISSET(fd, &in) && timerfd_gettime(fd, &left) == 0)
            return fd;
    return -1;
}

/*
 * A child that goes on with its copy of the loop, past the time that the parent's call waits for, while
 * another call of its own waits for longer.
 */
static void child_loop(void)
{
    start();
    int timer = timer_of_loop();
    struct itimerspec left = {0};
    timerfd_gettime(timer, &left);
    double due_ms = loop_now_ms() + (double)left.it_value.tv_sec * 1e3 + (double)left.it_value.tv_nsec / 1e6;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        loop_nap_ms((long)(due_ms - loop_now_ms()) / 2);
        loop_add(&loop, make(other));
        while (loop_now_ms() < due_ms + 50) {
            loop_turn(&loop, on_done, NULL);
            loop_nap_ms(5);
        }
        _exit(timer_of_loop() < 0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    printf("a timer there: %d, here: %d, rings: %d\n", WIFEXITED(status) && WEXITSTATUS(status) == 0,
           timer >= 0, poll(&(struct pollfd){.fd = timer, .events = POLLIN}, 1, 0));
    finish();
}

static void end(void)
{
    start();
    fflush(stdout);
    exit(3);
}

static void global(void)
{
    start();
    curl_global_cleanup();
}

static void removed(void) /* taken out, then into another */
{
    struct loop second;

    start();
    printf("remove %d\n", (int)curl_multi_remove_handle(loop.multi, easy));
    printf("again %d\n", (int)curl_multi_remove_handle(loop.multi, easy));
    loop_close(&loop);
    loop_open(&second, "socket");
    loop_add(&second, easy);
    while (loop_turn(&second, on_done, NULL))
        ;
    curl_multi_remove_handle(second.multi, easy);
    curl_easy_cleanup(easy);
    loop_close(&second);
}

static void cleaned(void) /* the handle first, without being taken out */
{
    start();
    curl_easy_cleanup(easy);
    int running = -1, left = -1;
    curl_multi_perform(loop.multi, &running);
    CURLMsg *message = curl_multi_info_read(loop.multi, &left);
    printf("running %d, %s\n", running, message ? "a message" : "no message");
    loop_close(&loop);
}

static void multi_first(void)
{
    start();
    loop_close(&loop);
    printf("then %d\n", (int)curl_easy_perform(easy));
    curl_easy_cleanup(easy);
}

static void twice(void)
{
    start();
    printf("add %d\n", (int)curl_multi_add_handle(loop.multi, easy));
    CURLM *second = curl_multi_init();
    printf("add elsewhere %d\n", (int)curl_multi_add_handle(second, easy));
    printf("perform %d\n", (int)curl_easy_perform(easy));
    curl_multi_cleanup(second);
    go_on();
    finish();
}

static void copied(void)
{
    start();
    CURL *copy = curl_easy_duphandle(easy);
    curl_easy_setopt(copy, CURLOPT_URL, other);
    printf("copy %d\n", (int)curl_easy_perform(copy));
    curl_easy_cleanup(copy);
    go_on();
    finish();
}

static void redirected(void) /* another URL, which is for the next call */
{
    start();
    curl_easy_setopt(easy, CURLOPT_PRIVATE, "mine");
    go_on();
    char *mine = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &mine);
    printf("private %s\n", mine);
    curl_easy_setopt(easy, CURLOPT_URL, other);
    printf("remove %d\n", (int)curl_multi_remove_handle(loop.multi, easy));
    loop_add(&loop, easy);
    go_on();
    finish();
}

static void moved(void) /* another URL while the call is under way */
{
    start();
    curl_easy_setopt(easy, CURLOPT_URL, other);
    go_on();
    finish();
}

static void renewed(void) /* likewise, by a handle that is reset */
{
    start();
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_URL, other);
    go_on();
    finish();
}

/* Out of a callback within perform; what libcurl then allows, it says. */
static void jump(void)
{
    start();
    jumps = true;
    if (setjmp(out) == 0)
        go_on();
    else
        printf("left\n");
    printf("remove %d\n", (int)curl_multi_remove_handle(loop.multi, easy));
    printf("cleanup %d\n", (int)curl_multi_cleanup(loop.multi));
    fetch(other);
}

static void recursive(void)
{
    start();
    asks = true;
    go_on();
    finish();
}

/* The end of a reply that was held until then: nothing said before that it is the final one. */
static void recursive_late(void)
{
    char late[512];

    snprintf(late, sizeof late, "%s?status=401&body=0", other);
    loop_open(&loop, "poll");
    easy = make(late);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    asks = true;
    loop_add(&loop, easy);
    go_on();
    finish();
}

/* The timer that the program was asked to set, in a loop that goes on without the multi handle */
static void told(void (*deed)(void))
{
    start();
    curl_multi_setopt(loop.multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_perform(loop.multi, &loop.running);
    deed();
    printf("armed %d\n", armed);
    curl_multi_cleanup(loop.multi);
}

static void by_removal(void)
{
    curl_multi_remove_handle(loop.multi, easy);
    curl_easy_cleanup(easy);
}

static void by_cleanup(void)
{
    curl_easy_cleanup(easy);
}

static void told_removed(void)
{
    told(by_removal);
}

static void told_cleaned(void)
{
    told(by_cleanup);
}

static void told_over(void)
{
    told(go_on);
    curl_easy_cleanup(easy);
}

/* libcurl as a plug-in, taken out while its call is under way */
static void unloaded(void)
{
    void *curl = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    CURL *(*init)(void) = (CURL * (*)(void)) dlsym(curl, "curl_easy_init");
    CURLM *(*multi_init)(void) = (CURLM * (*)(void)) dlsym(curl, "curl_multi_init");
    CURLcode (*set)(CURL *, CURLoption, ...) =
        (CURLcode(*)(CURL *, CURLoption, ...))dlsym(curl, "curl_easy_setopt");
    CURLMcode (*add)(CURLM *, CURL *) = (CURLMcode(*)(CURLM *, CURL *))dlsym(curl, "curl_multi_add_handle");
    CURLMcode (*perform)(CURLM *, int *) = (CURLMcode(*)(CURLM *, int *))dlsym(curl, "curl_multi_perform");
    CURLM *multi = multi_init();
    int running = 0;

    easy = init();
    set(easy, CURLOPT_URL, url);
    set(easy, CURLOPT_WRITEFUNCTION, on_write);
    add(multi, easy);
    for (double until = loop_now_ms() + (double)while_ms; loop_now_ms() < until; loop_nap_ms(5))
        perform(multi, &running);
    printf("under way: %d\n", running);
    printf("dlclose %d\n", dlclose(curl));
    loop_nap_ms(300);
    fetch(other);
}

static const struct {
    const char *name;
    void (*deed)(void);
} deeds[] = {
    {"child",          child         },
    {"child_exit",     child_exit    },
    {"child_loop",     child_loop    },
    {"end",            end           },
    {"global",         global        },
    {"removed",        removed       },
    {"cleaned",        cleaned       },
    {"multi_first",    multi_first   },
    {"twice",          twice         },
    {"copied",         copied        },
    {"redirected",     redirected    },
    {"moved",          moved         },
    {"renewed",        renewed       },
    {"jump",           jump          },
    {"recursive",      recursive     },
    {"recursive_late", recursive_late},
    {"told_removed",   told_removed  },
    {"told_cleaned",   told_cleaned  },
    {"told_over",      told_over     },
    {"unloaded",       unloaded      },
};

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    url = argv[2];
    other = argv[3];
    while_ms = atol(argv[4]);
    curl_global_init(CURL_GLOBAL_ALL);
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++)
        if (strcmp(deeds[i].name, argv[1]) == 0) {
            deeds[i].deed();
            curl_global_cleanup();
            return 0;
        }
    return 2;
}
