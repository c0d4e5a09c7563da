/*
 * An ELF file on disk, 32-bit or 64-bit, in this machine's byte order: its kind, its segments and its
 * dynamic section. Read piece by piece with pread, because a mapped file that shrinks would kill us. What a
 * file says of its own size is believed up to bounds that no real one comes near.
 */
#ifndef GUSSET_SYS_ELF_H
#define GUSSET_SYS_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf {
    int fd;
    unsigned char class, order; /* ELFCLASS…, ELFDATA… */
    uint16_t machine, type;     /* 0 in a file of the other byte order, of which no more is believed */
    uint64_t headers;           /* where the program headers stand */
    unsigned header_count, header_size;
    uint64_t dynamic, dynamic_size; /* where the dynamic section stands; 0: a static file */
    uint64_t strings;               /* where its strings stand; 0: there are none */
    uint64_t symbols;               /* where its dynamic symbols stand; 0: there are none */
};

struct elf_segment {
    uint32_t type; /* PT_… */
    uint32_t flags;
    uint64_t offset, address, size; /* size in the file, bytes */
};

/* Opens and looks. Returns 0, or -ENOEXEC for what is no ELF file (devices are not opened), or -errno; then
 * there is nothing to close.
 */
int elf_open(struct elf *elf, const char *path);
void elf_close(struct elf *elf);

/* The segment of that index; false behind the last one. */
bool elf_segment(const struct elf *elf, unsigned index, struct elf_segment *segment);

/* The first segment of that type. */
bool elf_segment_of(const struct elf *elf, uint32_t type, struct elf_segment *segment);

/* The entry of the dynamic section with that index; false behind the last one. */
bool elf_dynamic(const struct elf *elf, unsigned index, int64_t *tag, uint64_t *value);

/* The value of the first entry with that tag (DT_…); 0: there is none. */
uint64_t elf_dynamic_of(const struct elf *elf, int64_t tag);

/* The string at that place of the dynamic strings; false when it is not there or does not fit. */
bool elf_string(const struct elf *elf, uint64_t at, char *text, size_t size);

/* The index-th library that the file needs, counted from 0; false behind the last one. */
bool elf_needs(const struct elf *elf, unsigned index, char *name, size_t size);

/* How many dynamic symbols there are, the empty one at index 0 included; 0 when it cannot be told. */
unsigned elf_symbols(const struct elf *elf);

/* The dynamic symbol of that index; false when it cannot be read. */
bool elf_symbol(const struct elf *elf, unsigned index, char *name, size_t size, bool *is_defined);

/* Where in the file an address lies; 0: nowhere. */
uint64_t elf_offset(const struct elf *elf, uint64_t address);

#endif
