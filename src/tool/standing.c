#include "tool/standing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/control.h"
#include "tool/open.h"

static const char *const names[] = {
    [POLICY_ENFORCE] = "enforce", [POLICY_SHADOW] = "shadow", [POLICY_OFF] = "off"};
enum { NAMES = sizeof names / sizeof *names };

static void say(struct standing *standing, enum policy_mode mode, const char *from)
{
    standing->mode = names[mode];
    snprintf(standing->from, sizeof standing->from, "%s", from);
}

/* A state that is not there, or cannot be read, has switched nothing. */
static bool is_switched(struct standing *standing, const char *place)
{
    struct open_state state;
    unsigned of_host, of_all;

    if (open_find(&state, NULL) < 0 ||
        map_open(&state.map, state.path, 0, state.may_be_shared, MAP_EXISTING) < 0)
        return false;
    of_host = place ? control_host_switch(state.map.header, place, strlen(place)) : 0;
    of_all = control_switch(control_word(state.map.header));
    map_close(&state.map);
    if (of_host > 0 && of_host <= NAMES && of_all != 1 + POLICY_OFF) /* off is off */
        say(standing, of_host - 1, "switched by `gusset mode --host`");
    else if (of_all > 0 && of_all <= NAMES)
        say(standing, of_all - 1, "switched by `gusset mode` or `off`; `gusset on` takes it back");
    else
        return false;
    return true;
}

static bool is_in_environment(struct standing *standing)
{
    const char *wished = getenv("GUSSET_MODE");

    for (int i = 0; wished && i < NAMES; i++)
        if (strcmp(wished, names[i]) == 0) {
            say(standing, (enum policy_mode)i, "$GUSSET_MODE");
            return true;
        }
    return false;
}

void standing_find(struct standing *standing, const struct model *model, const struct model_rule *rule,
                   const char *place)
{
    struct explain_setting setting;

    if (is_switched(standing, place) || is_in_environment(standing))
        return;
    if (rule && rule->mode >= 0) {
        standing->mode = names[rule->mode];
        explain_origin(model, &rule->origin, standing->from, sizeof standing->from);
        return;
    }
    say(standing, model->globals.mode, "default");
    if (explain_setting(model, (uint32_t)MODEL_NONE, (unsigned)settings_find("mode", 4), &setting))
        say(standing, model->globals.mode, setting.origin);
}
