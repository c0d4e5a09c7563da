#include "loader/deep.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/rebind.h"
#include "sys/elf.h"
#include "sys/linker.h"
#include "sys/module.h"

static bool has_run_path(const struct link_map *map)
{
    for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_RUNPATH || entry->d_tag == DT_RPATH)
            return true;
    return false;
}

/* The folders in which the loader would search for a library that the object opens; to be freed. */
static Dl_serinfo *folders_of(const struct link_map *object)
{
    Dl_serinfo size, *folders;
    void *map = (void *)object; /* a handle of the loader's */

    if (linker_info(map, RTLD_DI_SERINFOSIZE, &size) < 0)
        return NULL;
    folders = malloc(size.dls_size);
    if (folders && (linker_info(map, RTLD_DI_SERINFOSIZE, folders) < 0 ||
                    linker_info(map, RTLD_DI_SERINFO, folders) < 0)) {
        free(folders);
        folders = NULL;
    }
    return folders;
}

static bool is_object(const char *path)
{
    struct elf elf;

    if (elf_open(&elf, path) < 0)
        return false;
    elf_close(&elf);
    return true;
}

static bool find_in(const Dl_serinfo *folders, const char *file, char path[PATH_MAX])
{
    for (unsigned i = 0; i < folders->dls_cnt; i++)
        if (snprintf(path, PATH_MAX, "%s/%s", folders->dls_serpath[i].dls_name, file) < PATH_MAX &&
            is_object(path))
            return true;
    return false;
}

/* What bears the name already is it, before any search path is looked at. */
static bool is_loaded(const char *file)
{
    void *library = linker_open(file, RTLD_LAZY | RTLD_NOLOAD);

    if (library)
        linker_close(library);
    return library;
}

/* The file by another name that means the same to everybody; the name itself where it does. */
static const char *for_everybody(const char *file, const void *caller, char path[PATH_MAX])
{
    const struct link_map *map = strchr(file, '/') ? NULL : module_at(caller);

    if (!map || !has_run_path(map) || is_loaded(file))
        return file;
    Dl_serinfo *folders = folders_of(map);
    bool is_found = folders && find_in(folders, file, path);
    free(folders);
    return is_found ? path : file;
}

bool deep_open(const char *file, int mode, const void *caller, void **library)
{
    char path[PATH_MAX];

    if (strchr(file, '$')) /* $ORIGIN is the caller's */
        return false;
    *library = linker_open(for_everybody(file, caller, path), mode);
    if (*library)
        rebind_library(*library);
    return true;
}
