#include "tool/others.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "tool/output.h"

enum { NAMED_MOST = 3 };

/* What stands behind the user's number in "gusset-UID.vN"; NULL where a name is another one. */
static const char *behind_user(const char *name)
{
    static const char start[] = "gusset-";
    size_t digits;

    if (strncmp(name, start, sizeof start - 1) != 0)
        return NULL;
    name += sizeof start - 1;
    digits = strspn(name, "0123456789");
    return digits && strncmp(name + digits, ".v", 2) == 0 ? name + digits : NULL;
}

static bool is_another(const char *name, const char *own)
{
    const char *end = behind_user(name);
    return end && strcmp(end, behind_user(own)) == 0 && strcmp(name, own) != 0;
}

void others_tell(FILE *to, const char *state, const char *verb)
{
    const char *own = strrchr(state, '/');
    char folder[PATH_MAX], path[2 * PATH_MAX], first[2 * PATH_MAX] = "";
    unsigned count = 0;

    if (!own || !behind_user(++own))
        return;
    snprintf(folder, sizeof folder, "%.*s", (int)(own - state), state);
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (!is_another(entry->d_name, own))
            continue;
        snprintf(path, sizeof path, "%s%s", folder, entry->d_name);
        if (access(path, R_OK | W_OK) < 0)
            continue;
        if (count++ == 0)
            strcpy(first, path);
        if (count <= NAMED_MOST)
            fprintf(to, "%s%s", count == 1 ? "other users have states of their own: " : ", ", path);
    }
    if (entries)
        closedir(entries);
    if (count)
        fprintf(to, "%s; `gusset %s --state %s` is about that one\n", count > NAMED_MOST ? ", ..." : "", verb,
                first);
}
