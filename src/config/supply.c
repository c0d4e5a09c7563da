#include "config/supply.h"

#include <errno.h>
#include <sys/mman.h>

#include "config/cache.h"
#include "config/compile.h"
#include "config/fault.h"
#include "config/load.h"
#include "config/value.h"
#include "config/wish.h"
#include "sys/raw.h"
#include "sys/stack.h"

/* Compiling takes some 24 KiB of stack, libconfig and the loader included. A thread's may be smaller. */
enum { COMPILE_STACK = 48 << 10 };

/* The image goes into its file, so that it is shared; where that fails, this process keeps it for itself. */
static int publish(const struct source_paths *paths, const struct source_request *request, void *bytes,
                   size_t size, struct image *image)
{
    if (cache_write(paths, request, bytes, size) == 0 && cache_open(image, paths, request) == 0) {
        munmap(bytes, size);
        return 0;
    }
    sys_mprotect(bytes, size, PROT_READ);
    return image_attach(image, bytes, size);
}

/*
 * Compiles what holds. Returns 0 with an empty image when there is no configuration. Apart: it takes
 * kilobytes of stack, which a connect that only opens what is compiled may not have.
 */
static __attribute__((noinline)) int compile(const struct source_paths *paths,
                                             const struct source_request *request, struct image *image,
                                             char *text, size_t size)
{
    struct model model;
    struct fault_list faults = {0};
    void *bytes;
    size_t length;

    int result = model_init(&model);
    if (result == 0)
        result = load_model(&model, request, paths, &faults);
    if (result == 0 && !model.is_empty) {
        result = compile_image(&model, paths, request, &bytes, &length);
        if (result == 0)
            result = publish(paths, request, bytes, length, image);
    }
    if (result < 0 && fault_summary(&faults, text, size) == 0) {
        struct value_text out = {text, size, 0};
        value_put(&out, result == -ENOMEM ? "out of memory while the rules were compiled"
                                          : "the rules cannot be compiled");
    }
    fault_clear(&faults);
    model_clear(&model);
    return result;
}

static int find_or_compile(struct image *image, const struct source_request *request,
                           struct source_paths *paths, bool may_compile, char *text, size_t size)
{
    struct value_text reason = {text, size, 0};

    int result = source_find(request, paths);
    if (result < 0) {
        value_put(&reason, "the path of the configuration is too long or the working directory is gone");
        return result;
    }
    if (cache_open(image, paths, request) == 0)
        return 0;
    if (!(request->policy && request->policy[0]) && !wish_has_file(request, paths))
        return 0;
    if (!may_compile || !stack_has_room(COMPILE_STACK)) {
        value_put(&reason, "the rules are not compiled yet");
        return -ESTALE;
    }
    return compile(paths, request, image, text, size);
}

int supply_image(struct image *image, const struct source_request *request, bool may_compile, char *text,
                 size_t size)
{
    struct source_paths *paths = source_paths_open();

    *image = (struct image){.header = NULL};
    if (!paths)
        return -ENOMEM;
    int result = find_or_compile(image, request, paths, may_compile, text, size);
    source_paths_close(paths);
    return result;
}
