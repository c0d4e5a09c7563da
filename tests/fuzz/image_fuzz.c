/*
 * libFuzzer: a rule image that somebody or something has changed. It is either rejected or gives wrong
 * answers; no byte of it may lead to a wild access. Inputs are changes of a real image, six bytes each
 * (where, what), so that the deep structure is reached at once; its checksum is made good again.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/cache.h"
#include "config/compile.h"
#include "config/load.h"
#include "config/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char configuration[] =
    "version = 1; log: { target = \"${LOG_TARGET:-stderr}\"; };\n"
    "policies: { p: { extends = \"standard\"; timeout: { total = \"${TOTAL:-3s}\"; };\n"
    "  limit: { rate = 5; key = \"${TENANT:-x}\"; }; propagate = [\"request_id\"];\n"
    "  headers = ( { name = \"X-A\"; value = \"${NAME:-v}\"; }, { name = \"X-B\"; value = \"b\"; override = "
    "true; } ); }; };\n"
    "hosts = ( { match = \"a.example.com\"; paths = [\"/v1/*\", \"/v2\"]; policy = \"p\"; },\n"
    "  { match = \"a.example.com\"; programs = [\"fuzz\", \"psql\"]; methods = [\"PUT\"]; policy = "
    "\"quick\"; },\n"
    "  { match = \"*.example.com:443\"; policy = \"p\"; mode = \"shadow\"; }, { match = \"10.0.0.0/8\"; "
    "policy = \"quick\"; },\n"
    "  { match = \"[2001:db8::]/32\"; policy = \"p\"; }, { match = \"unix:/run/x\"; policy = \"p\"; },\n"
    "  { match = \"*\"; policy = \"standard\"; } );\n"
    "services = ( { name = \"user-service\"; url = \"http://${WHERE:-localhost}:8001/api\"; prefix = "
    "\"${P:-true}\";\n"
    "  health = { path = \"${H:-/up}\"; interval = \"${EVERY:-5s}\"; }; policy = \"p\"; },\n"
    "  { name = \"b\"; urls = [\"https://[::1]:8443\", \"srv:_http._tcp.b.internal\"]; } );\n";

static char folder[64], file[96], state[96];
static struct source_request request = {.named = file, .ignores_lock = true};
static struct source_paths paths;
static void *whole; /* the real image */
static size_t whole_size;

static void clean(void)
{
    char path[CACHE_PATH_MOST];
    cache_path(&paths, &request, path);
    unlink(path);
    unlink(file);
    rmdir(folder);
}

static void prepare(void)
{
    struct model model;
    struct fault_list faults = {0};

    strcpy(folder, "/dev/shm/gusset-fuzz-XXXXXX");
    if (!mkdtemp(folder))
        abort();
    snprintf(file, sizeof file, "%s/fuzz.cfg", folder);
    snprintf(state, sizeof state, "%s/state", folder);
    setenv("GUSSET_STATE", state, 1);
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, configuration, sizeof configuration - 1) != (ssize_t)sizeof configuration - 1)
        abort();
    close(fd);
    if (source_find(&request, &paths) < 0 || model_init(&model) < 0 ||
        load_model(&model, &request, &paths, &faults) < 0 ||
        compile_image(&model, &paths, &request, &whole, &whole_size) < 0)
        abort();
    model_clear(&model);
    atexit(clean);
}

static void use_services(const struct rules *rules)
{
    static const char *const names[] = {"user-service", "b", "none"};

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        rules_service(rules, names[i], strlen(names[i]));
    for (uint32_t i = 0; i < rules_service_count(rules); i++) {
        const struct rules_service *service = rules_service_at(rules, i);
        if (!service)
            continue;
        if (service->health_path[0] != '/' || !memchr(service->name, 0, 1 << 20))
            abort();
        for (uint32_t url = 0; url < service->url_count; url++)
            if (service->urls[url].place.name[service->urls[url].place.name_length] != 0)
                abort();
    }
}

static void use(const struct rules *rules)
{
    static const char *const hosts[] = {"a.example.com", "b.example.com", "10.1.2.3", "[2001:db8::1]", "b",
                                        "/run/x"};
    struct place place;
    struct rules_match match;

    for (unsigned i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct rules_query query = {&place, 1u << i, i % 2 ? "/v1/x" : "/v2", i % 2 ? 5 : 3};
        bool known = hosts[i][0] == '/' ? place_from_path(&place, hosts[i], strlen(hosts[i]))
                                        : place_from_host(&place, hosts[i], strlen(hosts[i]), 443);
        if (!known || !rules_find(rules, &query, &match))
            continue;
        for (uint32_t header = 0; header < match.policy->header_count; header++)
            if (strlen(match.policy->headers[header].line) < match.policy->headers[header].name_length)
                abort();
        if (!memchr(match.policy->name, 0, 1 << 20) || !memchr(match.policy->limit_key, 0, 1 << 20))
            abort();
    }
    use_services(rules);
    rules_are_fresh(rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct rules *rules = NULL;
    char text[512];

    if (!whole)
        prepare();
    char *bytes = malloc(whole_size);
    memcpy(bytes, whole, whole_size);
    for (; size >= 6; data += 6, size -= 6) {
        uint16_t where;
        memcpy(&where, data, sizeof where);
        size_t at = (size_t)where * 4 % (whole_size - 3);
        memcpy(bytes + at, data + 2, 4);
    }
    struct image_header *header = (struct image_header *)(void *)bytes;
    if (header->size == whole_size) /* else it is rejected before it is summed up */
        header->checksum = image_checksum(header);
    if (cache_write(&paths, &request, bytes, whole_size) < 0)
        abort();
    free(bytes);
    if (rules_open_for(&rules, &request, "fuzz", false, text, sizeof text) == 0 && rules) {
        use(rules);
        rules_close(rules);
    }
    return 0;
}
