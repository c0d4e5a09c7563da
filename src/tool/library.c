#include "tool/library.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY_NAME "libgusset.so"

/* Debian's folder for this machine's libraries; elsewhere ../lib and ../lib64 do. */
#if defined(__x86_64__)
#define LIBRARY_TRIPLET "/../lib/x86_64-linux-gnu"
#elif defined(__aarch64__)
#define LIBRARY_TRIPLET "/../lib/aarch64-linux-gnu"
#elif defined(__riscv)
#define LIBRARY_TRIPLET "/../lib/riscv64-linux-gnu"
#elif defined(__i386__)
#define LIBRARY_TRIPLET "/../lib/i386-linux-gnu"
#elif defined(__arm__)
#define LIBRARY_TRIPLET "/../lib/arm-linux-gnueabihf"
#elif defined(__powerpc64__)
#define LIBRARY_TRIPLET "/../lib/powerpc64le-linux-gnu"
#elif defined(__s390x__)
#define LIBRARY_TRIPLET "/../lib/s390x-linux-gnu"
#else
#define LIBRARY_TRIPLET "/../lib"
#endif

#ifndef GUSSET_LIBDIR
#define GUSSET_LIBDIR "/usr/local/lib"
#endif

/* The loader parts the entries of LD_PRELOAD at both. */
static int is_listable(const char *path, char *reason, size_t size)
{
    if (!strpbrk(path, ": \t\n"))
        return 0;
    snprintf(reason, size, "%s: LD_PRELOAD cannot name a path with a blank or a colon; move the library",
             path);
    return -1;
}

static int is_usable(const char *candidate, char path[PATH_MAX])
{
    return realpath(candidate, path) && access(path, R_OK) == 0;
}

static int own_folder(char folder[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - 1);
    if (length <= 0)
        return -1;
    folder[length] = '\0';
    char *slash = strrchr(folder, '/');
    if (!slash)
        return -1;
    *slash = '\0';
    return 0;
}

int library_find(char path[PATH_MAX], char *reason, size_t size)
{
    static const char *const beside[] = {"", "/../lib", LIBRARY_TRIPLET "/gusset", LIBRARY_TRIPLET,
                                         "/../lib64"};
    const char *named = getenv("GUSSET_LIBRARY");
    char folder[PATH_MAX], candidate[PATH_MAX + 64];

    if (named && *named) {
        if (is_usable(named, path))
            return is_listable(path, reason, size);
        snprintf(reason, size, "$GUSSET_LIBRARY names %s: %s; unset it or name " LIBRARY_NAME, named,
                 strerror(errno));
        return -1;
    }
    for (size_t i = 0; own_folder(folder) == 0 && i < sizeof beside / sizeof *beside; i++) {
        snprintf(candidate, sizeof candidate, "%s%s/" LIBRARY_NAME, folder, beside[i]);
        if (is_usable(candidate, path))
            return is_listable(path, reason, size);
    }
    if (is_usable(GUSSET_LIBDIR "/" LIBRARY_NAME, path))
        return is_listable(path, reason, size);
    snprintf(reason, size,
             LIBRARY_NAME " was found neither beside the command nor in its lib folders nor in " GUSSET_LIBDIR
                          "; name it with GUSSET_LIBRARY=/path/" LIBRARY_NAME);
    return -1;
}

/* Whether the entry is this library, or another build of it: two shims in one program would count double. */
static int is_shim(const char *entry, size_t length)
{
    static const char name[] = LIBRARY_NAME;
    size_t own = sizeof name - 1;

    if (length < own || memcmp(entry + length - own, name, own) != 0)
        return 0;
    return length == own || entry[length - own - 1] == '/';
}

char *library_preload(const char *path, const char *present)
{
    size_t length = strlen(path);
    char *value = malloc(length + (present ? strlen(present) : 0) + 2);

    if (!value)
        return NULL;
    memcpy(value, path, length + 1);
    while (present && *present) {
        size_t entry = strcspn(present, ": \t\n");
        if (entry > 0 && !is_shim(present, entry)) {
            value[length++] = ':';
            memcpy(value + length, present, entry);
            length += entry;
            value[length] = '\0';
        }
        present += entry + (present[entry] != '\0');
    }
    return value;
}
