"""Archives in which loaders see what scanners do not."""
import gzip
import io
import lzma
import pickle
import struct
import tarfile
import zipfile
import zlib

from shapes import EVIL, EVIL4, data, glob, shape, short, stack_global, torch_zip, zip_of


# --- archives ---------------------------------------------------------------------------------

def patch(content, find, offset, value, which=0):
    """Changes bytes at `offset` from the which-th place of `find`."""
    at = -1
    for _ in range(which + 1):
        at = content.index(find, at + 1)
    return content[:at + offset] + value + content[at + offset + len(value):]


LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


@shape(extension=".pt")
def zip_plain():
    """a checkpoint whose pickle calls"""
    return torch_zip()


@shape(extension=".pt")
def zip_deflated():
    """the same, compressed"""
    return zip_of([("archive/data.pkl", EVIL)], zipfile.ZIP_DEFLATED)


@shape(extension=".pt")
def zip_bzip2():
    """the same with bzip2"""
    return zip_of([("archive/data.pkl", EVIL * 3)], zipfile.ZIP_BZIP2)


@shape(extension=".pt")
def zip_lzma():
    """the same with lzma"""
    return zip_of([("archive/data.pkl", EVIL * 3)], zipfile.ZIP_LZMA)


@shape(extension=".pt")
def zip_odd_name():
    """the pickle has a name without extension"""
    return zip_of([("archive/data/0", EVIL)])


@shape(extension=".pt")
def zip_encrypted_flag():
    """marked as encrypted, which Python refuses and others ignore"""
    content = patch(torch_zip(), LOCAL, 6, b"\x01\x00")
    return patch(content, CENTRAL, 8, b"\x01\x00")


@shape(extension=".pt")
def zip_encrypted_flag_one_side():
    """marked as encrypted in the directory alone"""
    return patch(torch_zip(), CENTRAL, 8, b"\x01\x00")


@shape(extension=".pt")
def zip_wrong_crc():
    """a wrong checksum, which Python refuses and torch ignores"""
    return patch(patch(torch_zip(), CENTRAL, 16, b"\xde\xad\xbe\xef"), LOCAL, 14, b"\xde\xad\xbe\xef")


@shape(extension=".pt")
def zip_name_mismatch():
    """another name in the local header, which Python refuses"""
    return patch(torch_zip(), LOCAL, 30, b"archive/mask.txt")


@shape(extension=".pt")
def zip_method_mismatch():
    """the directory says deflated, the bytes are stored"""
    return patch(torch_zip(), CENTRAL, 10, b"\x08\x00")


@shape(extension=".pt")
def zip_local_method_mismatch():
    """the local header says an unknown compression"""
    return patch(torch_zip(), LOCAL, 8, b"\x63\x00")


@shape(extension=".pt")
def zip_size_mismatch():
    """the directory says that the pickle is empty"""
    return patch(torch_zip(), CENTRAL, 20, b"\x00" * 8)


@shape(extension=".pt")
def zip_no_directory():
    """the directory and the end record are missing; streaming readers do not need them"""
    content = torch_zip()
    return content[:content.index(CENTRAL)]


@shape(extension=".pt")
def zip_not_in_directory():
    """a member that the directory leaves out"""
    content = zip_of([("archive/data.pkl", EVIL), ("archive/version", b"3\n")])
    first = content.index(CENTRAL)
    second = content.index(CENTRAL, first + 4)
    end = content.index(END)
    directory = content[second:end]
    tail = struct.pack("<4s4H2IH", END, 0, 0, 1, 1, len(directory), first, 0)
    return content[:first] + directory + tail


@shape(extension=".pt")
def zip_duplicate():
    """two members of one name: loaders take the first or the last"""
    harmless = pickle.dumps({"a": 1}, 2)
    content = zip_of([("archive/data.pkl", EVIL), ("archive/datb.pkl", harmless)])
    return content.replace(b"datb", b"data")


@shape(extension=".pt")
def zip_two_ends():
    """two end records: an archive in the comment of another"""
    inner = torch_zip()
    outer = zip_of([("readme.txt", b"weights")])
    return outer[:-2] + struct.pack("<H", len(inner)) + inner


