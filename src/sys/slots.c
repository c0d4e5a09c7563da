#include "sys/slots.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "sys/module.h"
#include "sys/raw.h"

/* A word that holds the address of a symbol and no more: of a call, of a reference, in initialised data. */
#if defined(__x86_64__)
enum { OF_CALL = R_X86_64_JUMP_SLOT, OF_REFERENCE = R_X86_64_GLOB_DAT, IN_DATA = R_X86_64_64 };
#elif defined(__aarch64__)
enum { OF_CALL = R_AARCH64_JUMP_SLOT, OF_REFERENCE = R_AARCH64_GLOB_DAT, IN_DATA = R_AARCH64_ABS64 };
#else
#error "which relocations are the address of a symbol?"
#endif

static bool is_slot(const ElfW(Rela) * entry)
{
    unsigned type = ELF64_R_TYPE(entry->r_info);
    return type == OF_CALL || type == OF_REFERENCE || (type == IN_DATA && entry->r_addend == 0);
}

size_t slots_choose_all(const struct link_map *map, slots_choose *choose, void *context,
                        struct slots_change *changes, size_t count, size_t room)
{
    struct module module;

    if (!module_read(&module, map->l_addr, map->l_ld))
        return count;
    const struct {
        const ElfW(Rela) * entries;
        size_t count;
    } tables[] = {
        {module.relocations, module.relocations ? module.relocation_count : 0},
        {module.jumps,       module.jumps ? module.jump_count : 0            },
    };
    for (size_t table = 0; table < sizeof tables / sizeof *tables; table++)
        for (size_t i = 0; i < tables[table].count; i++) {
            const ElfW(Rela) *entry = &tables[table].entries[i];
            if (!is_slot(entry))
                continue;
            const ElfW(Sym) *symbol = &module.symbols[ELF64_R_SYM(entry->r_info)];
            void **slot = (void **)(map->l_addr + entry->r_offset);
            void *bound = __atomic_load_n(slot, __ATOMIC_RELAXED);
            void *to = choose(context, module.strings + symbol->st_name, bound);
            if (to != bound && count < room)
                changes[count++] = (struct slots_change){map->l_addr, slot, to};
        }
    return count;
}

struct work {
    const struct slots_change *changes;
    size_t count;
};

struct range {
    uintptr_t start, end;
};

static bool holds(const struct range *range, const void *at)
{
    return (uintptr_t)at - range->start < range->end - range->start;
}

/* What the loader has made read-only when it had bound the object: whole pages, as it rounds them. */
static struct range read_only_of(const struct dl_phdr_info *info)
{
    uintptr_t mask = ~(getauxval(AT_PAGESZ) - 1);

    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO) {
            uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            return (struct range){start & mask, (start + info->dlpi_phdr[i].p_memsz) & mask};
        }
    return (struct range){0, 0};
}

static bool is_writable(const struct dl_phdr_info *info, const void *at)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_LOAD && header->p_flags & PF_W &&
            (uintptr_t)at - (info->dlpi_addr + header->p_vaddr) < header->p_memsz)
            return true;
    }
    return false;
}

/* Lazy binding by another thread may write the same word. */
static void write_slot(const struct slots_change *change)
{
    __atomic_store_n(change->slot, change->to, __ATOMIC_RELEASE);
}

static int change_object(struct dl_phdr_info *info, size_t size, void *context)
{
    const struct work *work = context;
    struct range sealed = read_only_of(info);
    bool is_open = false;

    (void)size;
    for (size_t i = 0; i < work->count; i++) {
        const struct slots_change *change = &work->changes[i];
        if (change->base != info->dlpi_addr || !is_writable(info, change->slot))
            continue;
        if (!is_open && holds(&sealed, change->slot)) {
            if (sys_mprotect((void *)sealed.start, sealed.end - sealed.start, PROT_READ | PROT_WRITE) < 0)
                continue;
            is_open = true;
        }
        write_slot(change);
    }
    if (is_open)
        sys_mprotect((void *)sealed.start, sealed.end - sealed.start, PROT_READ);
    return 0;
}

void slots_change_all(const struct slots_change *changes, size_t count)
{
    struct work work = {changes, count};

    if (count)
        dl_iterate_phdr(change_object, &work);
}
