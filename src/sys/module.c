#include "sys/module.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/auxv.h>

/* musl has none, and would not load what wants it. */
#pragma weak dladdr1

enum { VERSION_INDEX = 0x7fff, VERSION_HIDDEN = 0x8000, VERSION_BASE = 1 };
enum { PAGE_LEAST = 4096 }; /* what is mapped of a file at the least */

extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

/*
 * Nothing of libc is called here: a sanitizer's library that stands in front of strcmp asks dlsym, and so
 * us, for the real one before it can serve anybody.
 */
static bool is_same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* glibc adds the base to what stands in the section, except where the section is read-only. */
static const void *pointer_of(uintptr_t base, const ElfW(Dyn) * entry)
{
    return (const void *)(entry->d_un.d_ptr < base ? base + entry->d_un.d_ptr : entry->d_un.d_ptr);
}

bool module_read(struct module *module, uintptr_t base, const ElfW(Dyn) * dynamic)
{
    *module = (struct module){.base = base};
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++)
        switch (dynamic->d_tag) {
        case DT_STRTAB:
            module->strings = pointer_of(base, dynamic);
            break;
        case DT_SYMTAB:
            module->symbols = pointer_of(base, dynamic);
            break;
        case DT_VERSYM:
            module->versions = pointer_of(base, dynamic);
            break;
        case DT_VERDEF:
            module->definitions = pointer_of(base, dynamic);
            break;
        case DT_GNU_HASH:
            module->gnu_hash = pointer_of(base, dynamic);
            break;
        case DT_HASH:
            module->hash = pointer_of(base, dynamic);
            break;
        case DT_RELA:
            module->relocations = pointer_of(base, dynamic);
            break;
        case DT_RELASZ:
            module->relocation_count = dynamic->d_un.d_val / sizeof(ElfW(Rela));
            break;
        case DT_JMPREL:
            module->jumps = pointer_of(base, dynamic);
            break;
        case DT_PLTRELSZ:
            module->jump_count = dynamic->d_un.d_val / sizeof(ElfW(Rela));
            break;
        }
    if (!module->definitions) /* it needs versions of others, but has none */
        module->versions = NULL;
    return module->strings && module->symbols && (module->gnu_hash || module->hash);
}

/*
 * What the loader leaves for debuggers: DT_DEBUG of the program. NULL where the program has no such entry, or
 * the loader has not filled it in.
 */
static const struct r_debug *left_for_debuggers(void)
{
    const ElfW(Phdr) *headers = (const void *)(uintptr_t)getauxval(AT_PHDR);
    unsigned long count = getauxval(AT_PHNUM);
    const ElfW(Dyn) *dynamic = NULL;

    if (!headers || headers->p_type != PT_PHDR) /* which comes first, and tells where the program lies */
        return NULL;
    for (unsigned long i = 1; i < count && !dynamic; i++)
        if (headers[i].p_type == PT_DYNAMIC)
            dynamic = (const void *)((uintptr_t)headers - headers->p_vaddr + headers[i].p_vaddr);
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++)
        if (dynamic->d_tag == DT_DEBUG && dynamic->d_un.d_ptr)
            return (const struct r_debug *)dynamic->d_un.d_ptr;
    return NULL;
}

static const struct link_map *listed(void)
{
    const struct r_debug *debug = left_for_debuggers();
    return debug ? debug->r_map : NULL;
}

struct place {
    uintptr_t inside, base, start, end;
};

static bool take_segment(struct place *place, uintptr_t base, const ElfW(Phdr) * headers, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uintptr_t start = base + headers[i].p_vaddr;
        if (headers[i].p_type == PT_LOAD && place->inside - start < headers[i].p_memsz) {
            place->base = base;
            place->start = start;
            place->end = start + headers[i].p_memsz;
            return true;
        }
    }
    return false;
}

static int take_listed(struct dl_phdr_info *info, size_t size, void *place)
{
    (void)size;
    return take_segment(place, info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum);
}

static const struct link_map *listed_at(const void *address)
{
    struct place place = {.inside = (uintptr_t)address};
    const struct link_map *map;

    if (!dl_iterate_phdr(take_listed, &place))
        return NULL;
    for (map = listed(); map && map->l_addr != place.base; map = map->l_next)
        ;
    return map;
}

const struct link_map *module_at(const void *address)
{
    Dl_info info;
    struct link_map *map = NULL;

    if (!dladdr1)
        return listed_at(address);
    return dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) ? map : NULL;
}

/*
 * Found once: gusset is never unloaded. Not by dladdr(3) while it can be had from the list: that takes the
 * loader's lock, which is neither for a signal handler nor for a forked child, and reads all our symbols.
 */
static const struct link_map *own_map(void)
{
    static const struct link_map *_Atomic known;
    const struct link_map *map = atomic_load_explicit(&known, memory_order_relaxed);

    if (map)
        return map;
    for (map = listed(); map && map->l_ld != _DYNAMIC; map = map->l_next)
        ;
    if (!map)
        map = module_at(_DYNAMIC);
    if (map)
        atomic_store_explicit(&known, map, memory_order_relaxed);
    return map;
}

bool module_own(struct module *module)
{
    const struct link_map *map = own_map();
    return map && module_read(module, map->l_addr, map->l_ld);
}

static const char *version_name(const struct module *module, unsigned index)
{
    const ElfW(Verdef) *at = module->definitions;

    for (;;) {
        if (at->vd_ndx == index) {
            const ElfW(Verdaux) *name = (const void *)((const char *)at + at->vd_aux);
            return module->strings + name->vda_name;
        }
        if (!at->vd_next)
            return "";
        at = (const void *)((const char *)at + at->vd_next);
    }
}