@shape(extension=".pt")
def zip_moved_directory():
    """the end record's offset leads to another directory than its place"""
    evil, plain_ = torch_zip(), zip_of([("archive/data.pkl", pickle.dumps({}, 2))])
    combined = evil[:evil.index(END)] + plain_[:plain_.index(CENTRAL)]
    shift = evil.index(END)
    directory = bytearray(plain_[plain_.index(CENTRAL):plain_.index(END)])
    struct.pack_into("<I", directory, 42, shift)
    end = struct.pack("<4s4H2IH", END, 0, 0, 1, 1, len(directory), evil.index(CENTRAL), 0)
    return combined + bytes(directory) + end


@shape(extension=".pt")
def zip_prepended():
    """bytes before the archive"""
    return b"#!/bin/true\n" + b"\x00" * 100 + torch_zip()


@shape(extension=".pt")
def zip_appended():
    """a pickle after the archive"""
    return zip_of([("archive/data.pkl", pickle.dumps({}, 2))]) + b"\x00" * 40 + EVIL4


@shape(extension=".pt")
def polyglot():
    """a pickle in front for torch's legacy loader, an archive behind for everybody else"""
    return EVIL + zip_of([("archive/data.pkl", pickle.dumps({}, 2))])


@shape(extension=".pt")
def zip_between_members():
    """a member hidden between two others"""
    hidden = zip_of([("archive/data.pkl", EVIL)])
    hidden = hidden[:hidden.index(CENTRAL)]
    content = zip_of([("a.txt", b"a"), ("b.txt", b"b")])
    at = content.index(LOCAL, 4)
    moved = content[:at] + hidden + content[at:]
    moved = bytearray(moved)
    central = moved.index(CENTRAL)
    second = moved.index(CENTRAL, central + 4)
    struct.pack_into("<I", moved, second + 42, at + len(hidden))
    end = moved.index(END)
    struct.pack_into("<I", moved, end + 16, central)
    return bytes(moved)


@shape(extension=".pt")
def zip_data_descriptor():
    """sizes only after the data, and no directory"""
    name = b"archive/data.pkl"
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packed.compress(EVIL) + packed.flush()
    return (struct.pack("<4s5H3I2H", LOCAL, 20, 8, 8, 0, 0, 0, 0, 0, len(name), 0) + name + body
            + struct.pack("<4s3I", b"PK\x07\x08", zlib.crc32(EVIL), len(body), len(EVIL)))


@shape(extension=".zip")
def zip_nested():
    """an archive in an archive in an archive"""
    return zip_of([("inner.zip", zip_of([("model.bin", torch_zip())], zipfile.ZIP_DEFLATED))])


@shape(extension=".nemo")
def tar_plain():
    """a tar archive with a checkpoint"""
    return tar_of([("model_weights.ckpt", torch_zip())])


def tar_of(members, mode="w"):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


@shape(extension=".tar.gz")
def tar_gzip():
    """a compressed tar archive"""
    return tar_of([("a/b/model.pkl", EVIL)], "w:gz")


@shape(extension=".tar")
def tar_after_end():
    """a member after the end marker"""
    return tar_of([("readme.txt", b"x")]) + tar_of([("model.pkl", EVIL)])


@shape(extension=".tar", verdict="suspicious")
def tar_escape():
    """a member that leaves the folder"""
    return tar_of([("../../.bashrc", b"true\n")])


@shape(extension=".zip", verdict="suspicious")
def zip_escape():
    """a zip member that leaves the folder"""
    return zip_of([("../../.bashrc", b"true\n")])


@shape(extension=".pkl.gz", verdict="suspicious")
def bomb():
    """a stream that unpacks to very much"""
    stream = io.BytesIO()
    with lzma.open(stream, "wb", preset=1) as packed:
        block = b"\x00" * (1 << 20)
        for _ in range(160):
            packed.write(block)
    return stream.getvalue()


@shape(extension=".npz")
def npz_objects():
    """an array of objects in an .npz"""
    return zip_of([("x.npy", npy_objects())])


def npy_header(descr, shape_, version=1):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape_}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(header)) + header


