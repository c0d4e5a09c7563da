/* gusset: a table of verbs, and the few options that stand before one. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "config/settings.h"
#include "config/spelling.h"
#include "tool/library.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/program.h"
#include "tool/tool.h"

/* clang-format off */
const struct tool_verb tool_verbs[] = {
    {.name = "run",
     .help = "run an unmodified program under the shim",
     .synopsis = "run [OPTION]… [--] COMMAND [ARGUMENT]…",
     .text = "  --config FILE       the configuration; default: $GUSSET_CONFIG, the user's, the system's\n"
             "  --policy NAME       one policy for every host, with no file at all\n"
             "  --set KEY=VALUE     put a setting on top of every policy (again for more)\n"
             "  --shadow            change nothing, count what would have been done\n"
             "  --report            when the program ends, say on standard error what was done\n"
             "  --json              the report as one JSON object\n"
             "  --record FILE       write each attempt to FILE (host, method, times, outcome), for `gusset replay`\n"
             "  --deadline DURATION     every call of COMMAND, and of what it starts, ends by then\n"
             "  --tenant ID, --project ID, --request-id ID\n"
             "                      what the calls carry, where the policy propagates it\n"
             "  --allow-faults      let the configuration's fault groups act, as faults = true does\n"
             "  --force             run a program that cannot be wrapped nevertheless, bare\n"
             "\n"
             "With no configuration and no --policy the policy `standard` holds for every host. The exit status\n"
             "is the program's; 125: gusset failed, 126: not executable, 127: not found.\n",
     .examples = "  gusset run -- curl -sS https://api.example.com/v1/items\n"
                 "  gusset run --policy quick --set retry.attempts=4 -- ./backup.sh\n"
                 "  gusset run --report -- ./nightly-sync\n"
                 "  gusset run --shadow --record today.rec -- ./nightly-sync    # then: gusset replay today.rec --policy quick\n"
                 "  gusset run --shadow --report -- make deploy      # what would gusset have done?\n",
     .act = tool_run,
     .misuse = TOOL_FAILED},
    {.name = "check",
     .help = "name every fault of a configuration, with file and line",
     .synopsis = "check [FILE] [--json]",
     .text = "  --config FILE       the same as FILE\n"
             "  --set KEY=VALUE     as run would\n"
             "  --json              one JSON object\n"
             "\n"
             "Without FILE the configuration that holds here is checked: --config FILE, $GUSSET_CONFIG, the\n"
             "user's file, the system's. Exit status 1 when a fault was found; warnings are not faults.\n",
     .examples = "  gusset check\n"
                 "  gusset check conf/gusset.cfg && gusset reload\n",
     .act = tool_check,
     .misuse = TOOL_MISUSE},
    {.name = "explain",
     .help = "which rule wins for a place, and where each setting comes from",
     .synopsis = "explain URL|HOST:PORT [--method M] [--program P] | --policy NAME",
     .text = "  --method M          the request's method (default GET)\n"
             "  --program P         the program's name, for rules with `programs`\n"
             "  --policy NAME       print a policy instead\n"
             "  --config FILE       the configuration; default: the one that holds here\n"
             "  --set KEY=VALUE     as run would\n"
             "  --json              one JSON object\n"
             "\n"
             "A URL is judged as an HTTP request, HOST:PORT or unix:/PATH as a connect(). Exit status 1 when no\n"
             "rule matches: gusset then leaves the call alone. Values of headers are not shown.\n",
     .examples = "  gusset explain https://api.example.com/v1/items --method POST\n"
                 "  gusset explain db.internal:5432 --program psql\n"
                 "  gusset explain --policy quick\n",
     .act = tool_explain,
     .misuse = TOOL_MISUSE},
    {.name = "services",
     .help = "the registry: where each service runs, and where each value comes from",
     .synopsis = "services [SERVICE] [--json]",
     .text = "  --config FILE       the configuration; default: the one that holds here\n"
             "  --json              one JSON object\n"
             "\n"
             "Addresses are shown as the environment of this command expands them. A program has its own.\n",
     .examples = "  gusset services\n"
                 "  USER_SERVICE_HOST=10.0.0.5 gusset services user-service\n",
     .act = tool_services,
     .misuse = TOOL_MISUSE},
    {.name = "doctor",
     .help = "which calls of a program gusset will see, and why not",
     .synopsis = "doctor PROGRAM|FILE.so|PID [--json]",
     .text = "  --json              one JSON object\n"
             "\n"
             "A program is looked for in $PATH; of a script the interpreter is judged; a number is a running process.\n"
             "easy and multi are libcurl's interfaces, connect is what a program connects by itself. The exit status\n"
             "is 0 when gusset sees all that the program calls, 1 part of it, 2 nothing; 125: it could not be judged.\n",
     .examples = "  gusset doctor curl\n"
                 "  gusset doctor /usr/lib/php/20220829/curl.so\n"
                 "  gusset doctor $$                                  # this shell\n"
                 "  gusset doctor ./nightly.sh || echo not all of it is seen\n",
     .act = tool_doctor,
     .misuse = TOOL_FAILED},
    {.name = "status",
     .help = "every host: circuit, calls, retries, rescued, latency",
     .synopsis = "status [HOST[:PORT]] [--watch [SECONDS]] [--sort KEY] [--json]",
     .text = "  -w, --watch [SECONDS]\n"
             "                      draw again and again, each second if not said otherwise, until interrupted\n"
             "  --sort host|circuit|calls|attempts|retries|rescued|rejected|failed|p50|p99\n"
             "                      by what the hosts are ordered (default host)\n"
             "  --state FILE        the state; default: $GUSSET_STATE, the configuration's, the user's\n"
             "  --json              one JSON object\n"
             "\n"
             "With HOST, each of its circuits in full: window, budget, latency. Exit status 1 when HOST is not known.\n",
     .examples = "  gusset status\n"
                 "  gusset status api.example.com\n"
                 "  gusset status --watch 2 --sort failed\n"
                 "  gusset status --json | jq '.hosts[] | select(.circuit != \"closed\").host'\n",
     .act = tool_status,
     .misuse = TOOL_MISUSE},
    {.name = "events",
     .help = "what was decided, newest last",
     .synopsis = "events [-f] [-n N] [--host HOST[:PORT]] [--json]",
     .text = "  -f, --follow        go on as events come, until interrupted\n"
             "  -n, --lines N       the last N (default 20; `all` for all that are kept)\n"
             "  --host HOST[:PORT]  of this host only\n"
             "  --state FILE        the state; default: $GUSSET_STATE, the configuration's, the user's\n"
             "  --json              one JSON object a line\n",
     .examples = "  gusset events -n 50\n"
                 "  gusset events -f --host api.example.com\n",
     .act = tool_events,
     .misuse = TOOL_MISUSE},
    {.name = "trip",
     .help = "open a circuit by hand",
     .synopsis = "trip HOST[:PORT] [--for DURATION] [--policy NAME] [--json]",
     .text = "  --for DURATION      how long, such as 90s or 1h; default: until it is reset\n"
             "  --policy NAME       the circuit of this policy only\n"
             "  --state FILE        the state; default: $GUSSET_STATE, the configuration's, the user's\n"
             "  --json              one JSON object\n"
             "\n"
             "Calls to the host are refused at once, in running programs too. Without a port all ports that are\n"
             "known are meant.\n",
     .examples = "  gusset trip api.example.com --for 10m\n"
                 "  gusset trip db.internal:5432\n",
     .act = tool_trip,
     .misuse = TOOL_MISUSE},
    {.name = "reset",
     .help = "close a circuit by hand, or all",
     .synopsis = "reset [HOST[:PORT]] [--hold [--for DURATION]] [--policy NAME] [--json]",
     .text = "  --hold              keep it closed, whatever fails\n"
             "  --for DURATION      how long, such as 90s or 1h; default: until it is reset without --hold\n"
             "  --policy NAME       the circuit of this policy only\n"
             "  --state FILE        the state; default: $GUSSET_STATE, the configuration's, the user's\n"
             "  --json              one JSON object\n"
             "\n"
             "The circuit closes and forgets the failures that it had counted; the totals of `status` stay.\n",
     .examples = "  gusset reset api.example.com\n"
                 "  gusset reset api.example.com --hold --for 1h\n"
                 "  gusset reset\n",
     .act = tool_reset,
     .misuse = TOOL_MISUSE},
    {.name = "off",
     .help = "the kill switch: running programs go on as without gusset",
     .synopsis = "off [--host HOST[:PORT]] [--json]",
     .text = "  --host HOST[:PORT]  this host only\n"
             "  --state FILE        the state; default: $GUSSET_STATE, the configuration's, the user's\n"
             "  --json              one JSON object\n"
             "\n"
             "Acts on the next call of every program that uses the state; `gusset on` takes it back, with the same\n"
             "--host where one was given. Each user has a state of their own: root names another's by --state.\n",
     .examples = "  gusset off\n"
                 "  gusset off --host api.example.com\n",
     .act = tool_off,
     .misuse = TOOL_MISUSE},
    {.name = "on",
     .help = "takes off, and any other mode, back: as the configuration says",
     .synopsis = "on [--host HOST[:PORT]] [--json]",
     .text = "  --host HOST[:PORT]  this host only; '*': no host has a mode of its own any more\n"
             "  --state FILE        the state; default: $GUSSET_STATE, the configuration's, the user's\n"
             "  --json              one JSON object\n"
             "\n"
             "Without --host the mode of a host that has one of its own stays, and it is said how many have.\n",
     .examples = "  gusset on\n"
                 "  gusset on --host api.example.com\n",
     .act = tool_on,
     .misuse = TOOL_MISUSE},
    {.name = "mode",
     .help = "sets the mode of running programs by hand",
     .synopsis = "mode enforce|shadow|off|configured [--host HOST[:PORT]] [--json]",
     .text = "  --host HOST[:PORT]  this host only\n"
             "  --state FILE        the state; default: $GUSSET_STATE, the configuration's, the user's\n"
             "  --json              one JSON object\n"
             "\n"
             "It wins over the file's mode, the rules' and $GUSSET_MODE; a host's own wins over that of all, but not\n"
             "over off. `configured` takes it back.\n",
     .examples = "  gusset mode shadow\n"
                 "  gusset mode enforce --host api.example.com:443\n"
                 "  gusset mode configured --host api.example.com:443\n",
     .act = tool_mode,
     .misuse = TOOL_MISUSE},
    {.name = "reload",
     .help = "compile a changed configuration now, so that no program has to",
     .synopsis = "reload [--config FILE] [--json]",
     .text = "  --config FILE       the configuration; default: the one that holds here\n"
             "  --state FILE        the state whose programs are told; default: as for status\n"
             "  --json              one JSON object\n"
             "\n"
             "Programs that start from now on use it, running ones take it with their next call after a second\n"
             "at most; calls under way end as they began. ${…} is read anew from each program's environment.\n"
             "A faulty file changes nothing: the faults are named as `check` does, exit status 1.\n",
     .examples = "  gusset reload\n",
     .act = tool_reload,
     .misuse = TOOL_MISUSE},
    {.name = "health",
     .help = "checks the services: what is well, since when, what went wrong",
     .synopsis = "health [SERVICE…] [--watch [SECONDS]] [--look] [--json]",
     .text = "  -w, --watch [SECONDS]\n"
             "                      check again and again, each service by its interval if not said otherwise\n"
             "  --look              leave the circuits alone\n"
             "  --config FILE       the configuration; default: the one that holds here\n"
             "  --state FILE        the state; default: $GUSSET_STATE, the configuration's, the user's\n"
             "  --json              one JSON object, or with --watch one a line\n"
             "\n"
             "All checks are made at once: health.type http, tcp or tls of each address of a service. One that fails is\n"
             "DEGRADED, after health.failures in a row UNHEALTHY; checks of several runs count together. The circuit of\n"
             "what is unhealthy opens, and closes when it is well again. A service with a healthy address is not\n"
             "unhealthy. Exit status 0: all are healthy, 1: some degraded, 2: some unhealthy, 125: gusset failed.\n",
     .examples = "  gusset health\n"
                 "  gusset health user-service || echo not well\n"
                 "  gusset health --watch 5\n",
     .act = tool_health,
     .misuse = TOOL_FAILED},
    {.name = "metrics",
     .help = "the same figures for collectors, as Prometheus takes them",
     .synopsis = "metrics [--textfile FILE | --listen [ADDRESS:]PORT] [--json]",
     .text = "  --textfile FILE     write them to FILE, in one step, for node_exporter's textfile collector\n"
             "  --listen PORT       serve them at /metrics, until interrupted; ADDRESS:PORT where not on loopback\n"
             "  --state FILE        the state; default: $GUSSET_STATE, the configuration's, the user's\n"
             "  --json              one JSON object\n"
             "\n"
             "Labels are the host, the policy and the mode, never a URL. With --listen the address is printed once\n"
             "scrapes can come; port 0 takes a free one.\n",
     .examples = "  gusset metrics\n"
                 "  gusset metrics --textfile /var/lib/prometheus/node-exporter/gusset.prom\n"
                 "  gusset metrics --listen 9464\n",
     .act = tool_metrics,
     .misuse = TOOL_MISUSE},
    {.name = "agent",
     .help = "the optional daemon: health checks, a status page, metrics, StatsD, circuits shared by Redis",
     .synopsis = "agent [--listen [ADDRESS:]PORT] [OPTION]…",
     .text = "  --listen PORT       serve a status page at /, /metrics for Prometheus, /status as `status --json`, and\n"
             "                      /health of the agent itself; ADDRESS:PORT where not on loopback\n"
             "  --statsd HOST:PORT  send what was counted to a StatsD server, by UDP\n"
             "  --interval DURATION     how often (default 10s)\n"
             "  --untagged          host and policy in the names, for StatsD servers that know no tags\n"
             "  --redis URL         share circuits with the agents of other machines through a Redis:\n"
             "                      redis://[[user]:password@]host[:port][/db] or unix:///path; ${…} and ${file:…}\n"
             "                      are expanded by the agent, so that no password stands in a command line\n"
             "  --namespace NAME    of those that share (default `default`)\n"
             "  --look              health checks leave the circuits alone\n"
             "  --config FILE       the configuration; default: the one that holds here\n"
             "  --state FILE        the state; default: $GUSSET_STATE, the configuration's, the user's\n"
             "  --json              log lines as JSON\n"
             "\n"
             "Nothing needs it: programs go on as they are when it ends. It stays in the foreground until SIGTERM or\n"
             "SIGINT, and logs to standard error. Services with a health group are checked at their intervals, as\n"
             "`health --watch` does. A changed configuration is read anew within a second, and at SIGHUP. Pages can\n"
             "only be read, and whoever reaches the port can read them; on loopback they are asked for as localhost\n"
             "or by number, so that no web page reads them under a name of its own. /health is 503 while the agent\n"
             "cannot do its work: the changed configuration is faulty, or the state cannot be opened.\n"
             "\n"
             "StatsD is sent differences, as `gusset.calls:3|c|#host:api.example.com:443,policy:quick,mode:enforce`, or\n"
             "untagged as `gusset.api_example_com_443.quick.enforce.calls:3|c`: counters as in metrics, errors by their\n"
             "type, call_duration as timer (a sample stands for all calls that took about as long) and the gauge\n"
             "circuit_open. What was counted before the agent began is not sent.\n"
             "\n"
             "With --redis a circuit that opens on one machine opens on the others within some two seconds, for as long as\n"
             "it is open there, and closes when it closes there; `status` calls it open as elsewhere. Only hosts that\n"
             "this machine has called are meant, by the same name and policy; never loopback. A machine whose own calls\n"
             "to the host go well, or go well again, takes over no failures of others, only what `trip` opened. It is\n"
             "opened for five seconds at a time, so nothing stays when an agent or the Redis ends: without them each\n"
             "machine goes on for itself. Whoever can write to the Redis can open these circuits.\n",
     .examples = "  gusset agent\n"
                 "  gusset agent --listen 9464\n"
                 "  gusset agent --statsd 127.0.0.1:8125 --interval 30s\n"
                 "  gusset agent --listen 9464 --redis 'redis://${REDIS_HOST:-cache.internal}:6379/0' --namespace shop\n",
     .act = agent_act,
     .misuse = TOOL_MISUSE},
    {.name = "completion",
     .help = "completions for a shell",
     .synopsis = "completion bash|zsh|fish",
     .text = "  --list hosts|policies|services|settings\n"
             "                      the words that a completion asks for, a line each\n"
             "\n"
             "bash: put it into ~/.local/share/bash-completion/completions/gusset; zsh: as _gusset into a folder\n"
             "of $fpath; fish: into ~/.config/fish/completions/gusset.fish. `make install` does it for all users.\n",
     .examples = "  source <(gusset completion bash)\n"
                 "  gusset completion fish | source\n"
                 "  gusset completion zsh >~/.zfunc/_gusset\n",
     .act = tool_completion,
     .misuse = TOOL_MISUSE},
    {.name = "simulate",
     .help = "what a policy would do in an outage or overload, on a virtual clock",
     .synopsis = "simulate --scenario SCENARIO [--policy NAME]… [OPTION]… [URL|HOST:PORT]",
     .text = "  -s, --scenario NAME outage: every connection is refused · brownout: half of the answers are 503, and\n"
             "                      all slow · slow: 50 times as slow · flaky: a tenth are 503, all the time ·\n"
             "                      tail: 5 % take 20 times as long, all the time · overload: four times as\n"
             "                      many clients\n"
             "  --policy NAME       try this policy (again for more, side by side); default: the rule that wins\n"
             "                      for the URL, or `standard` where nothing is configured\n"
             "  --config FILE       the configuration; default: the one that holds here\n"
             "  --set KEY=VALUE     put a setting on top of every policy (again for more)\n"
             "  --method M          of the requests (default GET)\n"
             "  --clients N         that call one call after another (default 100)\n"
             "  --rate R            calls a second of all clients together (default: as many as clients)\n"
             "  --duration T        of the run (default 60s); --from T, --for T: of the trouble (default: the\n"
             "                      second quarter of the run)\n"
             "  --latency T         of an answer in good times, give or take half (default 100ms)\n"
             "  --workers N         requests that the server works on at once (default: twice what it needs)\n"
             "  --backlog N         requests that may wait for a worker; beyond, 503 (default: 5 times --workers)\n"
             "  --failing PERCENT   of the answers in the trouble that are 503\n"
             "  --slow PERCENT      of the answers in the trouble that are slow, where some are\n"
             "  --deaf              the server does not see who has given up, and works on\n"
             "  --seed N            other dice (default 1); the same numbers give the same result\n"
             "  --svg FILE          a picture, too\n"
             "  --json              one JSON object\n"
             "\n"
             "The engine is the one that programs run under, on a clock of its own: a minute takes a moment, and\n"
             "nothing is sent or remembered. `bare` is the same program without gusset: one attempt, no limits. Who\n"
             "gives up closes the connection, and the server works on it no longer (but see --deaf). Rules in shadow\n"
             "are tried as if they acted; of a rule's variants the one is tried that the seed draws. For a HOST:PORT\n"
             "a connect() is tried, which is refused where a request would be answered by 503.\n"
             "\n"
             "A second attempt side by side (hedge) is as fast or slow as if the first had never been made: what\n"
             "is slow by itself, such as a request that means much work, gains less by it than this shows.\n",
     .examples = "  gusset simulate --scenario outage\n"
                 "  gusset simulate --scenario brownout --policy standard --policy aggressive --svg brownout.svg\n"
                 "  gusset simulate -s tail --set hedge.after=p95\n"
                 "  gusset simulate -s overload --clients 400 --rate 200 --set timeout.attempt=1s\n"
                 "  gusset simulate -s slow --for 20s https://api.example.com/v1/items\n",
     .act = tool_simulate,
     .misuse = TOOL_MISUSE},
    {.name = "replay",
     .help = "what another policy would have made of recorded calls",
     .synopsis = "replay FILE [--policy NAME | --config FILE] [--set KEY=VALUE]… [--json]",
     .text = "  --policy NAME       the policy to try on every host\n"
             "  --config FILE       the configuration to try; default: the one that holds here\n"
             "  --set KEY=VALUE     put a setting on top of every policy (again for more)\n"
             "  --json              one JSON object\n"
             "\n"
             "FILE is what `gusset run --record FILE` wrote. The recorded calls go through the engine once more on\n"
             "a virtual clock; nothing is sent or remembered. Told is which calls would have been saved or lost,\n"
             "which attempts added, which calls refused, and what was assumed. A record made with --shadow shows\n"
             "the program as it is without gusset, so it is the best one to try policies on.\n"
             "\n"
             "A second attempt side by side (hedge) takes as long as one that was made at that time. A record does\n"
             "not tell when a reply began, nor whether a request is slow by itself, whether it names a part or\n"
             "has anything else that is not hedged (gusset.cfg(5)), nor how the first would have ended that a\n"
             "recorded hedge has overtaken. So what hedges save is told at its best.\n",
     .examples = "  gusset run --shadow --record today.rec -- ./nightly-sync\n"
                 "  gusset replay today.rec --policy aggressive\n"
                 "  gusset replay today.rec --policy standard --set breaker.open=30s\n",
     .act = tool_replay,
     .misuse = TOOL_MISUSE},
    {.name = "help",
     .help = "this list, or all about a verb",
     .synopsis = "help [VERB]",
     .text = "  --mdoc verbs|settings-of-file|settings-of-policy|settings-of-service|policies\n"
             "                      a part of the manual as mdoc source; its pages are built with it\n",
     .examples = "  gusset help run\n",
     .act = tool_help,
     .misuse = TOOL_MISUSE},
    {.name = NULL},
};
/* clang-format on */

