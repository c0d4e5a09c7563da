#include "config/wish.h"

#include <stdlib.h>
#include <string.h>

static bool exists(const char *path)
{
    struct source_identity identity;
    if (path[0] == 0)
        return false;
    source_identify(path, &identity);
    return identity.inode != 0;
}

static bool says(const char *text)
{
    return text && text[0];
}

bool wish_has_file(const struct source_request *request, const struct source_paths *paths)
{
    return says(request->named) || exists(paths->user) || exists(paths->system);
}

/* Whether the policy was assumed, and this process has a file: nobody asked for that policy. */
static bool is_overruled(const struct source_request *request)
{
    if (!request->is_assumed)
        return false;
    struct source_paths *paths = source_paths_open();
    if (!paths)
        return false;
    bool is_found = source_find(request, paths) == 0 && wish_has_file(request, paths);
    source_paths_close(paths);
    return is_found;
}

void wish_settle(struct source_request *request)
{
    if (is_overruled(request))
        request->policy = NULL;
}

/* GUSSET_POLICY_IMPLIED names the policy that `gusset run` assumed because there was no file. */
void wish_read(struct source_request *request)
{
    /* secure_getenv: in a privileged program the environment is a stranger's. */
    const char *implied = secure_getenv("GUSSET_POLICY_IMPLIED");

    *request = (struct source_request){
        .named = secure_getenv("GUSSET_CONFIG"),
        .xdg = secure_getenv("XDG_CONFIG_HOME"),
        .home = secure_getenv("HOME"),
        .policy = secure_getenv("GUSSET_POLICY"),
        .set = secure_getenv("GUSSET_SET"),
    };
    request->is_assumed = says(implied) && says(request->policy) && strcmp(implied, request->policy) == 0;
    wish_settle(request);
}

static const char *keep(struct arena *arena, const char *text)
{
    return text ? arena_copy(arena, text) : NULL;
}

struct source_request wish_keep(const struct source_request *request, struct arena *arena)
{
    return (struct source_request){
        .named = keep(arena, request->named),
        .xdg = keep(arena, request->xdg),
        .home = keep(arena, request->home),
        .system = keep(arena, request->system),
        .policy = keep(arena, request->policy),
        .set = keep(arena, request->set),
        .ignores_lock = request->ignores_lock,
        .is_assumed = request->is_assumed,
    };
}
