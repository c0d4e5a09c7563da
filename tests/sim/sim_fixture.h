/* Rules for simulated runs, compiled in a folder of the test's own. */
#ifndef GUSSET_TESTS_SIM_FIXTURE_H
#define GUSSET_TESTS_SIM_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/rules.h"
#include "core/method.h"

static char fixture_folder[] = "/tmp/gusset-sim-XXXXXX";

static inline int fixture_prepare(void **state)
{
    char path[64];
    (void)state;

    if (!mkdtemp(fixture_folder))
        return -1;
    snprintf(path, sizeof path, "%s/state", fixture_folder);
    setenv("GUSSET_STATE", path, 1); /* where the images lie beside */
    setenv("XDG_CONFIG_HOME", fixture_folder, 1);
    unsetenv("GUSSET_MODE");
    unsetenv("GUSSET_CONFIG");
    return 0;
}

static inline int fixture_tidy(void **state)
{
    char command[80];
    (void)state;

    snprintf(command, sizeof command, "rm -rf %s", fixture_folder);
    return system(command);
}

/* A policy for every host, with settings on top, one a line. They live as long as the test. */
static inline const struct rules *fixture_rules(const char *policy, const char *set)
{
    struct source_request request = {
        .xdg = fixture_folder, .system = "/nonexistent", .policy = policy, .set = set};
    const struct rules *rules = NULL;
    char text[512];

    if (rules_open_for(&rules, &request, NULL, true, text, sizeof text) < 0)
        fail_msg("%s", text);
    return rules;
}

static inline struct rules_query fixture_query(void)
{
    static struct place place;

    assert_true(place_from_host(&place, "service.example", 15, 80));
    return (struct rules_query){.place = &place, .method = METHOD_GET, .path = "/", .path_length = 1};
}

#endif
