#include "sys/libcurl.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *version;
    const char *soname;
} flavours[LIBCURL_FLAVOUR_COUNT] = {
#define X(name, symbol_version, file) [LIBCURL_##name] = {symbol_version, file},
    LIBCURL_FLAVOURS(X)
#undef X
};

_Atomic(const struct libcurl *) libcurl_tables[LIBCURL_FLAVOUR_COUNT];

static void *find_symbol(void *library, const char *name, const char *version)
{
    return version ? dlvsym(library, name, version) : dlsym(library, name);
}

/* Looks for an object whose file is some libcurl, under whatever name it was loaded. */
static int pick_libcurl(struct dl_phdr_info *info, size_t size, void *wanted)
{
    const char *slash = strrchr(info->dlpi_name, '/');
    const char *file = slash ? slash + 1 : info->dlpi_name;
    struct {
        const char *version;
        void *library;
    } *search = wanted;

    (void)size;
    if (strncmp(file, "libcurl", 7) != 0)
        return 0;
    void *library = dlopen(info->dlpi_name, RTLD_LAZY | RTLD_NOLOAD);
    if (!library)
        return 0;
    if (find_symbol(library, "curl_easy_init", search->version)) {
        search->library = library;
        return 1;
    }
    dlclose(library);
    return 0;
}

/*
 * The library that holds this flavour. RTLD_NEXT misses one that came in by dlopen(RTLD_LOCAL) (pycurl,
 * R, perl); those are found by name, then by looking at everything that is loaded. The handle is never
 * closed: the table's pointers must stay good, so gusset pins the library.
 */
static void *find_library(enum libcurl_flavour flavour)
{
    struct {
        const char *version;
        void *library;
    } search = {flavours[flavour].version, NULL};

    if (find_symbol(RTLD_NEXT, "curl_easy_init", search.version))
        return RTLD_NEXT;
    void *library = dlopen(flavours[flavour].soname, RTLD_LAZY | RTLD_NOLOAD);
    if (library && find_symbol(library, "curl_easy_init", search.version))
        return library;
    dl_iterate_phdr(pick_libcurl, &search);
    return search.library;
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
    *(void **)&table->name = find_symbol(library, "curl_" #name, flavours[flavour].version);
    LIBCURL_FUNCTIONS(X)
#undef X
    /* What every libcurl since 7.68 has; a library without it is not one that gusset knows. */
    if (!table->easy_init || !table->easy_duphandle || !table->easy_reset || !table->easy_cleanup ||
        !table->easy_setopt || !table->easy_getinfo || !table->easy_perform || !table->url ||
        !table->url_set || !table->url_get || !table->url_cleanup || !table->free || !table->version_info)
        return false;
    dl_iterate_phdr(measure_text, table);
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
    if (!fill(table, flavour)) {
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