const struct tool_verb *tool_find(const char *name)
{
    for (const struct tool_verb *verb = tool_verbs; verb->name; verb++)
        if (strcmp(verb->name, name) == 0)
            return verb;
    return NULL;
}

static const char *nearest(const char *word)
{
    const char *found = NULL;
    unsigned best = spelling_reach(strlen(word));

    for (const struct tool_verb *verb = tool_verbs; verb->name; verb++) {
        unsigned distance = spelling_distance(verb->name, strlen(verb->name), word, strlen(word));
        if (distance < best) {
            best = distance;
            found = verb->name;
        }
    }
    return found;
}

static bool is_word(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyz-") == strlen(text);
}

/* Only what looks like a verb is repeated: what was meant for another place may be a URL with a password. */
int tool_unknown_verb(const char *word)
{
    const char *near = nearest(word);
    char path[PATH_MAX];

    if (near)
        output_error("unknown verb %s, did you mean %s? `gusset help` lists the verbs", word, near);
    else
        output_error("unknown verb%s%s; `gusset help` lists the verbs", is_word(word) ? " " : "",
                     is_word(word) ? word : "");
    if (is_word(word) && program_find(word, path) == 0)
        output_error("the program %s is wrapped by `gusset run -- %s`", word, word);
    return TOOL_MISUSE;
}

