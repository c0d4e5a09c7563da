#include "sys/elf.h"

#include <elf.h>
#include <string.h>

#include "sys/raw.h"

/* More are damage: who wrote the file may mean to keep us reading. */
enum { BUCKETS_MOST = 1 << 20, SYMBOLS_MOST = 1 << 20, DYNAMIC_MOST = 1024 };
enum { NATIVE_ORDER = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB };

static bool read_at(const struct elf *elf, uint64_t offset, void *to, size_t size)
{
    return offset <= INT64_MAX && sys_pread(elf->fd, to, size, (int64_t)offset) == (long)size;
}

static bool is_wide(const struct elf *elf)
{
    return elf->class == ELFCLASS64;
}

static bool read_header(struct elf *elf)
{
    unsigned char start[EI_NIDENT];
    Elf64_Ehdr wide;
    Elf32_Ehdr narrow;

    if (!read_at(elf, 0, start, sizeof start) || memcmp(start, ELFMAG, SELFMAG) != 0)
        return false;
    elf->class = start[EI_CLASS];
    elf->order = start[EI_DATA];
    if (elf->order != NATIVE_ORDER)
        return true;
    if (is_wide(elf) && read_at(elf, 0, &wide, sizeof wide)) {
        elf->machine = wide.e_machine;
        elf->type = wide.e_type;
        elf->headers = wide.e_phoff;
        elf->header_count = wide.e_phnum;
        elf->header_size = wide.e_phentsize;
    } else if (elf->class == ELFCLASS32 && read_at(elf, 0, &narrow, sizeof narrow)) {
        elf->machine = narrow.e_machine;
        elf->type = narrow.e_type;
        elf->headers = narrow.e_phoff;
        elf->header_count = narrow.e_phnum;
        elf->header_size = narrow.e_phentsize;
    }
    return true;
}

bool elf_segment(const struct elf *elf, unsigned index, struct elf_segment *segment)
{
    uint64_t at = elf->headers + (uint64_t)index * elf->header_size;
    Elf64_Phdr wide;
    Elf32_Phdr narrow;

    if (index >= elf->header_count)
        return false;
    if (is_wide(elf)) {
        if (elf->header_size < sizeof wide || !read_at(elf, at, &wide, sizeof wide))
            return false;
        *segment =
            (struct elf_segment){wide.p_type, wide.p_flags, wide.p_offset, wide.p_vaddr, wide.p_filesz};
        return true;
    }
    if (elf->header_size < sizeof narrow || !read_at(elf, at, &narrow, sizeof narrow))
        return false;
    *segment =
        (struct elf_segment){narrow.p_type, narrow.p_flags, narrow.p_offset, narrow.p_vaddr, narrow.p_filesz};
    return true;
}

bool elf_segment_of(const struct elf *elf, uint32_t type, struct elf_segment *segment)
{
    for (unsigned i = 0; elf_segment(elf, i, segment); i++)
        if (segment->type == type)
            return true;
    return false;
}

uint64_t elf_offset(const struct elf *elf, uint64_t address)
{
    struct elf_segment segment;

    for (unsigned i = 0; elf_segment(elf, i, &segment); i++)
        if (segment.type == PT_LOAD && address - segment.address < segment.size)
            return segment.offset + (address - segment.address);
    return 0;
}

bool elf_dynamic(const struct elf *elf, unsigned index, int64_t *tag, uint64_t *value)
{
    uint64_t size = is_wide(elf) ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);
    uint64_t at = elf->dynamic + index * size;
    Elf64_Dyn wide;
    Elf32_Dyn narrow;

    if (!elf->dynamic || index >= DYNAMIC_MOST || (index + 1) * size > elf->dynamic_size)
        return false;
    if (is_wide(elf)) {
        if (!read_at(elf, at, &wide, sizeof wide))
            return false;
        *tag = wide.d_tag;
        *value = wide.d_un.d_val;
    } else {
        if (!read_at(elf, at, &narrow, sizeof narrow))
            return false;
        *tag = narrow.d_tag;
        *value = narrow.d_un.d_val;
    }
    return *tag != DT_NULL;
}

uint64_t elf_dynamic_of(const struct elf *elf, int64_t wanted)
{
    int64_t tag;
    uint64_t value;

    for (unsigned i = 0; elf_dynamic(elf, i, &tag, &value); i++)
        if (tag == wanted)
            return value;
    return 0;
}

