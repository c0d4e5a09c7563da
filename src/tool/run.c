/*
 * Runs a program under the shim: finds both, looks whether they fit, says in the environment what was
 * asked for.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/assign.h"
#include "config/settings.h"
#include "config/value.h"
#include "gate/until.h"
#include "report/log.h"
#include "sys/clock.h"
#include "tool/child.h"
#include "tool/faults.h"
#include "tool/library.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/program.h"
#include "tool/setup.h"
#include "tool/tally.h"

enum { NOT_RUNNABLE = 126, NOT_FOUND = 127, REASON_MOST = PATH_MAX + 256 };

struct run {
    struct setup setup;
    bool shadow, report, json, force, faults;
    const char *tenant, *project, *request, *record, *deadline;
    char program[PATH_MAX];
    char library[PATH_MAX];
};

/* A line break in an id would be a second header. */
static int put_id(const char *name, const char *option, const char *value)
{
    if (!value)
        return 0;
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            output_error("run: %s holds a control character", option);
            return -1;
        }
    if (setenv(name, value, 1) == 0)
        return 0;
    output_error("out of memory");
    return -1;
}

/* A word that the shim does not know it would pass over, and do something else than was meant. */
static int check_word(const char *name, const char *key)
{
    const char *value = getenv(name);
    const struct settings_choice *choice = settings_at((unsigned)settings_find(key, strlen(key)))->choices;
    size_t length = value ? strcspn(value, strcmp(key, "log.level") == 0 ? ":" : "") : 0;
    char names[128] = "";

    if (length == 0)
        return 0;
    for (; choice->name; choice++) {
        if (strlen(choice->name) == length && strncmp(choice->name, value, length) == 0)
            return 0;
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", choice->name);
    }
    char quoted[256];
    assign_quote(value, length, quoted, sizeof quoted);
    output_error("run: %s is %s, expected one of %s", name, quoted, names);
    return -1;
}

/* A file is named by its whole path: the programs that would write it have folders of their own. */
static int check_log_target(void)
{
    const char *wish = getenv("GUSSET_LOG"), *colon = wish ? strchr(wish, ':') : NULL;
    char quoted[256];

    if (!colon || !colon[1] || log_is_target(colon + 1))
        return 0;
    assign_quote(colon + 1, strlen(colon + 1), quoted, sizeof quoted);
    output_error("run: the target of GUSSET_LOG is %s, expected stderr, syslog or an absolute path", quoted);
    return -1;
}

/* The nearer of what is inherited and what was asked for: a child has no more time than who started it. */
static int put_deadline(const struct run *run)
{
    const char *inherited = getenv("GUSSET_DEADLINE");
    uint64_t inherited_ms = UINT64_MAX, length_ms;
    char text[32];

    if (inherited && *inherited && !until_parse(inherited, &inherited_ms)) {
        output_error("run: GUSSET_DEADLINE is no Unix time such as 1764000000.5");
        return -1;
    }
    if (!run->deadline)
        return 0;
    if (!value_duration(run->deadline, strlen(run->deadline), &length_ms)) {
        output_error("run: --deadline: expected a duration with a unit such as 30s");
        return -1;
    }
    uint64_t ends_ms = clock_unix_ms() + length_ms;
    if (inherited_ms <= ends_ms)
        return 0;
    snprintf(text, sizeof text, "%llu.%03llu", (unsigned long long)(ends_ms / 1000),
             (unsigned long long)(ends_ms % 1000));
    return setenv("GUSSET_DEADLINE", text, 1);
}

static int put_context(const struct run *run)
{
    if ((!run->shadow && check_word("GUSSET_MODE", "mode") < 0) ||
        check_word("GUSSET_LOG", "log.level") < 0 || check_log_target() < 0)
        return -1;
    if (put_id("GUSSET_TENANT_ID", "--tenant", run->tenant) < 0 ||
        put_id("GUSSET_PROJECT_ID", "--project", run->project) < 0 ||
        put_id("GUSSET_REQUEST_ID", "--request-id", run->request) < 0)
        return -1;
    return run->shadow ? setenv("GUSSET_MODE", "shadow", 1) : 0;
}

/* On standard error, before the program has the word. */
static void tell_faults(const struct setup *setup)
{
    struct model model;

    setup_model_or_empty(setup, &model);
    faults_tell(&model, stderr, "gusset: ");
    model_clear(&model);
}

/*
 * The record begins empty. The shim opens it by its real name, follows no link then, and makes none anew
 * where this one is moved away.
 */
static int put_record(const struct run *run)
{
    char path[PATH_MAX];
    FILE *file = run->record ? fopen(run->record, "we") : NULL;

    if (!run->record)
        return 0;
    if (file && fchmod(fileno(file), 0600) == 0 && fclose(file) == 0 && realpath(run->record, path))
        return setenv("GUSSET_RECORD", path, 1);
    output_error("run: --record: the file cannot be written: %s", strerror(errno));
    return -1;
}

/* Where nobody has configured anything, whoever says `gusset run` wants something: standard, for every host.
 */
