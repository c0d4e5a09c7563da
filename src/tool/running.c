#include "tool/running.h"

#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