static int misused(const char *what, const char *word)
{
    output_error("%s %.*s; `gusset help` says how it goes", what, (int)strcspn(word, "="), word);
    return TOOL_MISUSE;
}

/* Where a verb says by 1 and 2 what it has found, a page that nobody can read must not end by one of them. */
static int flush(int status, int failed)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    output_error("standard output cannot be written");
    return status == TOOL_FINE || failed == TOOL_FAILED ? failed : status;
}

/* With the library's place, which a bare LD_PRELOAD wants. */
static void print_version(void)
{
    char library[PATH_MAX], reason[512];

    puts("gusset " GUSSET_VERSION);
    if (library_find(library, reason, sizeof reason) == 0)
        printf("library: %s\n", output_clean(library));
}

/*
 * A standard descriptor that is closed would be given to the next file or socket, and what is printed would
 * go there. Neither can these be used the way they are meant, and what is run finds them closed as they were.
 */
static void take_standard_descriptors(void)
{
    int descriptor;

    do
        descriptor = open("/dev/null", (fcntl(STDIN_FILENO, F_GETFD) < 0 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
    while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor > STDERR_FILENO)
        close(descriptor);
}

int main(int argc, char **argv)
{
    int at = 1;

    take_standard_descriptors();
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
            tool_print_overview(stdout);
            return flush(TOOL_FINE, TOOL_FAULTS);
        }
        if (strcmp(argv[at], "--version") == 0 || strcmp(argv[at], "-V") == 0) {
            print_version();
            return flush(TOOL_FINE, TOOL_FAULTS);
        }
        if (strncmp(argv[at], "--color=", 8) != 0)
            return misused("no verb stands before the option", argv[at]);
        if (!output_set_color(argv[at] + 8))
            return misused("--color takes auto, always or never, not", argv[at] + 8);
    }
    if (at == argc) {
        tool_print_overview(stderr);
        return TOOL_MISUSE;
    }
    const struct tool_verb *verb = tool_find(argv[at]);
    if (!verb)
        return tool_unknown_verb(argv[at]);
    return flush(verb->act(verb, argc - at, argv + at),
                 verb->misuse == TOOL_FAILED ? TOOL_FAILED : TOOL_FAULTS);
}
