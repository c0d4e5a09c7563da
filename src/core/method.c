#include "core/method.h"

#include <stdbool.h>

static const struct {
    const char *name;
    size_t length;
} methods[METHOD_COUNT] = {
#define X(name) {#name, sizeof #name - 1},
    METHOD_LIST(X)
#undef X
};

/* A loop, since clang would ask for bcmp, which core does without. */
static bool same_bytes(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

uint32_t method_from_name(const char *name, size_t length)
{
    for (uint32_t i = 0; i < METHOD_COUNT; i++)
        if (methods[i].length == length && same_bytes(methods[i].name, name, length))
            return UINT32_C(1) << i;
    return METHOD_OTHER;
}

const char *method_name(uint32_t method)
{
    for (uint32_t i = 0; i < METHOD_COUNT; i++)
        if (method == UINT32_C(1) << i)
            return methods[i].name;
    return "other";
}
