/*
 * An object as the loader has mapped it, and its symbols read as the loader reads them: by hash, name and
 * version. Nothing here allocates or leaves a trace in dlerror(3), so it may be used
 * where the loader's own functions are being looked for.
 */
#ifndef GUSSET_SYS_MODULE_H
#define GUSSET_SYS_MODULE_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct module {
    uintptr_t base;
    const char *strings;
    const ElfW(Sym) * symbols;
    const uint16_t *versions; /* a version's index for each symbol; NULL: the object has no versions */
    const ElfW(Verdef) * definitions;
    const uint32_t *gnu_hash, *hash;        /* one may be NULL */
    const ElfW(Rela) * relocations, *jumps; /* data's, and those of calls by way of the PLT; NULL: none */
    size_t relocation_count, jump_count;
};

/* Reads an object's dynamic section. False when it has no symbols to look up. */
bool module_read(struct module *module, uintptr_t base, const ElfW(Dyn) * dynamic);

/* Gusset itself; false where the loader's list does not hold it. */
bool module_own(struct module *module);

/*
 * The function that the object defines under that name and version; NULL: none. A version of NULL takes
 * the default one; an object without versions has every version, as for the loader.
 */
void *module_find(const struct module *module, const char *name, const char *version);

/* The version under which the name is defined by default; NULL: none, or the object has no versions. */
const char *module_version(const struct module *module, const char *name);

/* The function or variable of that name in the first object that comes after gusset and defines it; NULL:
 * none. */
void *module_find_next(const char *name);

/*
 * The same among the objects up to the loader itself, libc with them: they came with the program, in the
 * order in which the loader searches, and stay while it lives. No lock is taken, so it may be asked by a
 * signal handler and by the child of a fork, whatever other threads load and unload.
 */
void *module_find_lasting(const char *name);

/* The object in which the address lies; NULL: none. Takes the loader's lock, and is no signal handler's. */
const struct link_map *module_at(const void *address);

/* Whether the object came with the program: then it was bound with gusset in front, and stays. No lock. */
bool module_is_lasting(const struct link_map *map);

/*
 * The mapped segment in which the address lies, as its start and its end; false where the loader has none.
 */
bool module_segment(const void *address, uintptr_t *start, uintptr_t *end);

#endif
