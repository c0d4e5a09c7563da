#include "loader/rebind.h"

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>

#include "loader/lookup.h"
#include "sys/linker.h"
#include "sys/module.h"
#include "sys/slots.h"

/* How much is looked at; what is beyond stays bound past gusset. */
enum { OBJECTS_MOST = 128, CHANGES_MOST = 512 };

struct tree {
    void *library;
    struct module own;
    const struct link_map *objects[OBJECTS_MOST]; /* the library first, then what it needs */
    unsigned object_count, at;
    struct slots_change changes[CHANGES_MOST];
    size_t change_count;
};

static const struct link_map *map_of(void *library)
{
    struct link_map *map;
    return linker_info(library, RTLD_DI_LINKMAP, &map) < 0 ? NULL : map;
}

static void add(struct tree *tree, const struct link_map *map)
{
    if (!map || tree->object_count == OBJECTS_MOST || module_is_lasting(map))
        return;
    for (unsigned i = 0; i < tree->object_count; i++)
        if (tree->objects[i] == map)
            return;
    tree->objects[tree->object_count++] = map;
}

/* The loader itself says what a name means. The library keeps loaded whatever is found so. */
static void add_needed(struct tree *tree, const struct link_map *map)
{
    struct module module;

    if (!module_read(&module, map->l_addr, map->l_ld))
        return;
    for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag != DT_NEEDED)
            continue;
        void *needed = linker_open(module.strings + entry->d_un.d_val, RTLD_LAZY | RTLD_NOLOAD);
        if (!needed)
            continue;
        add(tree, map_of(needed));
        linker_close(needed);
    }
}

/*
 * A slot whose first call is still to come points into its own object. So does one of a function that the
 * object has itself; the loader tells them apart.
 */
static void *meaning(const struct tree *tree, const char *name, void *bound)
{
    if (module_at(bound) != tree->objects[tree->at])
        return bound;
    return linker_find(tree->library, name, NULL);
}

static void *choose(void *context, const char *name, void *bound)
{
    const struct tree *tree = context;
    void *ours = module_find(&tree->own, name, NULL);

    if (!ours || bound == ours)
        return bound;
    void *meant = meaning(tree, name, bound);
    void *stub = !meant                               ? NULL
                 : lookup_is_curls(name)              ? lookup_in_front_of(meant, name)
                 : module_find_lasting(name) == meant ? ours
                                                      : NULL;
    return stub ? stub : bound;
}

void rebind_library(void *library)
{
    struct tree *tree = malloc(sizeof *tree);

    if (!tree)
        return;
    tree->library = library;
    tree->object_count = 0;
    tree->change_count = 0;
    if (module_own(&tree->own))
        add(tree, map_of(library));
    for (tree->at = 0; tree->at < tree->object_count; tree->at++) {
        const struct link_map *map = tree->objects[tree->at];
        add_needed(tree, map);
        tree->change_count =
            slots_choose_all(map, choose, tree, tree->changes, tree->change_count, CHANGES_MOST);
    }
    slots_change_all(tree->changes, tree->change_count);
    free(tree);
    linker_forget_error();
}
