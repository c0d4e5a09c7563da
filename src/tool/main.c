/* gusset: a table of verbs, and the few options that stand before one. */
#include <string.h>

#include "config/settings.h"
#include "config/spelling.h"
#include "tool/options.h"
#include "tool/output.h"
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
                 "  gusset run --shadow --report -- make deploy      # what would gusset have done?\n",
     .act = tool_run,
     .misuse = TOOL_FAILED},
    {.name = "check",
     .help = "name every fault of a configuration, with file and line",
     .synopsis = "check [FILE] [--json]",
     .text = "Without FILE the configuration that holds here is checked: --config FILE, $GUSSET_CONFIG, the\n"
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
                 "  gusset doctor $(pidof -s php-fpm8.2)\n"
                 "  gusset doctor ./nightly.sh || echo not all of it is seen\n",
     .act = tool_doctor,
     .misuse = TOOL_FAILED},
    {.name = "status",
     .help = "every host: circuit, calls, retries, rescued, latency",
     .synopsis = "status [HOST[:PORT]] [--watch] [--json]",
     .text = "  --watch             draw again every second, until interrupted\n"
             "  --state FILE        the state; default: $GUSSET_STATE, the configuration's, the user's\n"
             "  --json              one JSON object\n"
             "\n"
             "With HOST, each of its circuits in full: window, budget, latency. Exit status 1 when HOST is not known.\n",
     .examples = "  gusset status\n"
                 "  gusset status api.example.com\n"
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
     .synopsis = "trip HOST[:PORT] [--for DURATION] [--policy NAME]",
     .text = "  --for DURATION      how long, such as 90s or 1h; default: until it is reset\n"
             "  --policy NAME       the circuit of this policy only\n"
             "  --state FILE        the state; default: $GUSSET_STATE, the configuration's, the user's\n"
             "\n"
             "Calls to the host are refused at once, in running programs too. Without a port all ports that are\n"
             "known are meant.\n",
     .examples = "  gusset trip api.example.com --for 10m\n"
                 "  gusset trip db.internal:5432\n",
     .act = tool_trip,
     .misuse = TOOL_MISUSE},
    {.name = "reset",
     .help = "close a circuit by hand, or all",
     .synopsis = "reset [HOST[:PORT]] [--policy NAME]",
     .text = "  --policy NAME       the circuit of this policy only\n"
             "  --state FILE        the state; default: $GUSSET_STATE, the configuration's, the user's\n"
             "\n"
             "The circuit closes and forgets the failures that it had counted; the totals of `status` stay.\n",
     .examples = "  gusset reset api.example.com\n"
                 "  gusset reset\n",
     .act = tool_reset,
     .misuse = TOOL_MISUSE},
    {.name = "off",
     .help = "the kill switch: running programs go on as without gusset",
     .synopsis = "off [--host HOST[:PORT]]",
     .text = "  --host HOST[:PORT]  this host only\n"
             "  --state FILE        the state; default: $GUSSET_STATE, the configuration's, the user's\n"
             "\n"
             "Acts on the next call of every program that uses the state; `gusset on` takes it back.\n",
     .examples = "  gusset off\n"
                 "  gusset off --host api.example.com\n",
     .act = tool_off,
     .misuse = TOOL_MISUSE},
    {.name = "on",
     .help = "takes off, and any other mode, back: as the configuration says",
     .synopsis = "on [--host HOST[:PORT]]",
     .text = "  --host HOST[:PORT]  this host only\n"
             "  --state FILE        the state; default: $GUSSET_STATE, the configuration's, the user's\n",
     .examples = "  gusset on\n",
     .act = tool_on,
     .misuse = TOOL_MISUSE},
    {.name = "mode",
     .help = "sets the mode of running programs by hand",
     .synopsis = "mode enforce|shadow|off|configured [--host HOST[:PORT]]",
     .text = "  --host HOST[:PORT]  this host only\n"
             "  --state FILE        the state; default: $GUSSET_STATE, the configuration's, the user's\n"
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
     .synopsis = "reload [--config FILE]",
     .text = "  --config FILE       the configuration; default: the one that holds here\n"
             "  --state FILE        the state whose programs are told; default: as for status\n"
             "\n"
             "Programs that start from now on use it, running ones take it with their next call after a second\n"
             "at most; calls under way end as they began. ${…} is read anew from each program's environment.\n"
             "A faulty file changes nothing: the faults are named as `check` does, exit status 1.\n",
     .examples = "  gusset reload\n",
     .act = tool_reload,
     .misuse = TOOL_MISUSE},
    {.name = "help",
     .help = "this list, or all about a verb",
     .synopsis = "help [VERB]",
     .text = "",
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
    unsigned best = 3;

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

    if (near)
        output_error("unknown verb %s, did you mean %s? `gusset help` lists the verbs", word, near);
    else
        output_error("unknown verb%s%s; `gusset help` lists the verbs", is_word(word) ? " " : "",
                     is_word(word) ? word : "");
    return TOOL_MISUSE;
}

static int misused(const char *what, const char *word)
{
    output_error("%s %.*s; `gusset help` says how it goes", what, (int)strcspn(word, "="), word);
    return TOOL_MISUSE;
}

static int flush(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    output_error("standard output cannot be written");
    return status == TOOL_FINE ? TOOL_FAULTS : status;
}

int main(int argc, char **argv)
{
    int at = 1;

    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
            tool_print_overview(stdout);
            return flush(TOOL_FINE);
        }
        if (strcmp(argv[at], "--version") == 0 || strcmp(argv[at], "-V") == 0) {
            puts("gusset " GUSSET_VERSION);
            return flush(TOOL_FINE);
        }
        if (strncmp(argv[at], "--color=", 8) != 0)
            return misused("unknown option", argv[at]);
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
    return flush(verb->act(verb, argc - at, argv + at));
}
