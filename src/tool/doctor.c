/*
 * Says beforehand which calls of a program, a library or a running process gusset will see, and why not;
 * and what to do next.
 */
#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/elf.h"
#include "tool/cover.h"
#include "tool/grid.h"
#include "tool/json.h"
#include "tool/library.h"
#include "tool/nested.h"
#include "tool/objects.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/program.h"
#include "tool/reach.h"
#include "tool/running.h"

enum { FULL = 0, PARTLY = 1, NONE = 2, REASON_MOST = PATH_MAX + 256 };

struct patient {
    const char *name;
    pid_t pid;              /* 0: no process */
    char path[PATH_MAX];    /* what was asked for; of a process: what it runs */
    char binary[PATH_MAX];  /* the interpreter of a script */
    char library[PATH_MAX]; /* libgusset.so */
    bool is_library, is_wrapped;
    struct reach reach;
};

/* ---- a running process ---- */

/* What a process has mapped of a file that is on no path any more, by the length of its path; or 0. */
static size_t replaced(const char *path)
{
    static const char mark[] = " (deleted)";
    size_t length = strlen(path), own = sizeof mark - 1;

    if (length <= own || strcmp(path + length - own, mark) != 0 || strncmp(path, "/memfd:", 7) == 0 ||
        strncmp(path, "/dev/", 5) == 0)
        return 0;
    return length - own;
}

static const char *mapped(const struct objects *objects, const char *name)
{
    for (unsigned i = 0; i < objects->count; i++)
        if (strncmp(objects_name(objects->paths[i]), name, strlen(name)) == 0)
            return objects->paths[i];
    return NULL;
}

/* Orders and figures are of the state that holds here, unless another is named. */
static void note_state(struct reach *reach, pid_t pid)
{
    struct open_state here;
    char path[PATH_MAX];

    if (running_state(pid, path) && open_find(&here, NULL) == 0 && strcmp(path, here.path) != 0)
        reach_note(reach, "its state is %s: status, events, off … take it by --state", path);
}

static void look_at_life(struct patient *patient, bool is_mapped)
{
    static char environment[RUNNING_FILE_MOST];
    struct reach *reach = &patient->reach;
    size_t length = running_read(patient->pid, "environ", environment);
    const char *preload = running_variable(environment, length, "LD_PRELOAD");
    const char *mode = running_variable(environment, length, "GUSSET_MODE");

    if (is_mapped && running_is_secure(patient->pid))
        reach_none(reach,
                   "it runs with more privileges than its caller had, and there gusset keeps out by itself");
    else if (!is_mapped && running_is_secure(patient->pid))
        reach_none(reach, "it runs with more privileges than its caller had, and the loader kept gusset out");
    else if (!is_mapped && preload && strstr(preload, "libgusset.so"))
        reach_none(
            reach,
            "its LD_PRELOAD names libgusset.so, which the loader did not load: another architecture, or "
            "a path that the process cannot read");
    else if (!is_mapped)
        reach_none(reach,
                   "it was started without gusset; a preload library cannot be put in later: restart it "
                   "with `gusset run -- COMMAND`");
    if (is_mapped && mode && strcmp(mode, "off") == 0)
        reach_note(reach, "GUSSET_MODE=off stands in its environment: it changes nothing there");
    if (is_mapped && running_is_confined(patient->pid))
        reach_note(reach,
                   "it is confined by seccomp: where the shared state cannot be opened, it remembers for "
                   "itself alone");
    if (is_mapped && running_is_in_other_mounts(patient->pid))
        reach_note(
            reach,
            "it sees other mounts (a container): its state may be another than that of `gusset status`");
    if (is_mapped)
        note_state(reach, patient->pid);
}

/* An upgrade replaces files under a process: what others of them call cannot be read; our own goes on as it
 * is. */
static void look_for_replaced(struct patient *patient, const struct objects *objects, const char *library)
{
    if (library && replaced(library))
        reach_note(
            &patient->reach,
            "its libgusset.so has been removed or replaced since it began: it goes on with the one that it "
            "has, and takes the new one when it is restarted");
    for (unsigned i = 0; i < objects->count; i++) {
        const char *path = objects->paths[i];
        size_t length = replaced(path);
        if (length == 0 || path == library)
            continue;
        reach_note(&patient->reach,
                   "%.*s has been removed or replaced since the process began: what it calls cannot be "
                   "seen; restart the process",
                   (int)length, path);
        return;
    }
}

