#include "tool/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sys/elf.h"

enum { INTERPRETERS = 4, LINE_MOST = 256 }; /* the kernel reads as much of a script's first line */

/* ---- finding ---- */

static int is_runnable(const char *path)
{
    struct stat file;

    if (stat(path, &file) < 0)
        return -errno;
    if (S_ISDIR(file.st_mode))
        return -EISDIR;
    if (!S_ISREG(file.st_mode))
        return -EACCES;
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/* As execvp does, goes on behind a file that may not be run, and reports it when nothing better is found. */
int program_find(const char *name, char path[PATH_MAX])
{
    const char *folders = getenv("PATH");
    int result = -ENOENT;

    if (!*name)
        return -ENOENT;
    if (strchr(name, '/')) {
        if ((size_t)snprintf(path, PATH_MAX, "%s", name) >= PATH_MAX)
            return -ENAMETOOLONG;
        return is_runnable(path);
    }
    for (const char *at = folders ? folders : "/bin:/usr/bin";; at++) {
        int length = (int)strcspn(at, ":");
        if (snprintf(path, PATH_MAX, "%.*s/%s", length ? length : 1, length ? at : ".", name) < PATH_MAX) {
            int found = is_runnable(path);
            if (found == 0)
                return 0;
            if (found == -EACCES)
                result = found;
        }
        at += length;
        if (!*at)
            return result;
    }
}

/* ---- privileges ---- */

/*
 * What makes the kernel mark the program as privileged (AT_SECURE), so that the loader drops foreign
 * libraries.
 */
static const char *privilege_of(const char *path)
{
    struct stat file;
    struct statvfs mount;

    if (stat(path, &file) < 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return NULL;
    if (statvfs(path, &mount) == 0 && mount.f_flag & ST_NOSUID)
        return NULL;
    if (file.st_mode & S_ISUID && file.st_uid != getuid())
        return "setuid";
    if ((file.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && file.st_gid != getgid())
        return "setgid";
    if (getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0)
        return "given capabilities by its file";
    return NULL;
}

/* ---- ELF ---- */

static bool has_interpreter(const struct elf *elf)
{
    struct elf_segment segment;
    return !elf->machine ||
           elf_segment_of(elf, PT_INTERP, &segment); /* of another byte order nobody can tell */
}

/* `ld-linux-x86-64.so.2 PROGRAM` has no interpreter and yet heeds LD_PRELOAD. */
static bool is_loader(const char *path)
{
    static const char *const names[] = {"ld-linux", "ld-musl", "ld.so", "ld-2.", "ld64.so"};
    char real[PATH_MAX];
    const char *name = realpath(path, real) ? strrchr(real, '/') + 1 : path;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static const char *bits_of(const struct elf *elf)
{
    return elf->class == ELFCLASS32 ? "32-bit" : "64-bit";
}

static const char *machine_of(const struct elf *elf)
{
    switch (elf->machine) {
    case EM_386:
        return "i386";
    case EM_X86_64:
        return "x86-64";
    case EM_ARM:
        return "ARM";
    case EM_AARCH64:
        return "AArch64";
    case EM_RISCV:
        return "RISC-V";
    case EM_PPC64:
        return "PowerPC";
    case EM_S390:
        return "S/390";
    }
    return "another machine's";
}

static int check_elf(const char *path, const struct elf *elf, const char *library, char *reason, size_t size)
{
    const char *privilege = privilege_of(path);
    struct elf own;

    if (privilege) {
        snprintf(reason, size,
                 "%s is %s, and the loader keeps foreign libraries out of privileged programs; run it "
                 "as a user for whom it is not",
                 path, privilege);
        return -1;
    }
    if (elf_open(&own, library) == 0)
        elf_close(&own);
    else
        own = *elf; /* whoever found the library has to say what is wrong with it */
    if (own.class != elf->class || own.order != elf->order || own.machine != elf->machine) {
        snprintf(reason, size,
                 "%s is a program of another architecture (%s, %s) than libgusset.so (%s, %s); name a "
                 "library of its kind with GUSSET_LIBRARY",
                 path, bits_of(elf), machine_of(elf), bits_of(&own), machine_of(&own));
        return -1;
    }
    if (!has_interpreter(elf) && !is_loader(path)) {
        snprintf(reason, size,
                 "%s is statically linked, so the loader never sees it; use a dynamically linked build",
                 path);
        return -1;
    }
    return 0;
}

/* ---- scripts ---- */

/* The first two words behind "#!". False when it is no script that names an interpreter. */
static bool read_script(const char *path, char interpreter[LINE_MOST], char argument[LINE_MOST])
{
    char line[LINE_MOST + 1], third[LINE_MOST];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t length = fd < 0 ? -1 : read(fd, line, LINE_MOST);

    if (fd >= 0)
        close(fd);
    if (length < 3 || line[0] != '#' || line[1] != '!')
        return false;
    line[length] = '\0';
    line[strcspn(line, "\n")] = '\0';
    argument[0] = third[0] = '\0';
    int words = sscanf(line + 2, " %255s %255s %255s", interpreter, argument, third);
    if (strcmp(argument, "-S") == 0) /* env's own option: the words that follow are the command */
        strcpy(argument, third);
    return words >= 1;
}

/* `#!/usr/bin/env python3` ends in python3: that is whom to look at. */
static bool is_env(const char *interpreter)
{
    const char *slash = strrchr(interpreter, '/');
    return strcmp(slash ? slash + 1 : interpreter, "env") == 0;
}

bool program_resolve(const char *path, char binary[PATH_MAX])
{
    char interpreter[LINE_MOST], argument[LINE_MOST];
    struct elf elf;

    snprintf(binary, PATH_MAX, "%s", path);
    for (int i = 0; i <= INTERPRETERS; i++) {
        if (elf_open(&elf, binary) == 0) {
            elf_close(&elf);
            return true;
        }
        if (!read_script(binary, interpreter, argument))
            return false; /* execvp hands it to the shell; or it cannot be read, and so not be judged */
        if (!is_env(interpreter))
            snprintf(binary, PATH_MAX, "%s", interpreter);
        else if (!argument[0] || argument[0] == '-' || strchr(argument, '=') ||
                 program_find(argument, binary) < 0)
            return false;
    }
    return false;
}

int program_can_be_wrapped(const char *path, const char *library, char *reason, size_t size)
{
    char binary[PATH_MAX];
    struct elf elf;

    if (!program_resolve(path, binary) || elf_open(&elf, binary) < 0)
        return 0;
    int result = check_elf(binary, &elf, library, reason, size);
    elf_close(&elf);
    return result;
}
