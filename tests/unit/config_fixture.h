/* A folder for the files of one test, and a model read from them. */
#ifndef GUSSET_TESTS_CONFIG_FIXTURE_H
#define GUSSET_TESTS_CONFIG_FIXTURE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/load.h"

/* A file with one policy, and a rule that names it. */
#define RULE     "hosts = ({ match = \"a.example\"; policy = \"p\"; });\n"
#define IN(text) "policies: { p: {\n" text "\n}; };\n" RULE

struct config_fixture {
    char folder[64];
    char path[128];   /* of main.cfg */
    char system[128]; /* stands for the file in /etc */
    struct source_request request;
    struct model model;
    struct fault_list faults;
    bool has_model;
};

static inline void config_write(const struct config_fixture *fixture, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", fixture->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_return_code(chmod(path, 0644), 0);
}

static inline void config_forget(struct config_fixture *fixture)
{
    if (fixture->has_model)
        model_clear(&fixture->model);
    fixture->has_model = false;
    fault_clear(&fixture->faults);
}

/* Reads what the request asks for. */
static inline int config_load(struct config_fixture *fixture)
{
    struct source_paths *paths = malloc(sizeof *paths);
    config_forget(fixture);
    assert_return_code(source_find(&fixture->request, paths), 0);
    assert_return_code(model_init(&fixture->model), 0);
    fixture->has_model = true;
    int result = load_model(&fixture->model, &fixture->request, paths, &fixture->faults);
    free(paths);
    return result;
}

/* Writes main.cfg and reads it. */
static inline int config_read(struct config_fixture *fixture, const char *text)
{
    config_write(fixture, "main.cfg", text);
    fixture->request.named = fixture->path;
    return config_load(fixture);
}

/* What the model has of a policy that it knows. */
static inline const struct policy *config_policy(const struct config_fixture *fixture, const char *name)
{
    uint32_t index = model_find_policy(&fixture->model, name);
    assert_int_not_equal(index, (uint32_t)MODEL_NONE);
    return &model_policy(&fixture->model, index)->values;
}

/* The text must have exactly this one fault (or warning), in main.cfg. */
static inline void config_expect(struct config_fixture *fixture, const char *text, const char *fault)
{
    char found[1024] = "", wanted[1024];
    config_read(fixture, text);
    snprintf(wanted, sizeof wanted, "%s:%s", fixture->path, fault);
    for (uint32_t i = 0; i < fixture->faults.count; i++) {
        size_t length = strlen(found);
        snprintf(found + length, sizeof found - length, "%s", i > 0 ? "\n" : "");
        length = strlen(found);
        fault_print(&fixture->faults.items[i], found + length, sizeof found - length);
    }
    assert_string_equal(found, wanted);
}

static inline int config_setup(void **state)
{
    struct config_fixture *fixture = calloc(1, sizeof *fixture);
    if (!fixture)
        return -1;
    strcpy(fixture->folder, "/tmp/gusset-config-XXXXXX");
    if (!mkdtemp(fixture->folder))
        return -1;
    snprintf(fixture->path, sizeof fixture->path, "%s/main.cfg", fixture->folder);
    snprintf(fixture->system, sizeof fixture->system, "%s/system.cfg", fixture->folder);
    fixture->request.system = fixture->system;
    *state = fixture;
    return 0;
}

static inline int config_remove(const char *path, const struct stat *file, int type, struct FTW *walk)
{
    (void)file, (void)type, (void)walk;
    return remove(path);
}

static inline int config_teardown(void **state)
{
    struct config_fixture *fixture = *state;
    config_forget(fixture);
    nftw(fixture->folder, config_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(fixture);
    return 0;
}

#define CONFIG_TEST(name) cmocka_unit_test_setup_teardown(name, config_setup, config_teardown)

#endif