static int examine_process(struct patient *patient)
{
    struct objects objects = {0};
    char link[64];

    snprintf(link, sizeof link, "/proc/%d/exe", (int)patient->pid);
    ssize_t length = readlink(link, patient->path, PATH_MAX - 1);
    int error = length < 0 ? -errno : objects_of_process(&objects, patient->pid);
    if (error < 0) {
        output_error("doctor: process %d: %s", (int)patient->pid,
                     error == -EACCES || error == -EPERM
                         ? "it is somebody else's; ask as that user or as root"
                     : error == -ENOENT ? "there is no such process, or it is one of the kernel's"
                                        : strerror(-error));
        return -1;
    }
    patient->path[length] = '\0';
    snprintf(patient->binary, PATH_MAX, "%s", patient->path);
    const char *library = mapped(&objects, "libgusset.so");
    patient->is_wrapped = library;
    if (library && !replaced(library)) /* else the one that is here has to speak for it */
        snprintf(patient->library, PATH_MAX, "%s", library);
    for (unsigned i = 1; i < objects.count; i++) /* what it runs comes first, wherever it is mapped */
        if (strcmp(objects.paths[i], patient->path) == 0) {
            char *first = objects.paths[0];
            objects.paths[0] = objects.paths[i];
            objects.paths[i] = first;
        }
    reach_judge(&patient->reach, &objects, patient->library, true);
    look_for_replaced(patient, &objects, library);
    look_at_life(patient, library);
    objects_clear(&objects);
    return 0;
}

/* ---- a file ---- */

static bool is_shared_object(const char *path)
{
    struct elf elf;
    struct elf_segment segment;

    if (elf_open(&elf, path) < 0)
        return false;
    bool result = elf.type == ET_DYN && elf.dynamic && !elf_segment_of(&elf, PT_INTERP, &segment) &&
                  strstr(objects_name(path), ".so");
    elf_close(&elf);
    return result;
}

static int find(struct patient *patient)
{
    if (strchr(patient->name, '/') && access(patient->name, R_OK) == 0 && is_shared_object(patient->name)) {
        snprintf(patient->path, PATH_MAX, "%s", patient->name);
        patient->is_library = true;
        return 0;
    }
    int error = program_find(patient->name, patient->path);
    if (error < 0)
        output_error("doctor: %s: %s", patient->name,
                     error == -ENOENT ? "not found; check the spelling and $PATH" : strerror(-error));
    return error;
}

static int examine_file(struct patient *patient)
{
    struct objects objects = {0};
    char reason[REASON_MOST];

    if (find(patient) < 0)
        return -1;
    if (!program_resolve(patient->path, patient->binary)) {
        snprintf(patient->binary, PATH_MAX, "%s", "/bin/sh");
        reach_note(
            &patient->reach,
            "it is no program of its own, and no interpreter that it names can be found: judged as the "
            "shell's");
    }
    objects_of_file(&objects, patient->binary);
    reach_judge(&patient->reach, &objects, patient->library, false);
    if (!patient->is_library && !patient->reach.is_go &&
        program_can_be_wrapped(patient->path, patient->library, reason, sizeof reason) < 0)
        reach_none(&patient->reach, reason);
    else
        patient->is_wrapped = !patient->reach.is_go;
    if (strcmp(patient->binary, patient->path) != 0)
        reach_note(&patient->reach, "it is a script: what was looked at is %s", patient->binary);
    objects_clear(&objects);
    return 0;
}

/* ---- telling ---- */

static int result_of(const struct reach *reach)
{
    unsigned seen = 0, missed = 0;

    for (int way = 0; way < REACH_WAYS; way++) {
        enum reach_level level = reach->levels[way];
        seen += level == REACH_SEEN || level == REACH_LATER || level == REACH_PARTLY;
        missed += level == REACH_MISSED || level == REACH_PARTLY;
    }
    return !seen ? NONE : missed ? PARTLY : FULL;
}

static const char *const results[] = {[FULL] = "full", [PARTLY] = "partly", [NONE] = "none"};

/* Its retries and ours, where what was counted says so: of a process in the state that it was told to use. */
static void tell_of_retries(struct patient *patient)
{
    static char environment[RUNNING_FILE_MOST];
    size_t length = patient->pid ? running_read(patient->pid, "environ", environment) : 0;
    const char *state = running_variable(environment, length, "GUSSET_STATE");

    nested_note(&patient->reach, state && *state == '/' ? state : NULL);
}

/* By the configuration that a process was started with, or the one that holds here. */
static void tell_of_rules(struct patient *patient)
{
    static char environment[RUNNING_FILE_MOST];
    size_t length = patient->pid ? running_read(patient->pid, "environ", environment) : 0;

    cover_note(&patient->reach, objects_name(patient->path),
               running_variable(environment, length, "GUSSET_CONFIG"));
}

