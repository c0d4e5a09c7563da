/*
 * libFuzzer: any bytes as a configuration file. Reads them, and where they are fine compiles an image and
 * looks a few places up in it. clang -g -O1 -fsanitize=fuzzer,address,undefined -Isrc …
 * To be run with ASAN_OPTIONS=detect_leaks=0: libconfig 1.5 loses an unfinished string at a syntax error. Our
 * own leaks are found by the unit tests.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/compile.h"
#include "config/explain.h"
#include "config/image.h"
#include "config/load.h"
#include "config/search.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];

static void look_up(const struct image *image)
{
    static const char *const hosts[] = {"a.example.com", "10.1.2.3", "[2001:db8::1]", "b"};
    struct place place;
    for (unsigned i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct rules_query query = {&place, 1, "/v1/x", 5};
        if (place_from_host(&place, hosts[i], strlen(hosts[i]), 443))
            search_rule(image, &query, "fuzz");
    }
    struct rules_query query = {&place, 0, NULL, 0};
    if (place_from_path(&place, "/run/x", 6))
        search_rule(image, &query, "fuzz");
}

static void explain_all(const struct model *model)
{
    struct explain_setting setting;
    for (uint32_t policy = 0; policy < model->policies.count && policy < 50; policy++)
        for (unsigned i = 0; i < settings_count(); i++)
            explain_setting(model, policy, i, &setting);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct source_paths paths;
    struct source_request request = {.named = path, .ignores_lock = true};
    struct fault_list faults = {0};
    struct model model;
    struct image image;
    void *bytes;
    size_t length;

    if (!path[0])
        snprintf(path, sizeof path, "/dev/shm/gusset-fuzz-%d.cfg", (int)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    close(fd);
    if (source_find(&request, &paths) < 0 || model_init(&model) < 0)
        abort();
    if (load_model(&model, &request, &paths, &faults) == 0) {
        explain_all(&model);
        if (compile_image(&model, &paths, &request, &bytes, &length) < 0 ||
            image_attach(&image, bytes, length) < 0)
            abort();
        look_up(&image);
        munmap(bytes, length);
    }
    for (uint32_t i = 0; i < faults.count; i++) {
        char text[64];
        fault_print(&faults.items[i], text, sizeof text);
    }
    fault_clear(&faults);
    model_clear(&model);
    return 0;
}
