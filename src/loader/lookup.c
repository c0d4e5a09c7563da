#include "loader/lookup.h"

#include <dlfcn.h>
#include <stddef.h>

#include "sys/libcurl.h"
#include "sys/linker.h"
#include "sys/module.h"

/* Not by strncmp: a sanitizer's library asks dlsym for that, too. */
bool lookup_is_curls(const char *name)
{
    static const char prefix[] = "curl_";

    for (size_t i = 0; i < sizeof prefix - 1; i++)
        if (name[i] != prefix[i])
            return false;
    return true;
}

static bool defines(const void *address, const char *name)
{
    const struct link_map *map = module_at(address);
    struct module module;

    return map && module_read(&module, map->l_addr, map->l_ld) && module_find(&module, name, NULL);
}

bool lookup_knows(const char *name, const void *caller)
{
    struct module own;
    return module_own(&own) && module_find(&own, name, NULL) && !defines(caller, name);
}

/* Gusset's function for one flavour. */
static void *stub_of(const struct module *own, enum libcurl_flavour flavour, const char *name)
{
    return module_find(own, name, libcurl_version_of(flavour));
}

/*
 * The global scope answers with a stub, since gusset stands first in it. It would answer so in a program
 * that has no libcurl, too: there the answer is the loader's refusal.
 */
static bool is_stub(const struct module *own, const void *found, const char *name,
                    enum libcurl_flavour *flavour)
{
    for (int i = 0; i < LIBCURL_FLAVOUR_COUNT; i++)
        if (stub_of(own, (enum libcurl_flavour)i, name) == found) {
            *flavour = (enum libcurl_flavour)i;
            return true;
        }
    return false;
}

/* The stub whose real function is the one found. A second libcurl of a flavour has none, and is left alone.
 */
static void *stub_in_front_of(const struct module *own, const void *found, const char *name)
{
    for (int i = 0; i < LIBCURL_FLAVOUR_COUNT; i++) {
        const struct libcurl *libcurl = libcurl_of((enum libcurl_flavour)i);
        if (libcurl && linker_find(libcurl->library, name, libcurl->symbol_version) == found)
            return stub_of(own, (enum libcurl_flavour)i, name);
    }
    return NULL;
}

void *lookup_in_front_of(const void *found, const char *name)
{
    struct module own;
    return module_own(&own) ? stub_in_front_of(&own, found, name) : NULL;
}

void *lookup_find(void *library, const char *name, const char *version)
{
    struct module own;
    enum libcurl_flavour flavour;
    void *found = linker_find(library, name, version), *stub;

    if (!found || !module_own(&own))
        return found;
    if (is_stub(&own, found, name, &flavour)) {
        void *next = linker_find(RTLD_NEXT, name, version);
        if (!next && !libcurl_of(flavour))
            return linker_find(RTLD_NEXT, name, version);
        stub = next ? stub_in_front_of(&own, next, name) : found;
    } else {
        stub = stub_in_front_of(&own, found, name);
    }
    found = linker_find(library, name, version); /* once more: dlerror tells of the last look only */
    return stub ? stub : found;
}
