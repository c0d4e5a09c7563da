#include "tool/running.h"

#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/layout.h"
#include "sys/elf.h"

size_t running_read(pid_t pid, const char *name, char *text)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "re");
    size_t length = file ? fread(text, 1, RUNNING_FILE_MOST - 1, file) : 0;
    if (file)
        fclose(file);
    text[length] = '\0';
    return length;
}

const char *running_variable(const char *environment, size_t length, const char *name)
{
    size_t own = strlen(name);

    for (const char *at = environment; at < environment + length; at += strlen(at) + 1)
        if (strncmp(at, name, own) == 0 && at[own] == '=')
            return at + own + 1;
    return NULL;
}

static bool is_narrow(pid_t pid)
{
    char path[64];
    struct elf elf;

    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    if (elf_open(&elf, path) < 0)
        return false;
    elf_close(&elf);
    return elf.class == ELFCLASS32;
}

/* The words of auxv are as wide as the process's. */
static uint64_t word_at(const char *text, size_t width)
{
    uint32_t narrow;
    uint64_t wide;

    memcpy(&narrow, text, sizeof narrow);
    if (width == sizeof narrow)
        return narrow;
    memcpy(&wide, text, sizeof wide);
    return wide;
}

bool running_is_secure(pid_t pid)
{
    static char text[RUNNING_FILE_MOST];
    size_t length = running_read(pid, "auxv", text);
    size_t width = is_narrow(pid) ? sizeof(uint32_t) : sizeof(uint64_t);

    for (size_t at = 0; at + 2 * width <= length; at += 2 * width)
        if (word_at(text + at, width) == AT_SECURE)
            return word_at(text + at + width, width) != 0;
    return false;
}

bool running_is_confined(pid_t pid)
{
    static char text[RUNNING_FILE_MOST];

    running_read(pid, "status", text);
    const char *line = strstr(text, "\nSeccomp:");
    return line && atoi(line + 9) != 0;
}

bool running_is_in_other_mounts(pid_t pid)
{
    char path[64], own[64] = "", its[64] = "";

    snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)pid);
    return readlink("/proc/self/ns/mnt", own, sizeof own - 1) > 0 &&
           readlink(path, its, sizeof its - 1) > 0 && strcmp(own, its) != 0;
}

/* Whether the file at path is a state, and the one of this number. */
static bool is_state(const char *path, unsigned long long inode)
{
    char magic[sizeof((struct layout_header *)0)->magic];
    struct stat stat;
    bool result = false;

    if (lstat(path, &stat) < 0 || !S_ISREG(stat.st_mode) || stat.st_ino != inode)
        return false; /* nor is a device opened to look at it */
    FILE *file = fopen(path, "re");
    if (file) {
        result = fread(magic, sizeof magic, 1, file) == 1 && memcmp(magic, LAYOUT_MAGIC, sizeof magic) == 0;
        fclose(file);
    }
    return result;
}

/* Who makes a state maps it before it has a name: then that is found where the process would look for it. */
static bool is_named_state(pid_t pid, unsigned long long inode, char path[PATH_MAX])
{
    static char text[RUNNING_FILE_MOST];
    const char *wished = running_variable(text, running_read(pid, "environ", text), "GUSSET_STATE");
    struct stat process;
    char folder[64];

    if (is_state(path, inode))
        return true;
    if (wished && snprintf(path, PATH_MAX, "%s", wished) < PATH_MAX && is_state(path, inode))
        return true;
    snprintf(folder, sizeof folder, "/proc/%d", (int)pid);
    if (stat(folder, &process) < 0)
        return false;
    snprintf(path, PATH_MAX, "/dev/shm/gusset-%u.v%u", process.st_uid, (unsigned)LAYOUT_VERSION);
    return is_state(path, inode);
}

bool running_state(pid_t pid, char path[PATH_MAX])
{
    char line[PATH_MAX + 128], rights[8];
    unsigned long long inode;
    bool is_found = false;

    snprintf(line, sizeof line, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(line, "re");
    while (maps && !is_found && fgets(line, sizeof line, maps)) {
        char *at = strchr(line, '/');
        if (!at || sscanf(line, "%*s %7s %*s %*s %llu", rights, &inode) != 2 || rights[3] != 's')
            continue;
        snprintf(path, PATH_MAX, "%.*s", (int)strcspn(at, "\n"), at);
        is_found = is_named_state(pid, inode, path);
    }
    if (maps)
        fclose(maps);
    return is_found;
}
