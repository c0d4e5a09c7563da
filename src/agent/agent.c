/* One loop for all that the agent does: descriptors that are waited for, and what is due by the clock. */
#include "agent/agent.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/care.h"
#include "agent/complaint.h"
#include "agent/pages.h"
#include "agent/share.h"
#include "agent/statsd.h"
#include "config/value.h"
#include "report/log.h"
#include "sys/clock.h"
#include "tool/options.h"
#include "tool/output.h"

enum { MOST_MS = 1000 }; /* between two turns: deadlines of connections want it */

/* What is waited for, besides health checks. */
enum { SIGNALS, REDIS, SERVER, POLLED = SERVER + SERVE_POLLED };

struct agent {
    const char *state_path, *listen, *statsd_at, *interval, *redis, *space;
    bool json;
    struct care care;
    struct reading reading;
    struct pages pages;
    struct serve server; /* no connections: it is not asked for */
    struct statsd statsd;
    struct share share;
    int signals;
};

/* ---- beginning ---- */

static void begin_log(const struct agent *agent)
{
    const struct log_target target = {.level = LOG_INFO, .format = agent->json ? LOG_JSON : LOG_LOGFMT};
    log_open(&target);
}

/*
 * They come as bytes of a descriptor, so that no loop can miss one. That nobody reads the log any more, or
 * that the peer of a health check's TLS has gone, is no reason to end.
 */
