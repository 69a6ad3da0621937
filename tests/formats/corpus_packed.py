"""7z archives by 7-Zip itself, and RAR archives built here (nothing but the original writes them)."""
import pathlib
import shutil
import struct
import subprocess
import tempfile
import zlib

from shapes import EVIL, shape


def seven_zip_of(members, *options):
    program = shutil.which("7zz") or shutil.which("7z")
    assert program, "7-Zip is missing: script/bootstrap --test installs it"
    with tempfile.TemporaryDirectory() as folder:
        for name, content in members:
            (pathlib.Path(folder) / name).write_bytes(content)
        subprocess.run([program, "a", "-bso0", "-bsp0", *options, "out.7z", *(name for name, _ in members)], cwd=folder, check=True)
        return (pathlib.Path(folder) / "out.7z").read_bytes()


def rar4_of(members, file_flags=0, archive_flags=0):
    """Stored members in the form of RAR 2.9 to 4."""
    def block(kind, flags, rest, content=b""):
        head = struct.pack("<BHH", kind, flags, 7 + len(rest)) + rest
        return struct.pack("<H", zlib.crc32(head) & 0xFFFF) + head + content
    out = b"Rar!\x1a\x07\x00" + block(0x73, archive_flags, bytes(6))
    for name, content in members:
        raw = name.encode()
        rest = struct.pack("<IIBIIBBHI", len(content), len(content), 3, zlib.crc32(content), 0, 29, 0x30, len(raw), 0o100644) + raw
        out += block(0x74, 0x8000 | file_flags, rest, content)
    return out + block(0x7B, 0x4000, b"")


def number(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def rar5_of(members, extra=b"", archive_flags=0, file_flags=0):
    """Stored members in the form of RAR 5."""
    def block(kind, flags, rest, content=b""):
        fields = number(kind) + number(flags | (1 if extra and kind == 2 else 0) | (2 if content else 0))
        if extra and kind == 2:
            fields += number(len(extra))
            rest += extra
        head = fields + (number(len(content)) if content else b"") + rest
        head = number(len(head)) + head
        return struct.pack("<I", zlib.crc32(head)) + head + content
    out = b"Rar!\x1a\x07\x01\x00" + block(1, 0, number(archive_flags))
    for name, content in members:
        raw = name.encode()
        out += block(2, file_flags, number(4) + number(len(content)) + number(0o100644) + struct.pack("<I", zlib.crc32(content)) +
                     number(0) + number(1) + number(len(raw)) + raw, content)
    return out + block(5, 0, number(0))


FINE = [("readme.txt", b"nothing to see here\n" * 20)]
HIDDEN = [*FINE, ("model.pkl", EVIL)]


@shape(extension=".7z", verdict="suspicious")
def seven_zip_noise():
    """the mark of 7z before noise"""
    import random
    return b"7z\xbc\xaf\x27\x1c" + b"\x00\x04" + random.Random(7).randbytes(200)


def seven_zip_shape(method):
    def make():
        return seven_zip_of(HIDDEN, "-m0=" + method)
    make.__name__, make.__doc__ = "seven_zip_" + method.lower(), f"a pickle in a 7z archive packed with {method}"
    shape(extension=".7z")(make)


for name in ("LZMA", "LZMA2", "PPMd", "BZip2", "Deflate", "Copy"):
    seven_zip_shape(name)


@shape(extension=".7z", verdict="suspicious")
def seven_zip_encrypted():
    """a 7z archive with a password"""
    return seven_zip_of(HIDDEN, "-psecret")


@shape(extension=".7z", verdict="suspicious")
def seven_zip_encrypted_names():
    """a 7z archive whose names are encrypted as well"""
    return seven_zip_of(HIDDEN, "-psecret", "-mhe=on")


@shape(extension=".7z", verdict="suspicious")
def seven_zip_deflate64():
    """a 7z archive packed in a way that is not known"""
    return seven_zip_of(HIDDEN, "-m0=Deflate64")


@shape(extension=".7z")
def seven_zip_behind():
    """a pickle behind an honest 7z archive"""
    return seven_zip_of(FINE) + EVIL


@shape(extension=".7z")
def seven_zip_nested():
    """a 7z archive in a 7z archive"""
    return seven_zip_of([("inner.7z", seven_zip_of(HIDDEN))])


@shape(extension=".7z", verdict="suspicious")
def seven_zip_cut():
    """a 7z archive that breaks off"""
    return seven_zip_of(HIDDEN)[:120]


@shape(extension=".rar")
def rar4_stored():
    """a pickle in a rar archive of version 4"""
    return rar4_of(HIDDEN)


@shape(extension=".rar")
def rar5_stored():
    """a pickle in a rar archive of version 5"""
    return rar5_of(HIDDEN)


@shape(extension=".rar", verdict="suspicious")
def rar4_encrypted():
    """a member of a rar archive marked as encrypted"""
    return rar4_of(FINE, file_flags=4)


@shape(extension=".rar", verdict="suspicious")
def rar4_encrypted_names():
    """a rar archive whose headers are marked as encrypted"""
    return rar4_of(FINE, archive_flags=0x80)


@shape(extension=".rar", verdict="suspicious")
def rar5_encrypted():
    """a member of a rar 5 archive with a record of encryption, whose checksum fits the bytes as they are"""
    record = number(1) + number(0) + number(0) + b"\x0f" + bytes(16) + bytes(16)
    return rar5_of(FINE, extra=number(len(record)) + record)


@shape(extension=".rar", verdict="suspicious")
def rar5_escape():
    """a member of a rar archive that leaves the folder"""
    return rar5_of([("../../.bashrc", b"true\n")])


@shape(extension=".rar", verdict="suspicious")
def rar5_volume():
    """a part of a set of rar volumes"""
    return rar5_of(FINE, archive_flags=1, file_flags=0x10)


@shape(extension=".rar", verdict="suspicious")
def rar4_volume():
    """a part of an old set of rar volumes"""
    return rar4_of(FINE, archive_flags=1, file_flags=2)
