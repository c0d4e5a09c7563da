"""Gives an ELF file another symbol version, or none. Usage: version.py FROM TO FILE [OLD NEW]"""
import struct
import sys


def elf_hash(name):
    value = 0
    for byte in name:
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high & 0xFFFFFFFF
    return value


def renamed(data, old, new):
    assert len(old) == len(new)
    data = data.replace(old + b"\0", new + b"\0")
    return data.replace(struct.pack("<I", elf_hash(old)), struct.pack("<I", elf_hash(new)))


def sections(data):
    """Offset and size of the sections, by type."""
    offset, size, count = struct.unpack_from("<Q", data, 40)[0], *struct.unpack_from("<HH", data, 58)
    headers = [struct.unpack_from("<IIQQQQ", data, offset + i * size) for i in range(count)]
    return {kind: (start, length) for _, kind, _, _, start, length in headers}


def without_versions(data):
    """As linked without a version script: curl's symbols are global, nothing is defined under a version."""
    result = bytearray(data)
    by_type = sections(data)
    symbols, size = by_type[11]
    versions = by_type[0x6FFFFFFF][0]
    dynamic, dynamic_size = by_type[6]
    tags = [struct.unpack_from("<QQ", data, at) for at in range(dynamic, dynamic + dynamic_size, 16)]
    strings = dict(tags)[5]  # the first segment is mapped as it lies in the file
    for i in range(size // 24):
        name = strings + struct.unpack_from("<I", data, symbols + 24 * i)[0]
        if data[name : name + 5] == b"curl_":
            struct.pack_into("<H", result, versions + 2 * i, 1)
    for i, (tag, _) in enumerate(tags):
        if tag in (0x6FFFFFFC, 0x6FFFFFFD):
            struct.pack_into("<Q", result, dynamic + 16 * i, 0x60000001)
    return bytes(result)


source, target, *names = sys.argv[1:]
contents = open(source, "rb").read()
contents = renamed(contents, *(name.encode() for name in names)) if names else without_versions(contents)
open(target, "wb").write(contents)
