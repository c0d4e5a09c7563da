/* upstream: an HTTP/1.1 server that misbehaves to order. README.md tells how to order. */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const char usage[] =
    "Usage: upstream [--port P] [--control P] [--bind ADDR] [--quiet] [--daemon]\n"
    "An HTTP/1.1 server that misbehaves to order. Prints `port N` and `control M`, then serves\n"
    "until SIGTERM, SIGINT or its parent's end.\n"
    "  --port P      data port, which misbehaves; 0, the default: any\n"
    "  --control P   control port, which never does; 0, the default: any\n"
    "  --bind ADDR   numeric address, 127.0.0.1 by default\n"
    "  --quiet       no line on standard error for what the control port is told\n"
    "  --daemon      outlive the parent (stays in the foreground)\n";

enum { UPSTREAM_SPARE_FDS = 128 }; /* for the control port, when the data port has taken all others */

struct options {
    const char *address;
    unsigned port;
    unsigned control;
    bool quiet;
    bool daemon;
};

struct upstream {
    struct watcher signals; /* first: the loop knows it by this */
    struct loop loop;
    struct data data;
    struct control control;
    struct port data_port;
    struct port control_port;
};

static void answer_data(void *world, const struct request *request, struct reply *reply)
{
    data_answer(world, request, loop_now_ns(), reply);
}

static void answer_control(void *world, const struct request *request, struct reply *reply)
{
    control_answer(world, request, loop_now_ns(), reply);
}

static void on_signal(struct watcher *watcher, uint32_t events)
{
    (void)events;
    ((struct upstream *)watcher)->loop.over = true;
}

static int watch_signals(struct upstream *upstream)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    upstream->signals.ready = on_signal;
    int fd = signalfd(-1, &ends, SFD_NONBLOCK | SFD_CLOEXEC);
    return fd < 0 ? -errno : loop_watch(&upstream->loop, &upstream->signals, fd, EPOLLIN);
}

/* As many descriptors as may be had; returns how many. */
static size_t raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 1024;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

/* False if the parent is gone already. */
static bool die_with_parent(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    return getppid() == parent;
}

static int open_ports(struct upstream *upstream, const struct options *options)
{
    size_t descriptors = raise_descriptors();
    struct port *data = &upstream->data_port, *control = &upstream->control_port;
    data->conns =
        (struct conn_group){.loop = &upstream->loop, .world = &upstream->data, .answer = answer_data};
    data->conns_most =
        descriptors > 2 * UPSTREAM_SPARE_FDS ? descriptors - UPSTREAM_SPARE_FDS : UPSTREAM_SPARE_FDS;
    data->connections = &upstream->data.count.connections;
    control->conns =
        (struct conn_group){.loop = &upstream->loop, .world = &upstream->control, .answer = answer_control};
    control->conns_most = UPSTREAM_SPARE_FDS / 2;
    int result = port_open(data, options->address, options->port);
    if (result < 0)
        fprintf(stderr, "upstream: cannot listen on %s port %u: %s\n", options->address, options->port,
                strerror(-result));
    if (result < 0)
        return result;
    result = port_open(control, options->address, options->control);
    if (result < 0)
        fprintf(stderr, "upstream: cannot listen on %s control port %u: %s\n", options->address,
                options->control, strerror(-result));
    return result;
}

/* Tells the ports, then lets go of stdout, so that a reader of a pipe sees its end. */
static void announce(const struct upstream *upstream)
{
    printf("port %u\ncontrol %u\n", port_number(&upstream->data_port), port_number(&upstream->control_port));
    fflush(stdout);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) {
        dup2(nowhere, STDOUT_FILENO);
        close(nowhere);
    }
}

static int serve(struct upstream *upstream, const struct options *options)
{
    int result = loop_open(&upstream->loop);
    if (result == 0)
        result = watch_signals(upstream);
    if (result < 0) {
        fprintf(stderr, "upstream: cannot start: %s\n", strerror(-result));
        return result;
    }
    data_start(&upstream->data, loop_now_ns());
    control_start(&upstream->control, &upstream->data, &upstream->data_port, options->quiet);
    result = open_ports(upstream, options);
    if (result < 0)
        return result;
    announce(upstream);
    result = loop_run(&upstream->loop);
    port_close(&upstream->data_port);
    port_close(&upstream->control_port);
    loop_close(&upstream->loop);
    data_clear(&upstream->data);
    return result;
}

static bool take_port(const char *text, unsigned *port)
{
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || number > 65535)
        return false;
    *port = (unsigned)number;
    return true;
}

static bool take_option(int option, struct options *options)
{
    switch (option) {
    case 'p':
        return take_port(optarg, &options->port);
    case 'c':
        return take_port(optarg, &options->control);
    case 'b':
        options->address = optarg;
        return true;
    case 'q':
        options->quiet = true;
        return true;
    case 'd':
        options->daemon = true;
        return true;
    case 'h':
        fputs(usage, stdout);
        exit(0);
    }
    return false;
}

static bool take_options(int count, char **words, struct options *options)
{
    static const struct option known[] = {
        {"port",             required_argument, NULL, 'p'},
        {"control",              required_argument, NULL, 'c'},
        {"bind",                  required_argument, NULL, 'b'},
        {"quiet",no_argument, NULL, 'q'},
        {"daemon",               no_argument, NULL, 'd'},
        {"help",             no_argument, NULL, 'h'},
        {0             },
    };
    int option;
    while ((option = getopt_long(count, words, "", known, NULL)) != -1)
        if (!take_option(option, options))
            return false;
    return optind == count;
}

int main(int count, char **words)
{
    static struct upstream upstream;
    struct options options = {.address = "127.0.0.1"};
    pid_t parent = getppid();
    if (!take_options(count, words, &options)) {
        fputs(usage, stderr);
        return 2;
    }
    if (!options.daemon && !die_with_parent(parent))
        return 0;
    return serve(&upstream, &options) < 0 ? 1 : 0;
}
