#include "sys/libcurl.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "sys/linker.h"
#include "sys/module.h"

static const char *const versions[LIBCURL_FLAVOUR_COUNT] = {
#define X(name, symbol_version) [LIBCURL_##name] = symbol_version,
    LIBCURL_FLAVOURS(X)
#undef X
};

_Atomic(const struct libcurl *) libcurl_tables[LIBCURL_FLAVOUR_COUNT];

/* A libcurl under whatever file name: sought among all objects by what it defines. */
struct search {
    const char *version; /* NULL: any */
    bool is_unlisted;    /* only under a version that no flavour has, or without one */
    bool is_named;       /* only in a file that is called libcurl… */
    const void *own;     /* gusset's own symbols, which are not the ones sought */
    char path[PATH_MAX];
};

static bool is_listed(const char *version)
{
    for (int i = 0; version && i < LIBCURL_FLAVOUR_COUNT; i++)
        if (versions[i] && strcmp(versions[i], version) == 0)
            return true;
    return false;
}

static const ElfW(Dyn) * dynamic_of(const struct dl_phdr_info *info)
{
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
            return (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    return NULL;
}

/* The program itself, which has no name here, is passed over: what it defines was never gusset's to see. */
static int pick(struct dl_phdr_info *info, size_t size, void *wanted)
{
    struct search *search = wanted;
    const char *slash = strrchr(info->dlpi_name, '/');
    const char *file = slash ? slash + 1 : info->dlpi_name;
    struct module module;

    (void)size;
    if (!*file || (search->is_named && strncmp(file, "libcurl", 7) != 0))
        return 0;
    if (!module_read(&module, info->dlpi_addr, dynamic_of(info)) || module.symbols == search->own ||
        !module_find(&module, "curl_easy_init", search->version))
        return 0;
    if (search->is_unlisted && is_listed(module_version(&module, "curl_easy_init")))
        return 0;
    size_t length = strlen(info->dlpi_name);
    if (length >= sizeof search->path)
        return 0;
    memcpy(search->path, info->dlpi_name, length + 1);
    return 1;
}

/* Opened only when the search is over: inside it the loader holds a lock that dlopen takes last. */
static void *search_all(struct search search)
{
    struct module own;

    search.own = module_own(&own) ? own.symbols : NULL;
    if (!dl_iterate_phdr(pick, &search))
        return NULL;
    return linker_open(search.path, RTLD_LAZY | RTLD_NOLOAD);
}

/*
 * The library that holds this flavour. RTLD_NEXT misses one that came in by dlopen(RTLD_LOCAL) (pycurl,
 * R, perl); those are found by what they are called, then by what they define. The flavour without a
 * version serves references without one and those to a version that nobody has listed.
 */
static void *find_library(enum libcurl_flavour flavour)
{
    const char *version = versions[flavour];
    void *library = NULL;

    if (!version)
        library = search_all((struct search){.is_unlisted = true, .is_named = true});
    if (!library && linker_find(RTLD_NEXT, "curl_easy_init", version))
        return RTLD_NEXT;
    if (!library)
        library = search_all((struct search){.version = version, .is_named = true});
    if (!library)
        library = search_all((struct search){.version = version});
    return library;
}

/*
 * A program may close libcurl and open it again; the table's pointers stay good, because gusset keeps it
 * loaded from the first look on.
 */
static void pin(const void *function)
{
    Dl_info info;
    struct link_map *map = NULL;

    if (dladdr1(function, &info, (void **)&map, RTLD_DL_LINKMAP) && map && map->l_name[0])
        linker_open(map->l_name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

static int measure_text(struct dl_phdr_info *info, size_t size, void *target)
{
    struct libcurl *table = target;
    uintptr_t inside = (uintptr_t)table->easy_init;

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_LOAD && inside >= start && inside < start + header->p_memsz) {
            table->text_start = start;
            table->text_end = start + header->p_memsz;
            return 1;
        }
    }
    return 0;
}

static bool fill(struct libcurl *table, enum libcurl_flavour flavour)
{
    void *library = find_library(flavour);
    if (!library)
        return false;
#define X(name, result, parameters)                                                                          \
    *(void **)&table->name = linker_find(library, "curl_" #name, versions[flavour]);
    LIBCURL_FUNCTIONS(X)
#undef X
    /* What every libcurl since 7.68 has; a library without it is not one that gusset knows. */
    if (!table->easy_init || !table->easy_duphandle || !table->easy_reset || !table->easy_cleanup ||
        !table->easy_setopt || !table->easy_getinfo || !table->easy_perform || !table->url ||
        !table->url_set || !table->url_get || !table->url_cleanup || !table->free || !table->version_info)
        return false;
    dl_iterate_phdr(measure_text, table);
    pin((const void *)table->easy_init);
    table->library = library;
    table->flavour = flavour;
    table->version = table->version_info(CURLVERSION_NOW)->version_num;
    table->has_prereq = table->version >= 0x075000;
    return true;
}

/*
 * No lock: dlsym takes the loader's, and another thread may hold that one while it waits for us. Two
 * threads may both fill a table; the first to publish wins and the other is dropped.
 */
const struct libcurl *libcurl_find(enum libcurl_flavour flavour)
{
    const struct libcurl *known = NULL;
    struct libcurl *table = calloc(1, sizeof *table);
    if (!table)
        return NULL;
    bool is_found = fill(table, flavour);
    dlerror(); /* what was not found is nobody's error */
    if (!is_found) {
        free(table);
        return NULL;
    }
    if (!atomic_compare_exchange_strong(&libcurl_tables[flavour], &known, table)) {
        free(table);
        return known;
    }
    return table;
}

bool libcurl_any_holds(const void *address)
{
    for (int i = 0; i < LIBCURL_FLAVOUR_COUNT; i++) {
        const struct libcurl *table = atomic_load_explicit(&libcurl_tables[i], memory_order_acquire);
        if (table && libcurl_holds(table, address))
            return true;
    }
    return false;
}

const char *libcurl_version_of(enum libcurl_flavour flavour)
{
    return versions[flavour];
}