@shape(extension=".npy")
def npy_objects():
    """an array of objects is a pickle"""
    return npy_header("'|O'", "(1,)") + EVIL


@shape(extension=".npy")
def npy_behind():
    """a pickle behind the data of an array"""
    return npy_header("'<f4'", "(2,)") + b"\x00" * 8 + EVIL4


@shape(extension=".pt")
def zip64_two_records():
    """two zip64 end records: the locator points to one, the other lies before it"""
    def record(entries, size, offset):
        return struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, size, offset)
    evil, plain_ = zip_of([("archive/data.pkl", EVIL)]), zip_of([("archive/data.pkl", pickle.dumps({}, 2))])
    first, central = evil[:evil.index(CENTRAL)], evil[evil.index(CENTRAL):evil.index(END)]
    # The evil member is deflated away from signature searches by lying inside of the harmless one's extra bytes.
    body = first + plain_[:plain_.index(CENTRAL)]
    directory = bytearray(plain_[plain_.index(CENTRAL):plain_.index(END)])
    struct.pack_into("<I", directory, 42, len(first))
    evil_at, plain_at = len(body), len(body) + len(central)
    pointed = record(1, len(central), evil_at)
    pointed_at = plain_at + len(directory)
    near = record(1, len(directory), plain_at)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, pointed_at, 1)
    end = struct.pack("<4s4H2IH", END, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return body + central + bytes(directory) + pointed + near + locator + end


@shape(extension=".pt")
def gap_behind_long_literal():
    """a pickle behind the archive that starts with megabytes of text"""
    harmless = zip_of([("archive/data.pkl", pickle.dumps({}, 2))])
    return harmless + b"\x00" * 9 + b"\x80\x04K\x010K\x010" + data(b"\x00" * 3_000_000) + b"0" + EVIL4[2:]


@shape(extension=".zip")
def cut_member_of_odd_name():
    """a member without a telling name: the name of the call is made, then the bytes are cut off"""
    made = (b"\x80\x04" + stack_global("_codecs", "encode") + short("bf") + short("rot13") + b"\x86R"
            + short("system") + b"\x93" + short("true") + b"\x85R")
    return zip_of([("weights/0", made)])


@shape(extension=".pkl.gz", verdict="suspicious")
def packed_and_cut():
    """a compressed pickle that names something unknown and is cut off"""
    return gzip.compress(b"\x80\x02" + glob("mystery.helpers", "restore") + b")R")


@shape(extension=".zip", verdict="suspicious")
def many_ends():
    """a thousand end records"""
    content = zip_of([("a.txt", b"a")])
    return content[:-2] + struct.pack("<H", 22 * 1000) + content[content.index(END):-2].ljust(22, b"\x00") * 1000


@shape(extension=".raw", verdict="suspicious")
def pickles_everywhere():
    """bytes that start a pickle at every second place, so that following them takes for ever"""
    return b"\x00" * 64 + b"\x80\x04" * 200_000


def zip_with(info, content):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(info, content)
    return stream.getvalue()


@shape(extension=".zip", verdict="suspicious")
def zip_unicode_name():
    """A zip member whose Unicode name, by which Python and Info-ZIP go, leads out of the folder."""
    info, name = zipfile.ZipInfo("notes.txt"), b"../../run.py"
    info.extra = struct.pack("<HHBI", 0x7075, 5 + len(name), 1, zlib.crc32(b"notes.txt")) + name
    return zip_with(info, b"x")


@shape(extension=".zip", verdict="suspicious")
def zip_unicode_other_name():
    """A zip member whose Unicode name is another one than the plain one."""
    info, name = zipfile.ZipInfo("notes.txt"), b"run.py"
    info.extra = struct.pack("<HHBI", 0x7075, 5 + len(name), 1, zlib.crc32(b"notes.txt")) + name
    return zip_with(info, b"x")


@shape(extension=".zip", verdict="suspicious")
def zip_symbolic_link():
    """A zip member that becomes a symbolic link out of the folder."""
    info = zipfile.ZipInfo("weights")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return zip_with(info, b"/etc/passwd")