static int open_signals(void)
{
    sigset_t taken;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&taken);
    sigaddset(&taken, SIGINT);
    sigaddset(&taken, SIGTERM);
    sigaddset(&taken, SIGHUP);
    sigprocmask(SIG_BLOCK, &taken, NULL);
    return signalfd(-1, &taken, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int begin_server(struct agent *agent)
{
    struct log_line line;

    agent->pages = (struct pages){.reading = &agent->reading,
                                  .care = &agent->care,
                                  .share = &agent->share,
                                  .started_us = clock_now_us()};
    if (!agent->listen)
        return 0;
    agent->server = (struct serve){.pages = pages_table, .context = &agent->pages};
    const char *fault = serve_open(&agent->server, agent->listen);
    if (fault) {
        output_error("agent: --listen %s: %s", agent->listen, fault);
        return -1;
    }
    char url[LISTEN_ADDRESS + 16];
    snprintf(url, sizeof url, "http://%s/", agent->server.address);
    log_begin(&line, LOG_INFO, "listening", "the status page is served");
    log_text(&line, "url", url);
    log_end(&line);
    return 0;
}

static int begin_statsd(struct agent *agent, uint64_t interval_ms)
{
    struct log_line line;

    if (!agent->statsd_at)
        return 0;
    const char *fault = statsd_open(&agent->statsd, agent->statsd_at, interval_ms);
    if (fault) {
        output_error("agent: --statsd %s: %s", agent->statsd_at, fault);
        return -1;
    }
    log_begin(&line, LOG_INFO, "statsd", "what is counted is sent");
    log_text(&line, "to", agent->statsd_at);
    log_end(&line);
    return 0;
}

/* The URL is not repeated: it may hold a password. */
static int begin_share(struct agent *agent)
{
    const char *fault = agent->redis ? share_open(&agent->share, agent->redis, agent->space) : NULL;

    if (fault)
        output_error("agent: --redis: %s", fault);
    return fault ? -1 : 0;
}

/* Each complains for itself. */
static int begin(struct agent *agent, uint64_t interval_ms)
{
    begin_log(agent);
    agent->signals = open_signals();
    if (agent->signals < 0) {
        output_error("agent: %s", strerror(errno));
        return -1;
    }
    if (setup_apply(&agent->care.setup) < 0 || reading_begin(&agent->reading, agent->state_path) < 0 ||
        care_begin(&agent->care, &agent->reading.state) < 0)
        return -1;
    if (ward_is_empty(&agent->care.ward) && !agent->listen && !agent->statsd_at && !agent->redis) {
        output_error("agent: there is nothing to do: no service of the configuration has a health check, and "
                     "none of --listen, --statsd and --redis is asked for");
        return -1;
    }
    if (begin_statsd(agent, interval_ms) < 0 || begin_share(agent) < 0)
        return -1;
    return begin_server(agent);
}

/* ---- the loop ---- */

/*
 * The policies' windows and limits, and the state, as the configuration that holds from now on has them.
 * Where that names no state, the one before goes on.
 */
static void read_again(struct agent *agent)
{
    struct reading reading;

    if (reading_begin(&reading, agent->state_path) < 0)
        return;
    if (strcmp(reading.state.path, agent->reading.state.path) != 0)
        agent->statsd.has_past = false;
    reading_end(&agent->reading);
    agent->reading = reading;
    agent->care.ward.state = reading.state;
}

/* Returns false when the agent is to end. */
static bool take_signals(struct agent *agent)
{
    struct signalfd_siginfo signal;

    while (read(agent->signals, &signal, sizeof signal) == sizeof signal) {
        if (signal.ssi_signo != SIGHUP)
            return false;
        if (care_reread(&agent->care))
            read_again(agent);
    }
    return true;
}

static uint32_t earlier(uint32_t one_ms, uint32_t other_ms)
{
    return one_ms < other_ms ? one_ms : other_ms;
}

static void wait_for_something(struct agent *agent, struct pollfd polled[POLLED])
{
    uint32_t ms = earlier(care_pause_ms(&agent->care), statsd_pause_ms(&agent->statsd));
    ms = earlier(ms, share_pause_ms(&agent->share));

    for (int i = 0; i < POLLED; i++)
        polled[i] = (struct pollfd){.fd = -1};
    polled[SIGNALS] = (struct pollfd){.fd = agent->signals, .events = POLLIN};
    if (agent->server.connections)
        serve_prepare(&agent->server, polled + SERVER);
    share_prepare(&agent->share, &polled[REDIS]);
    probe_wait(polled, POLLED, (int)earlier(ms, MOST_MS));
}

static void run(struct agent *agent)
{
    struct pollfd polled[POLLED];

    complaint_to_log();
    do {
        if (care_turn(&agent->care))
            read_again(agent);
        statsd_turn(&agent->statsd, &agent->reading, false);
        wait_for_something(agent, polled);
        if (agent->server.connections)
            serve_continue(&agent->server, polled + SERVER);
        share_continue(&agent->share, &polled[REDIS], &agent->reading, agent->care.rules);
    } while (take_signals(agent));
}

static void end(struct agent *agent)
{
    if (agent->server.connections)
        serve_close(&agent->server);
    statsd_turn(&agent->statsd, &agent->reading, true); /* what came since */
    statsd_close(&agent->statsd);
    share_close(&agent->share);
    care_end(&agent->care);
    reading_end(&agent->reading);
    log_say(LOG_INFO, "ended", "the agent ends as it was told to");
}

int agent_act(const struct tool_verb *verb, int argc, char **argv)
{
    struct agent agent = {.space = "default"};
    const struct options_entry entries[] = {
        {"listen",    0, OPTIONS_TEXT, &agent.listen            },
        {"statsd",    0, OPTIONS_TEXT, &agent.statsd_at         },
        {"interval",  0, OPTIONS_TEXT, &agent.interval          },
        {"untagged",  0, OPTIONS_FLAG, &agent.statsd.is_untagged},
        {"redis",     0, OPTIONS_TEXT, &agent.redis             },
        {"namespace", 0, OPTIONS_TEXT, &agent.space             },
        {"look",      0, OPTIONS_FLAG, &agent.care.ward.look    },
        {"config",    0, OPTIONS_TEXT, &agent.care.setup.config },
        {"state",     0, OPTIONS_TEXT, &agent.state_path        },
        {"json",      0, OPTIONS_FLAG, &agent.json              },
        {NULL,        0, OPTIONS_FLAG, NULL                     },
    };
    struct options options = {.verb = verb, .most = 0};
    uint64_t interval_ms = 10000;

    int status = options_read(&options, entries, argc, argv);
    if (status != OPTIONS_GO)
        return status;
    if (agent.interval && (!value_duration(agent.interval, strlen(agent.interval), &interval_ms) ||
                           interval_ms < 100 || interval_ms > 3600000))
        return options_misused(verb, "--interval takes a duration such as 10s, from 100ms to 1h");
    if (begin(&agent, interval_ms) < 0)
        return TOOL_FAULTS;
    run(&agent);
    end(&agent);
    return TOOL_FINE;
}
