#include "loader/deep.h"

#include <dlfcn.h>
#include <elf.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/elf.h"
#include "sys/linker.h"

/* How far is looked: what a library brings along, and in all. Beyond that the object is left alone. */
enum { LEVELS_MOST = 4, FILES_MOST = 64, NAME_MOST = 256 };

struct look {
    const Dl_serinfo *folders; /* where the loader searches for the caller; NULL: unknown */
    unsigned files;
};

static const char *file_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_libcurl(const char *name)
{
    return strncmp(file_of(name), "libcurl", 7) == 0 && strstr(name, ".so");
}

static int is_file(struct dl_phdr_info *info, size_t size, void *name)
{
    (void)size;
    return strcmp(file_of(info->dlpi_name), name) == 0;
}

/* What is loaded is bound already, one way or the other. */
static bool is_loaded(const char *name)
{
    return dl_iterate_phdr(is_file, (void *)(uintptr_t)name) != 0;
}

/* The folders in which the loader would search for a library that the caller opens; to be freed. */
static Dl_serinfo *folders_of(const void *caller)
{
    Dl_info info;
    Dl_serinfo size, *folders;
    struct link_map *map = NULL;

    if (!dladdr1(caller, &info, (void **)&map, RTLD_DL_LINKMAP) || !map ||
        linker_info(map, RTLD_DI_SERINFOSIZE, &size) < 0)
        return NULL;
    folders = malloc(size.dls_size);
    if (!folders)
        return NULL;
    if (linker_info(map, RTLD_DI_SERINFOSIZE, folders) < 0 ||
        linker_info(map, RTLD_DI_SERINFO, folders) < 0) {
        free(folders);
        return NULL;
    }
    return folders;
}

static bool open_in(struct elf *elf, const char *folder, int length, const char *rest, const char *name,
                    char path[PATH_MAX])
{
    return snprintf(path, PATH_MAX, "%.*s%s/%s", length, folder, rest, name) < PATH_MAX &&
           elf_open(elf, path) == 0;
}

/* The folders of the object's own run path; only $ORIGIN is expanded, the other words are rare. */
static bool open_beside(struct elf *elf, const char *needer, const char *run_path, const char *name,
                        char path[PATH_MAX])
{
    char origin[PATH_MAX];

    snprintf(origin, sizeof origin, "%.*s", (int)(file_of(needer) - needer), needer);
    for (const char *at = run_path; *at; at += *at == ':') {
        int length = (int)strcspn(at, ":");
        int word = strncmp(at, "$ORIGIN", 7) == 0 ? 7 : strncmp(at, "${ORIGIN}", 9) == 0 ? 9 : 0;
        char rest[PATH_MAX];
        snprintf(rest, sizeof rest, "%.*s", length - word, at + word);
        if (length && open_in(elf, word ? origin : "", word ? (int)strlen(origin) : 0, rest, name, path))
            return true;
        at += length;
    }
    return false;
}

static bool open_library(const struct look *look, struct elf *elf, const char *needer, const char *run_path,
                         const char *name, char path[PATH_MAX])
{
    if (strchr(name, '/'))
        return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX && elf_open(elf, path) == 0;
    if (open_beside(elf, needer, run_path, name, path))
        return true;
    for (unsigned i = 0; look->folders && i < look->folders->dls_cnt; i++) {
        const char *folder = look->folders->dls_serpath[i].dls_name;
        if (open_in(elf, folder, (int)strlen(folder), "", name, path))
            return true;
    }
    return false;
}

/* Depth first; a cycle ends at the bounds. */
static bool needs_curl(struct look *look, const struct elf *elf, const char *path, int level)
{
    char name[NAME_MOST], run_path[PATH_MAX] = "", inner_path[PATH_MAX];
    uint64_t at = elf_dynamic_of(elf, DT_RUNPATH);
    struct elf inner;

    for (unsigned i = 0; elf_needs(elf, i, name, sizeof name); i++)
        if (is_libcurl(name))
            return true;
    if (level == LEVELS_MOST)
        return false;
    if (!elf_string(elf, at ? at : elf_dynamic_of(elf, DT_RPATH), run_path, sizeof run_path))
        run_path[0] = '\0';
    for (unsigned i = 0; look->files < FILES_MOST && elf_needs(elf, i, name, sizeof name); i++) {
        if (is_loaded(file_of(name)) || !open_library(look, &inner, path, run_path, name, inner_path))
            continue;
        look->files++;
        bool found = needs_curl(look, &inner, inner_path, level + 1);
        elf_close(&inner);
        if (found)
            return true;
    }
    return false;
}

bool deep_binds_curl(const char *file, const void *caller)
{
    char path[PATH_MAX];
    struct elf elf;

    if (is_libcurl(file))
        return true;
    Dl_serinfo *folders = folders_of(caller);
    struct look look = {.folders = folders};
    bool found = false;
    if (open_library(&look, &elf, "", "", file, path)) {
        found = needs_curl(&look, &elf, path, 0);
        elf_close(&elf);
    }
    free(folders);
    return found;
}
