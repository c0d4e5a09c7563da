#include "sys/libcurl.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "sys/linker.h"
#include "sys/module.h"
#include "sys/raw.h"
#include "sys/sites.h"
#include "sys/together.h"

static const char *const versions[LIBCURL_FLAVOUR_COUNT] = {
#define X(name, symbol_version) [LIBCURL_##name] = symbol_version,
    LIBCURL_FLAVOURS(X)
#undef X
};

_Atomic(const struct libcurl *) libcurl_tables[LIBCURL_FLAVOUR_COUNT];
struct libcurl_text libcurl_texts[LIBCURL_FLAVOUR_COUNT];
TOGETHER struct libcurl_span libcurl_span;

/* Further libraries of a flavour that has a table, in the order in which they were found. */
enum { TWINS_MOST = 8 };
static _Atomic(const struct libcurl *) twins[TWINS_MOST];

/* How many libraries the program has opened, or set out to. */
static atomic_uint openings;

void libcurl_may_come(void)
{
    atomic_fetch_add_explicit(&openings, 1, memory_order_release);
}

/* A libcurl under whatever file name: sought among all objects by what it defines. */
struct search {
    const char *version;         /* NULL: any */
    bool is_unlisted;            /* only under a version that no flavour has, or without one */
    bool is_named;               /* only in a file that is called libcurl… */
    const struct libcurl *known; /* not these: a table and its twins */
    const void *own;             /* gusset's own symbols, which are not the ones sought */
    char *path;                  /* PATH_MAX bytes: where it lies */
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

/* Of a table and its twins, the one whose library holds the address; NULL: none. */
static const struct libcurl *holder(const struct libcurl *first, const void *address)
{
    if (!first || libcurl_holds(first, address))
        return first;
    for (int i = 0; i < TWINS_MOST; i++) {
        const struct libcurl *twin = atomic_load_explicit(&twins[i], memory_order_acquire);
        if (!twin)
            break;
        if (twin->flavour == first->flavour && libcurl_holds(twin, address))
            return twin;
    }
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
    if (!module_read(&module, info->dlpi_addr, dynamic_of(info)) || module.symbols == search->own)
        return 0;
    const void *found = module_find(&module, "curl_version_info", search->version);
    if (!found || holder(search->known, found))
        return 0;
    const char *version = module_version(&module, "curl_version_info");
    if (search->is_unlisted ? is_listed(version) : search->version && !version)
        return 0;
    size_t length = strlen(info->dlpi_name);
    if (length >= PATH_MAX)
        return 0;
    memcpy(search->path, info->dlpi_name, length + 1);
    return 1;
}

/* Opened only when the search is over: inside it the loader holds a lock that dlopen takes last. */
static void *search_all(struct search search)
{
    struct module own;
    char path[PATH_MAX];

    search.path = path;
    search.own = module_own(&own) ? own.symbols : NULL;
    if (!dl_iterate_phdr(pick, &search))
        return NULL;
    return linker_open(path, RTLD_LAZY | RTLD_NOLOAD);
}

static void *find_unlisted(void)
{
    void *library = search_all((struct search){.is_unlisted = true, .is_named = true});
    return library ? library : search_all((struct search){.is_unlisted = true});
}

/*
 * The library that holds this flavour, and the version by which to ask it. RTLD_NEXT misses one that came
 * in by dlopen(RTLD_LOCAL) (pycurl, R, perl); those are found by what they are called, then by what they
 * define. The flavour without a version serves references without one and to versions that nobody has
 * listed. A reference with a version is served by a library without versions, too, as the loader does.
 */
static bool find_library(struct libcurl *table, const char *version)
{
    *table = (struct libcurl){.symbol_version = version};
    if (!version)
        table->library = find_unlisted();
    if (!table->library && linker_find(RTLD_NEXT, "curl_version_info", version))
        table->library = RTLD_NEXT;
    if (!table->library)
        table->library = search_all((struct search){.version = version, .is_named = true});
    if (!table->library)
        table->library = search_all((struct search){.version = version});
    if (!table->library && version) {
        table->library = find_unlisted();
        table->symbol_version = NULL;
    }
    return table->library;
}

static bool read_module(struct module *module, const void *function)
{
    const struct link_map *map = module_at(function);
    return map && module_read(module, map->l_addr, map->l_ld);
}

static void *version_info_of(const struct libcurl *table)
{
    return linker_find(table->library, "curl_version_info", table->symbol_version);
}

static bool is_global(const struct libcurl *table)
{
    return table->library == RTLD_NEXT ||
           linker_find(RTLD_NEXT, "curl_version_info", NULL) == version_info_of(table);
}

/*
 * Another preload library that wraps curl, as gusset does, defines its functions without a version; the
 * loader gives them to references of any version, and dlvsym passes over them. So will we not, where libcurl
 * can be found from the wrapper. Read by hand first: dlsym costs thousands of instructions.
 */
static void *find_function(const struct libcurl *table, const struct module *library, const char *name,
                           bool may_be_wrapped)
{
    struct module wrapper;
    void *found = module_find(library, name, table->symbol_version);
    void *next = may_be_wrapped ? module_find_next(name) : NULL;

    if (found && next && next != found && read_module(&wrapper, next) && !module_version(&wrapper, name) &&
        linker_find(RTLD_NEXT, name, NULL) == next)
        return next;
    return found;
}

/*
 * A program may close libcurl and open it again; the table's pointers stay good, because gusset keeps it
 * loaded from the first look on. What came with the program stays anyway, and a dlopen is dear.
 */
static void pin(const void *function)
{
    const struct link_map *map = atomic_load(&openings) ? module_at(function) : NULL;

    if (map && map->l_name[0])
        linker_open(map->l_name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

static void widen_span(uintptr_t start, uintptr_t end)
{
    uintptr_t old = atomic_load(&libcurl_span.start);

    while ((!old || start < old) && !atomic_compare_exchange_weak(&libcurl_span.start, &old, start))
        ;
    old = atomic_load(&libcurl_span.end);
    while (end > old && !atomic_compare_exchange_weak(&libcurl_span.end, &old, end))
        ;
}

/* Of a table that knows its library; false when that is none that gusset knows. */
static bool fill(struct libcurl *table, enum libcurl_flavour flavour)
{
    struct module library;
    bool may_be_wrapped = is_global(table);

    if (!read_module(&library, version_info_of(table)))
        return false;
#define X(name, result, parameters)                                                                          \
    *(void **)&table->name = find_function(table, &library, "curl_" #name, may_be_wrapped);
    LIBCURL_FUNCTIONS(X)
#undef X
    /* What every libcurl since 7.68 has. */
    if (!table->easy_init || !table->easy_duphandle || !table->easy_reset || !table->easy_cleanup ||
        !table->easy_setopt || !table->easy_getinfo || !table->easy_perform || !table->url ||
        !table->url_set || !table->url_get || !table->url_cleanup || !table->free || !table->version_info)
        return false;
    /* of the one function that nobody wraps */
    module_segment((const void *)table->version_info, &table->text_start, &table->text_end);
    widen_span(table->text_start, table->text_end);
    pin((const void *)table->version_info);
    table->flavour = flavour;
    const curl_version_info_data *info = table->version_info(CURLVERSION_NOW);
    table->version = info->version_num;
    table->never_blocks = info->features & CURL_VERSION_ASYNCHDNS;
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
    struct libcurl *table = malloc(sizeof *table);
    if (!table)
        return NULL;
    bool is_found = find_library(table, versions[flavour]) && fill(table, flavour);
    linker_forget_error();
    if (!is_found) {
        free(table);
        return NULL;
    }
    if (!atomic_compare_exchange_strong(&libcurl_tables[flavour], &known, table)) {
        free(table);
        return known;
    }
    struct libcurl_text *text = &libcurl_texts[flavour];
    atomic_store_explicit(&text->start, table->text_start, memory_order_relaxed);
    atomic_store_explicit(&text->size, table->text_end - table->text_start, memory_order_release);
    return table;
}

/* ---- a second library of a flavour ---- */

static int read_loads(struct dl_phdr_info *info, size_t size, void *loads)
{
    (void)size;
    *(unsigned long long *)loads = info->dlpi_adds;
    return 1;
}

static bool add_twin(const struct libcurl *twin)
{
    for (int i = 0; i < TWINS_MOST; i++) {
        const struct libcurl *taken = NULL;
        if (atomic_compare_exchange_strong(&twins[i], &taken, twin))
            return true;
    }
    return false;
}

/*
 * Looks for libraries of the flavour that have no table yet; a look for each change of what is loaded.
 * In the child of a fork the lock of the loader's list may be held for good, and until the child opens a
 * library there is nothing new.
 */
static void find_twins(const struct libcurl *first, unsigned opened)
{
    static _Atomic unsigned long long seen[LIBCURL_FLAVOUR_COUNT];
    static atomic_uint seen_opened[LIBCURL_FLAVOUR_COUNT];
    static _Atomic pid_t looked_in; /* the process in which the list was walked to its end */
    unsigned long long loads = 0;
    void *library;

    if (atomic_load(&looked_in) != sys_getpid() && atomic_load(&seen_opened[first->flavour]) == opened)
        return;
    dl_iterate_phdr(read_loads, &loads);
    atomic_store(&looked_in, sys_getpid());
    if (atomic_load(&seen[first->flavour]) == loads) {
        atomic_store(&seen_opened[first->flavour], opened);
        return;
    }
    while ((library = search_all((struct search){
                .version = first->symbol_version, .is_unlisted = !first->symbol_version, .known = first}))) {
        struct libcurl *table = malloc(sizeof *table);
        if (!table)
            break;
        *table = (struct libcurl){.library = library, .symbol_version = first->symbol_version};
        if (!fill(table, first->flavour)) {
            free(table);
            break;
        }
        if (!add_twin(table)) {
            free(table);
            break;
        }
    }
    atomic_store(&seen[first->flavour], loads);
    atomic_store(&seen_opened[first->flavour], opened);
    linker_forget_error();
}

/* To which of them the loader would have bound the caller without gusset. */
static const struct libcurl *twin_of(const struct libcurl *first, const void *caller)
{
    const struct libcurl *twin = holder(first, caller);
    const struct link_map *map = twin ? NULL : module_at(caller);

    if (!map)
        return twin ? twin : first;
    void *found = linker_find(RTLD_NEXT, "curl_version_info", first->symbol_version);
    if (!found && map->l_name[0]) {
        void *scope = linker_open(map->l_name, RTLD_LAZY | RTLD_NOLOAD);
        found = scope ? linker_find(scope, "curl_version_info", first->symbol_version) : NULL;
        if (scope)
            linker_close(scope);
    }
    linker_forget_error();
    twin = holder(first, found);
    return twin ? twin : first;
}

/* The number of a table among those of its flavour: 0 is the first one, a twin's is its place and one. */
static unsigned number_of(const struct libcurl *table)
{
    for (unsigned i = 0; i < TWINS_MOST; i++)
        if (atomic_load_explicit(&twins[i], memory_order_relaxed) == table)
            return i + 1;
    return 0;
}
_Static_assert((int)TWINS_MOST <= (int)SITES_MOST, "each twin has a number that is kept");

/* What a place in the program means is found out once for each library that the program opens. */
static __attribute__((noinline)) const struct libcurl *
one_of_many(enum libcurl_flavour flavour, const void *caller, const struct libcurl *first, unsigned opened)
{
    int number = sites_find(flavour, caller, opened);
    if (number < 0) {
        find_twins(first, opened);
        bool are_many = atomic_load_explicit(&twins[0], memory_order_acquire);
        number = are_many ? (int)number_of(twin_of(first, caller)) : 0;
        sites_keep(flavour, caller, opened, (unsigned)number);
    }
    return number ? atomic_load_explicit(&twins[number - 1], memory_order_acquire) : first;
}

const struct libcurl *libcurl_for(enum libcurl_flavour flavour, const void *caller)
{
    const struct libcurl *first = libcurl_of(flavour);
    unsigned opened = atomic_load_explicit(&openings, memory_order_acquire);

    if (!first || !opened || libcurl_holds(first, caller))
        return first;
    return one_of_many(flavour, caller, first, opened);
}

bool libcurl_one_holds(const void *address)
{
    for (int i = 0; i < LIBCURL_FLAVOUR_COUNT; i++) {
        const struct libcurl *table = atomic_load_explicit(&libcurl_tables[i], memory_order_acquire);
        if (holder(table, address))
            return true;
    }
    return false;
}

const char *libcurl_version_of(enum libcurl_flavour flavour)
{
    return versions[flavour];
}