static int put_rules(struct run *run)
{
    const struct rules *rules = NULL;
    bool asked = run->setup.config || run->setup.policy || run->setup.sets.count;

    if (run->faults)
        options_add(&run->setup.sets, "faults=true");
    if (setup_apply(&run->setup) < 0 || setup_rules(&run->setup, &rules) < 0)
        return -1;
    if (!rules && (setup_assume() < 0 || setup_rules(&run->setup, &rules) < 0))
        return -1;
    if (rules && rules_globals(rules)->locked && asked)
        output_warn("%s is locked: it alone holds, --config, --policy and --set are passed over",
                    SOURCE_SYSTEM_PATH);
    if (rules && rules_globals(rules)->faults)
        tell_faults(&run->setup);
    return 0;
}

static int put_preload(const struct run *run)
{
    char *value = library_preload(run->library, getenv("LD_PRELOAD"));

    if (value && setenv("LD_PRELOAD", value, 1) == 0) {
        free(value);
        return 0;
    }
    output_error("out of memory");
    return -1;
}

static int failed_to_start(const char *name, int error)
{
    output_error("run: %s: %s", name,
                 error == -ENOENT ? "not found; check the spelling and $PATH" : strerror(-error));
    return error == -ENOENT ? NOT_FOUND : NOT_RUNNABLE;
}

/* The program itself was found before. */
static int failed_to_exec(const char *name, int error)
{
    if (error != -ENOENT)
        return failed_to_start(name, error);
    output_error("run: %s: the interpreter that it names is missing; look at its first line (#!)", name);
    return NOT_FOUND;
}

/* Does not come back when the program starts. */
static int become(const char *path, char **argv)
{
    execvp(path, argv); /* path has a slash; execvp for scripts without #! */
    return failed_to_exec(argv[0], -errno);
}

static int run_with_report(const struct run *run, char **argv)
{
    struct tally tally;
    int outcome = 0;

    if (tally_open(&tally) < 0)
        return become(run->program, argv);
    int error = child_run(run->program, argv, &outcome);
    if (error == 0)
        tally_print(&tally, argv[0], run->shadow, run->json);
    tally_close(&tally);
    return error < 0 ? failed_to_exec(argv[0], error) : child_end_alike(outcome);
}

static int read_options(const struct tool_verb *verb, struct run *run, struct options *options, int argc,
                        char **argv)
{
    const struct options_entry entries[] = {
        {"config",       0, OPTIONS_TEXT, &run->setup.config},
        {"policy",       0, OPTIONS_TEXT, &run->setup.policy},
        {"set",          0, OPTIONS_EACH, &run->setup.sets  },
        {"shadow",       0, OPTIONS_FLAG, &run->shadow      },
        {"report",       0, OPTIONS_FLAG, &run->report      },
        {"json",         0, OPTIONS_FLAG, &run->json        },
        {"tenant",       0, OPTIONS_TEXT, &run->tenant      },
        {"project",      0, OPTIONS_TEXT, &run->project     },
        {"request-id",   0, OPTIONS_TEXT, &run->request     },
        {"deadline",     0, OPTIONS_TEXT, &run->deadline    },
        {"record",       0, OPTIONS_TEXT, &run->record      },
        {"force",        0, OPTIONS_FLAG, &run->force       },
        {"allow-faults", 0, OPTIONS_FLAG, &run->faults      },
        {NULL,           0, OPTIONS_FLAG, NULL              },
    };

    *options = (struct options){.verb = verb, .most = -1};
    int status = options_read(options, entries, argc, argv);
    if (status == OPTIONS_GO && options->count == 0)
        return options_misused(verb, "no command is given");
    if (status == OPTIONS_GO && run->json && !run->report)
        return options_misused(verb, "--json is the form of the report; add --report");
    return status;
}

int tool_run(const struct tool_verb *verb, int argc, char **argv)
{
    struct run run = {.shadow = false};
    struct options options;
    char reason[REASON_MOST];

    int status = read_options(verb, &run, &options, argc, argv);
    if (status != OPTIONS_GO)
        return status;
    int error = program_find(options.operands[0], run.program);
    if (error < 0)
        return failed_to_start(options.operands[0], error);
    if (library_find(run.library, reason, sizeof reason) < 0) {
        output_error("run: %s", reason);
        return TOOL_FAILED;
    }
    if (program_can_be_wrapped(run.program, run.library, reason, sizeof reason) < 0) {
        if (run.force) {
            output_warn("%s; it runs bare", reason);
            return become(run.program, options.operands);
        }
        output_error("run: %s; --force runs it bare", reason);
        return TOOL_FAILED;
    }
    if (put_record(&run) < 0 || put_rules(&run) < 0 || put_context(&run) < 0 || put_deadline(&run) < 0 ||
        put_preload(&run) < 0) {
        output_error("run: %s was not started", options.operands[0]);
        return TOOL_FAILED;
    }
    return run.report ? run_with_report(&run, options.operands) : become(run.program, options.operands);
}