/* Where nothing is defined, GNU ld's hash says 1 of any number; but it puts the strings right behind the
 * symbols. */
static unsigned count_undefined(const struct elf *elf)
{
    uint64_t size = is_wide(elf) ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
    return elf->strings > elf->symbols ? (unsigned)((elf->strings - elf->symbols) / size) : 1;
}

/* DT_GNU_HASH does not say how many symbols there are: the last one ends the last bucket's chain. */
static unsigned count_gnu(const struct elf *elf, uint64_t table)
{
    uint32_t head[4], bucket, last = 0, word;

    if (!read_at(elf, table, head, sizeof head) || head[0] > BUCKETS_MOST)
        return 0;
    uint64_t buckets = table + sizeof head + (uint64_t)head[2] * (is_wide(elf) ? 8 : 4);
    uint64_t chains = buckets + (uint64_t)head[0] * sizeof bucket;
    for (uint32_t i = 0; i < head[0]; i++) {
        if (!read_at(elf, buckets + i * sizeof bucket, &bucket, sizeof bucket))
            return 0;
        last = bucket > last ? bucket : last;
    }
    if (last < head[1])
        return head[1] > 1 ? head[1] : count_undefined(elf);
    do
        if (!read_at(elf, chains + (uint64_t)(last - head[1]) * sizeof word, &word, sizeof word))
            return last;
    while (last++, !(word & 1) && last - head[1] < SYMBOLS_MOST);
    return last;
}

unsigned elf_symbols(const struct elf *elf)
{
    uint64_t gnu = elf_offset(elf, elf_dynamic_of(elf, DT_GNU_HASH));
    uint64_t hash = elf_offset(elf, elf_dynamic_of(elf, DT_HASH));
    uint32_t head[2];

    unsigned count = 0;

    if (hash && read_at(elf, hash, head, sizeof head))
        count = head[1];
    else if (gnu)
        count = count_gnu(elf, gnu);
    return count < SYMBOLS_MOST ? count : SYMBOLS_MOST;
}

bool elf_symbol(const struct elf *elf, unsigned index, char *name, size_t size, bool *is_defined)
{
    Elf64_Sym wide;
    Elf32_Sym narrow;

    if (!elf->symbols)
        return false;
    if (is_wide(elf)) {
        if (!read_at(elf, elf->symbols + index * sizeof wide, &wide, sizeof wide))
            return false;
        *is_defined = wide.st_shndx != SHN_UNDEF;
        return elf_string(elf, wide.st_name, name, size);
    }
    if (!read_at(elf, elf->symbols + index * sizeof narrow, &narrow, sizeof narrow))
        return false;
    *is_defined = narrow.st_shndx != SHN_UNDEF;
    return elf_string(elf, narrow.st_name, name, size);
}

int elf_open(struct elf *elf, const char *path)
{
    struct elf_segment dynamic;
    struct stat file;

    int result = sys_stat(path, &file);
    if (result < 0)
        return result;
    if (!S_ISREG(file.st_mode)) /* opening a device may set it going */
        return -ENOEXEC;
    *elf = (struct elf){.fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0)};
    if (elf->fd < 0)
        return elf->fd;
    if (!read_header(elf)) {
        sys_close(elf->fd);
        return -ENOEXEC;
    }
    if (elf_segment_of(elf, PT_DYNAMIC, &dynamic)) {
        elf->dynamic = dynamic.offset;
        elf->dynamic_size = dynamic.size;
        elf->strings = elf_offset(elf, elf_dynamic_of(elf, DT_STRTAB));
        elf->symbols = elf_offset(elf, elf_dynamic_of(elf, DT_SYMTAB));
    }
    return 0;
}

void elf_close(struct elf *elf)
{
    sys_close(elf->fd);
}

bool elf_string(const struct elf *elf, uint64_t at, char *text, size_t size)
{
    if (!elf->strings || at > INT32_MAX || size == 0)
        return false;
    long length = sys_pread(elf->fd, text, size, (int64_t)(elf->strings + at));
    return length > 0 && memchr(text, '\0', (size_t)length);
}

bool elf_needs(const struct elf *elf, unsigned index, char *name, size_t size)
{
    int64_t tag;
    uint64_t value;

    for (unsigned i = 0; elf_dynamic(elf, i, &tag, &value); i++)
        if (tag == DT_NEEDED && index-- == 0)
            return elf_string(elf, value, name, size);
    return false;
}
