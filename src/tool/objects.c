#include "tool/objects.h"

#include <elf.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/elf.h"
#include "tool/output.h"

enum { LINE_MOST = PATH_MAX + 128, NAME_MOST = 512, CONF_DEEP = 4 };

const char *objects_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void add(struct objects *objects, const char *path)
{
    char **paths;

    for (unsigned i = 0; i < objects->count; i++)
        if (strcmp(objects->paths[i], path) == 0)
            return;
    paths = realloc(objects->paths, (objects->count + 1) * sizeof *paths);
    if (!paths)
        output_die("out of memory");
    objects->paths = paths;
    if (!(paths[objects->count++] = strdup(path)))
        output_die("out of memory");
}

void objects_clear(struct objects *objects)
{
    for (unsigned i = 0; i < objects->count; i++)
        free(objects->paths[i]);
    free(objects->paths);
    *objects = (struct objects){0};
}

/* ---- as the loader searches ---- */

static bool fits(const struct elf *program, const char *path)
{
    struct elf elf;
    bool result = elf_open(&elf, path) == 0;

    if (!result)
        return false;
    result = elf.class == program->class && elf.machine == program->machine;
    elf_close(&elf);
    return result;
}

/* In a list of folders parted by colons; $ORIGIN is the needer's folder. */
static bool find_in(const struct elf *program, const char *folders, const char *needer, const char *name,
                    char path[PATH_MAX])
{
    for (; *folders; folders += *folders == ':') {
        int length = (int)strcspn(folders, ":");
        int word = strncmp(folders, "$ORIGIN", 7) == 0 ? 7 : strncmp(folders, "${ORIGIN}", 9) == 0 ? 9 : 0;
        int origin = word ? (int)(objects_name(needer) - needer) : 0;
        if (length &&
            snprintf(path, PATH_MAX, "%.*s%.*s/%s", origin, needer, length - word, folders + word, name) <
                PATH_MAX &&
            fits(program, path))
            return true;
        folders += length;
    }
    return false;
}

static bool find_by_conf(const struct elf *program, const char *conf, const char *name, char path[PATH_MAX],
                         int deep);

static bool find_by_line(const struct elf *program, char *line, const char *name, char path[PATH_MAX],
                         int deep)
{
    glob_t files = {0};
    bool found = false;

    line[strcspn(line, "#\n")] = '\0';
    if (line[0] == '/')
        return snprintf(path, PATH_MAX, "%s/%s", line, name) < PATH_MAX && fits(program, path);
    if (strncmp(line, "include ", 8) != 0 || glob(line + 8, 0, NULL, &files) != 0)
        return false;
    for (size_t i = 0; i < files.gl_pathc && !found; i++)
        found = find_by_conf(program, files.gl_pathv[i], name, path, deep + 1);
    globfree(&files);
    return found;
}

/* The folders of ld.so.conf, from which ldconfig makes the loader's cache. */
static bool find_by_conf(const struct elf *program, const char *conf, const char *name, char path[PATH_MAX],
                         int deep)
{
    char line[LINE_MOST];
    FILE *file = deep < CONF_DEEP ? fopen(conf, "re") : NULL;
    bool found = false;

    while (file && !found && fgets(line, sizeof line, file))
        found = find_by_line(program, line, name, path, deep);
    if (file)
        fclose(file);
    return found;
}

static bool find(const struct elf *program, const struct elf *needer, const char *needer_path,
                 const char *name, char path[PATH_MAX])
{
    char run_path[PATH_MAX] = "";
    const char *wish = getenv("LD_LIBRARY_PATH");
    uint64_t at = elf_dynamic_of(needer, DT_RUNPATH);

    if (strchr(name, '/'))
        return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX && fits(program, path);
    if (!elf_string(needer, at ? at : elf_dynamic_of(needer, DT_RPATH), run_path, sizeof run_path))
        run_path[0] = '\0';
    return find_in(program, run_path, needer_path, name, path) ||
           (wish && find_in(program, wish, "", name, path)) ||
           find_by_conf(program, "/etc/ld.so.conf", name, path, 0) ||
           find_in(program, "/lib64:/usr/lib64:/lib:/usr/lib", "", name, path);
}

void objects_of_file(struct objects *objects, const char *path)
{
    struct elf program, elf;
    char name[NAME_MOST], found[PATH_MAX], real[PATH_MAX];

    if (elf_open(&program, path) < 0)
        return;
    add(objects, path);
    for (unsigned i = 0; i < objects->count; i++) { /* the list grows as it is walked */
        if (elf_open(&elf, objects->paths[i]) < 0)
            continue;
        for (unsigned k = 0; elf_needs(&elf, k, name, sizeof name); k++)
            if (find(&program, &elf, objects->paths[i], name, found) && realpath(found, real))
                add(objects, real);
        elf_close(&elf);
    }
    elf_close(&program);
}

/* ---- as a process has it ---- */

int objects_of_process(struct objects *objects, pid_t pid)
{
    char line[LINE_MOST];

    snprintf(line, sizeof line, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(line, "re");
    if (!maps)
        return -errno;
    while (fgets(line, sizeof line, maps)) {
        char *path = strchr(line, '/'), *rights = strchr(line, ' ');
        if (!path || !rights || rights[3] != 'x')
            continue;
        path[strcspn(path, "\n")] = '\0';
        add(objects, path);
    }
    int error = ferror(maps) ? -EACCES : 0;
    fclose(maps);
    return error;
}