/* Whether the symbol defines a function, or a variable, of that name and version. */
static bool is_wanted(const struct module *module, uint32_t symbol, const char *name, const char *version)
{
    const ElfW(Sym) *entry = &module->symbols[symbol];
    unsigned type = entry->st_info & 0xf;

    if (entry->st_shndx == SHN_UNDEF || (type != STT_FUNC && type != STT_NOTYPE && type != STT_OBJECT) ||
        !is_same(module->strings + entry->st_name, name))
        return false;
    if (!module->versions)
        return true;
    unsigned index = module->versions[symbol] & VERSION_INDEX;
    if (!version)
        return index <= VERSION_BASE || !(module->versions[symbol] & VERSION_HIDDEN);
    return index > VERSION_BASE && is_same(version_name(module, index), version);
}

/* DT_GNU_HASH: a chain's last word is odd; symbols are sorted by bucket. The filter in front is passed over.
 */
static uint32_t search_gnu(const struct module *module, const char *name, const char *version)
{
    const uint32_t *table = module->gnu_hash;
    uint32_t buckets = table[0], first = table[1], words = table[2], hash = 5381;
    const uint32_t *bucket = (const uint32_t *)((const ElfW(Addr) *)(table + 4) + words);
    const uint32_t *chain = bucket + buckets;

    for (const char *c = name; *c; c++)
        hash = hash * 33 + (unsigned char)*c;
    uint32_t symbol = buckets ? bucket[hash % buckets] : 0;
    if (symbol < first)
        return 0;
    for (;; symbol++) {
        uint32_t word = chain[symbol - first];
        if ((word | 1) == (hash | 1) && is_wanted(module, symbol, name, version))
            return symbol;
        if (word & 1)
            return 0;
    }
}

/* DT_HASH, of old or foreign linkers. */
static uint32_t search_hash(const struct module *module, const char *name, const char *version)
{
    const uint32_t *table = module->hash, *bucket = table + 2, *chain = bucket + table[0];
    uint32_t hash = 0;

    for (const char *c = name; *c; c++) {
        hash = (hash << 4) + (unsigned char)*c;
        hash ^= hash >> 24 & 0xf0;
        hash &= 0x0fffffff;
    }
    for (uint32_t symbol = table[0] ? bucket[hash % table[0]] : 0; symbol; symbol = chain[symbol])
        if (is_wanted(module, symbol, name, version))
            return symbol;
    return 0;
}

static uint32_t search(const struct module *module, const char *name, const char *version)
{
    return module->gnu_hash ? search_gnu(module, name, version) : search_hash(module, name, version);
}

void *module_find(const struct module *module, const char *name, const char *version)
{
    uint32_t symbol = search(module, name, version);
    return symbol ? (void *)(module->base + module->symbols[symbol].st_value) : NULL;
}

const char *module_version(const struct module *module, const char *name)
{
    uint32_t symbol = module->versions ? search(module, name, NULL) : 0;
    unsigned index = symbol ? module->versions[symbol] & VERSION_INDEX : 0;

    return index > VERSION_BASE ? version_name(module, index) : NULL;
}

/* The search ends with the object that lies at the base last; 0: with the list. */
static void *find_behind_own(const char *name, uintptr_t last)
{
    const struct link_map *map = own_map();
    struct module module;
    void *found = NULL;

    while (map && !found && (!last || map->l_addr != last)) {
        map = map->l_next;
        if (map && module_read(&module, map->l_addr, map->l_ld))
            found = module_find(&module, name, NULL);
    }
    return found;
}

void *module_find_next(const char *name)
{
    return find_behind_own(name, 0);
}

void *module_find_lasting(const char *name)
{
    uintptr_t base = getauxval(AT_BASE);

    if (!base) { /* the loader was itself started, with the program as its argument */
        const struct r_debug *debug = left_for_debuggers();
        base = debug ? debug->r_ldbase : 0;
    }
    return find_behind_own(name, base);
}

bool module_is_lasting(const struct link_map *map)
{
    const struct link_map *at = listed();

    for (at = at ? at : own_map(); at; at = at->l_next) {
        if (at == map)
            return true;
        if (at->l_addr == getauxval(AT_BASE))
            break;
    }
    return false;
}

/* What stands at the head of the file, where that is mapped. */
static bool take_from_head(struct place *place)
{
    Dl_info info;
    struct link_map *map = NULL;

    if (!dladdr1 || !dladdr1((const void *)place->inside, &info, (void **)&map, RTLD_DL_LINKMAP) || !map)
        return false;
    const ElfW(Ehdr) *head = info.dli_fbase;
    if (head->e_ident[EI_MAG0] != ELFMAG0 || head->e_ident[EI_MAG1] != ELFMAG1 ||
        head->e_ident[EI_MAG2] != ELFMAG2 || head->e_ident[EI_MAG3] != ELFMAG3 ||
        head->e_phentsize != sizeof(ElfW(Phdr)) || head->e_phoff > PAGE_LEAST ||
        head->e_phoff + head->e_phnum * sizeof(ElfW(Phdr)) > PAGE_LEAST)
        return false;
    return take_segment(place, map->l_addr, (const void *)((const char *)head + head->e_phoff),
                        head->e_phnum);
}

/*
 * The loader's list is asked only where the head does not tell: the list has a lock of its own, which a fork
 * leaves to the child as another thread held it.
 */
bool module_segment(const void *address, uintptr_t *start, uintptr_t *end)
{
    struct place place = {.inside = (uintptr_t)address};

    if (!take_from_head(&place))
        dl_iterate_phdr(take_listed, &place);
    *start = place.start;
    *end = place.end;
    return place.end;
}
