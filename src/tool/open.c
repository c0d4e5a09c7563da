#include "tool/open.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/rules.h"
#include "config/wish.h"
#include "tool/compiled.h"
#include "tool/output.h"
#include "tool/setup.h"

static int take_path(struct open_state *state, const char *path)
{
    char folder[PATH_MAX] = "";

    if (path[0] != '/' && !getcwd(folder, sizeof folder)) {
        output_error("the working directory is gone; name the state by its whole path");
        return -1;
    }
    if (snprintf(state->path, sizeof state->path, "%s%s%s", folder, folder[0] ? "/" : "", path) >= PATH_MAX) {
        output_error("the path of the state is too long");
        return -1;
    }
    return 0;
}

/* A faulty configuration must not hide the state; but another file may then be meant. */
static const struct rules_globals *configured(void)
{
    const struct rules *rules = NULL;
    struct source_request request;
    char reason[512];

    wish_read(&request);
    if (compiled_rules(&rules, &request, reason, sizeof reason) < 0)
        output_warn("the configuration is faulty, its state.path is passed over: %s", output_clean(reason));
    return rules ? rules_globals(rules) : NULL;
}

int open_find(struct open_state *state, const char *named)
{
    const struct rules_globals *globals = NULL;

    if (setup_state() < 0)
        return -1;
    const char *wished = getenv("GUSSET_STATE");
    *state = (struct open_state){.may_be_shared = named != NULL, .is_named = named != NULL};
    if (named)
        return take_path(state, named);
    if (wished && *wished)
        return take_path(state, wished);
    globals = configured();
    state->hosts = globals ? globals->state_hosts : 0;
    state->may_be_shared = globals && globals->state_path[0];
    if (state->may_be_shared)
        return take_path(state, globals->state_path);
    return map_default_path(state->path, sizeof state->path) ? 0 : -1;
}

static int complain(const struct open_state *state, int error)
{
    if (error == -EPERM)
        output_error("%s belongs to another user, or others may write to it; it is to be 0600 and yours",
                     state->path);
    else if (error == -EBADMSG)
        output_error(
            "%s is damaged, or no state of this version; remove it, and the next call makes a new one",
            state->path);
    else
        output_error("%s: %s; --state or $GUSSET_STATE names another state", state->path, strerror(-error));
    return error;
}

int open_existing(struct open_state *state)
{
    int error = map_open(&state->map, state->path, 0, state->may_be_shared, MAP_EXISTING);
    return error == 0 || error == -ENOENT ? error : complain(state, error);
}

int open_or_create(struct open_state *state)
{
    uint32_t hosts = state->hosts ? state->hosts : LAYOUT_HOSTS_DEFAULT;
    int error = map_open(&state->map, state->path, hosts, state->may_be_shared, MAP_SHARE);

    if (error == 0 && state->map.is_private) {
        error = state->map.error ? state->map.error : -EIO;
        map_close(&state->map);
    }
    return error == 0 ? 0 : complain(state, error);
}

int open_to_order(struct open_state *state)
{
    int error = state->is_named ? open_existing(state) : open_or_create(state);

    if (error != -ENOENT)
        return error;
    output_error(
        "there is no state at %s, so no program uses it; `gusset status` names the one that holds here",
        state->path);
    return -ESRCH;
}

void open_say_none(const struct open_state *state, FILE *to)
{
    fprintf(to,
            "no state yet at %s: it is made by the first call that a rule judges, as in\n"
            "  gusset run -- curl -sS URL\n",
            state->path);
}