static void advise(struct patient *patient, int result)
{
    struct reach *reach = &patient->reach;
    bool is_idle = true, has_curl = reach->levels[REACH_EASY] != REACH_UNUSED;

    if (result != NONE) {
        tell_of_retries(patient);
        tell_of_rules(patient);
    }

    for (int way = 0; way < REACH_WAYS; way++)
        is_idle = is_idle && reach->levels[way] == REACH_UNUSED;
    if (is_idle)
        reach_note(reach, "it calls neither libcurl nor connect() itself: there is nothing to harden in it");
    if (!has_curl && !patient->is_library) /* a shell and its curl, git and its git-remote-http */
        reach_note(reach,
                   "programs that it starts are wrapped with it; `gusset doctor` judges each by itself");
    if (result == NONE)
        return;
    if (patient->pid)
        reach_note(reach, "next: `gusset status` shows what was done, `gusset events -f` what is being done");
    else if (patient->is_library)
        reach_note(reach, "next: run the program that loads it with `gusset run -- PROGRAM`");
    else
        reach_note(reach, "next: gusset run --report -- %s", patient->name);
}

static enum output_style style_of(enum reach_level level)
{
    switch (level) {
    case REACH_SEEN:
        return OUTPUT_GOOD;
    case REACH_PARTLY:
        return OUTPUT_DOUBTFUL;
    case REACH_MISSED:
        return OUTPUT_BAD;
    case REACH_UNUSED:
    case REACH_LATER:
        break;
    }
    return OUTPUT_DIM;
}

static void print(struct patient *patient)
{
    static const struct grid_column columns[] = {
        {"CALLS", false},
        {"",      false},
        {"WHY",   false}
    };
    const struct reach *reach = &patient->reach;
    struct grid grid;

    if (patient->pid)
        printf("process %d: ", (int)patient->pid);
    printf("%s%s%s\n", output_clean(patient->path), reach->libcurl[0] ? ", with " : "", reach->libcurl);
    grid_init(&grid, columns, 3);
    for (int way = 0; way < REACH_WAYS; way++) {
        enum reach_level level = reach->levels[way];
        grid_add(&grid, OUTPUT_PLAIN, "%s", reach_way_name((enum reach_way)way));
        grid_add(&grid, style_of(level), "%s", reach_level_name(level));
        grid_add(&grid, OUTPUT_PLAIN, "%s", reach->whys[way]);
    }
    grid_print(&grid, stdout);
    grid_clear(&grid);
    for (unsigned i = 0; i < reach->note_count; i++)
        printf("- %s\n", output_clean(patient->reach.notes[i]));
}

static void print_json(const struct patient *patient, int result)
{
    struct json json = {.to = stdout};
    const struct reach *reach = &patient->reach;

    json_object(&json, NULL);
    json_text(&json, "path", patient->path);
    if (patient->pid)
        json_number(&json, "pid", (uint64_t)patient->pid);
    json_text(&json, "binary", patient->binary);
    json_text(&json, "result", results[result]);
    json_bool(&json, "wrapped", patient->is_wrapped);
    if (reach->libcurl[0])
        json_text(&json, "libcurl", reach->libcurl);
    else
        json_null(&json, "libcurl");
    for (int way = 0; way < REACH_WAYS; way++) {
        json_object(&json, reach_way_name((enum reach_way)way));
        json_text(&json, "level", reach_level_name(reach->levels[way]));
        json_text(&json, "why", reach->whys[way]);
        json_end_object(&json);
    }
    json_array(&json, "notes");
    for (unsigned i = 0; i < reach->note_count; i++)
        json_text(&json, NULL, reach->notes[i]);
    json_end_array(&json);
    json_end_object(&json);
    putchar('\n');
}

int tool_doctor(const struct tool_verb *verb, int argc, char **argv)
{
    bool is_json = false;
    const struct options_entry entries[] = {
        {"json", 0, OPTIONS_FLAG, &is_json},
        {NULL,   0, OPTIONS_FLAG, NULL    },
    };
    struct options options = {.verb = verb, .most = 1};
    static struct patient patient;
    char reason[REASON_MOST];
    uint32_t pid = 0;

    int status = options_read(&options, entries, argc, argv);
    if (status != OPTIONS_GO)
        return status;
    if (options.count == 0)
        return options_misused(verb, "no program is given");
    patient.name = options.operands[0];
    if (library_find(patient.library, reason, sizeof reason) < 0) {
        output_error("doctor: %s", reason);
        return TOOL_FAILED;
    }
    if (isdigit((unsigned char)*patient.name) && options_number(patient.name, INT_MAX, &pid) && pid)
        patient.pid = (pid_t)pid;
    if ((patient.pid ? examine_process(&patient) : examine_file(&patient)) < 0)
        return TOOL_FAILED;
    int result = result_of(&patient.reach);
    advise(&patient, result);
    if (is_json)
        print_json(&patient, result);
    else
        print(&patient);
    return result;
}
