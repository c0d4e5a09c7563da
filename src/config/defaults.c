#include "config/defaults.h"

#include <string.h>

#include "config/field.h"

void defaults_apply_group(struct policy *policy, uint32_t group)
{
    policy->groups |= group;
    for (unsigned i = 0; i < settings_count(); i++)
        if (settings_at(i)->group & group)
            field_reset(settings_at(i), policy);
}

static void apply_all(enum settings_place place, void *base)
{
    for (unsigned i = 0; i < settings_count(); i++)
        if (settings_at(i)->place == place)
            field_reset(settings_at(i), base);
}

void defaults_apply_globals(struct settings_globals *globals)
{
    memset(globals, 0, sizeof *globals);
    apply_all(SETTINGS_OF_FILE, globals);
}

void defaults_apply_service(struct settings_service *service)
{
    memset(service, 0, sizeof *service);
    apply_all(SETTINGS_OF_SERVICE, service);
}
