"""Files that hide a call from scanners, one shape a function, each with the line that says how.

Nothing here is ever unpickled. Every shape calls os.system("true") or the like in some loader's eyes, and the scanner must
call it `dangerous`, or `suspicious` where the shape says so.
"""
import base64
import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import pickletools
import struct
import tarfile
import zipfile
import zlib

SHAPES = []


def shape(extension=".pkl", verdict="dangerous"):
    """Registers a function that returns the bytes of one file; its docstring says how the file hides the call."""
    def register(function):
        SHAPES.append((function.__name__, extension, verdict, function.__doc__, function))
        return function
    return register


# --- opcodes ----------------------------------------------------------------------------------

def glob(module, name):
    return f"c{module}\n{name}\n".encode()


def text(value):
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def short(value):
    data = value.encode()
    return b"\x8c" + bytes([len(data)]) + data


def data(value):
    return b"B" + struct.pack("<I", len(value)) + value


def stack_global(module, name):
    return short(module) + short(name) + b"\x93"


ARGUMENT = text("true")
CALL = glob("os", "system") + ARGUMENT + b"\x85R"
EVIL = b"\x80\x02" + CALL + b"."
EVIL4 = b"\x80\x04" + stack_global("os", "system") + short("true") + b"\x85R."


def called(module, name, arguments=ARGUMENT):
    return b"\x80\x02" + glob(module, name) + arguments + b"\x85R."


# --- plain calls under other names ------------------------------------------------------------

@shape()
def plain():
    """os.system by GLOBAL and REDUCE"""
    return EVIL


@shape()
def protocol_0():
    """protocol 0, no header"""
    return b"cos\nsystem\n(S'true'\ntR."


@shape()
def protocol_4():
    """STACK_GLOBAL of protocol 4"""
    return EVIL4


@shape()
def protocol_5_framed():
    """protocol 5 in a frame"""
    body = stack_global("posix", "system") + short("true") + b"\x85R."
    return b"\x80\x05\x95" + struct.pack("<Q", len(body)) + body


@shape()
def wrong_frame():
    """a frame that is longer than the pickle"""
    return b"\x80\x04\x95" + struct.pack("<Q", 10_000) + EVIL4[2:]


@shape()
def inst():
    """INST instead of GLOBAL"""
    return b"(S'true'\nios\nsystem\n."


@shape()
def obj():
    """OBJ instead of REDUCE"""
    return b"(cos\nsystem\nS'true'\no."


@shape()
def newobj():
    """NEWOBJ on a class that starts a process"""
    return b"\x80\x02" + glob("subprocess", "Popen") + ARGUMENT + b"\x85\x81."


@shape()
def newobj_ex():
    """NEWOBJ_EX with keywords"""
    return b"\x80\x04" + stack_global("subprocess", "Popen") + b")}" + short("args") + short("true") + b"s\x92."


@shape()
def build_setstate():
    """BUILD calls the __setstate__ of an instance"""
    return b"\x80\x02" + glob("code", "InteractiveInterpreter") + b")R}" + text("locals") + b"}sb."


@shape()
def only_named():
    """the global is imported and dropped, not called"""
    return b"\x80\x02" + glob("antigravity", "geohash") + b"0N."


@shape()
def named_last():
    """the call is dropped by POP and a harmless value is left"""
    return b"\x80\x02" + CALL + b"0N."


@shape()
def python_2_names():
    """__builtin__ of Python 2, which loaders map to builtins"""
    return called("__builtin__", "eval", text("1"))


@shape()
def commands_module():
    """commands of Python 2, which loaders map to subprocess"""
    return called("commands", "getoutput")


@shape()
def nt_module():
    """the name that os has on Windows"""
    return called("nt", "system")


# --- other ways to code -----------------------------------------------------------------------

def way(name, module, attribute, line):
    def function():
        return called(module, attribute)
    function.__name__, function.__doc__ = name, line
    shape()(function)


for entry in [
    ("builtins_exec", "builtins", "exec", "builtins.exec"),
    ("builtins_getattr", "builtins", "getattr", "getattr reaches any attribute"),
    ("builtins_import", "builtins", "__import__", "__import__"),
    ("builtins_open", "builtins", "open", "opens a file for writing"),
    ("attrgetter", "operator", "attrgetter", "operator.attrgetter makes a getattr"),
    ("methodcaller", "operator", "methodcaller", "operator.methodcaller calls any method"),
    ("partial", "functools", "partial", "functools.partial wraps a call"),
    ("functools_reduce", "functools", "reduce", "functools.reduce calls a function"),
    ("import_module", "importlib", "import_module", "importlib.import_module"),
    ("importlib_sub", "importlib.machinery", "SourceFileLoader", "a loader of source files"),
    ("run_path", "runpy", "run_path", "runpy runs a file"),
    ("pip_main", "pip", "main", "pip installs a package"),
    ("pip_internal", "pip._internal.cli.main", "main", "pip's inner main"),
    ("torch_hub", "torch.hub", "load", "torch.hub.load downloads and runs code"),
    ("torch_load", "torch", "load", "torch.load of a second file"),
    ("torch_serialization", "torch.serialization", "load", "torch.load under its own module"),
    ("torch_jit", "torch.jit", "load", "torch.jit.load"),
    ("torch_ops", "torch.ops", "load_library", "loads a native library"),
    ("torch_compile_extension", "torch.utils.cpp_extension", "load_inline", "compiles C++"),
    ("torch_collect_env", "torch.utils.collect_env", "run", "a helper of torch that starts a shell"),
    ("numpy_load", "numpy", "load", "numpy.load with pickles inside"),
    ("numpy_testing", "numpy.testing._private.utils", "runstring", "numpy.testing runs strings"),
    ("numpy_f2py", "numpy.f2py", "compile", "numpy.f2py compiles"),
    ("io_open", "_io", "open", "the inner name of open"),
    ("fileio", "_io", "FileIO", "the class of open files"),
    ("bdb_run", "bdb", "Bdb", "the debugger's base class"),
    ("pdb_run", "pdb", "run", "the debugger runs a string"),
    ("timeit", "timeit", "timeit", "timeit runs a string"),
    ("trace", "trace", "Trace", "trace runs a string"),
    ("profile", "cProfile", "run", "the profiler runs a string"),
    ("doctest", "doctest", "debug_script", "doctest runs a script"),
    ("asyncio", "asyncio.unix_events", "_UnixSubprocessTransport._start", "asyncio starts a process"),
    ("multiprocessing", "multiprocessing.util", "spawnv_passfds", "multiprocessing starts a process"),
    ("ctypes", "ctypes", "CDLL", "ctypes loads a library"),
    ("shutil", "shutil", "rmtree", "shutil removes a folder"),
    ("webbrowser", "webbrowser", "open", "webbrowser starts a program"),
    ("code_type", "types", "CodeType", "types.CodeType makes code"),
    ("function_type", "types", "FunctionType", "types.FunctionType makes a function"),
    ("marshal", "marshal", "loads", "marshal.loads makes code"),
    ("pickle_loads", "pickle", "loads", "pickle.loads of bytes"),
    ("inner_pickle", "_pickle", "loads", "the C name of pickle.loads"),
    ("cloudpickle", "cloudpickle.cloudpickle", "_make_function", "cloudpickle makes functions"),
    ("dill", "dill._dill", "_create_function", "dill makes functions"),
    ("ssl", "ssl", "get_server_certificate", "opens a connection"),
    ("urlretrieve", "urllib.request", "urlretrieve", "downloads a file"),
    ("requests", "requests.api", "get", "requests fetches an address"),
    ("socket", "socket", "create_connection", "opens a socket"),
    ("pty", "pty", "spawn", "pty starts a process"),
    ("sys_modules", "sys", "setprofile", "sys changes the interpreter"),
    ("gc", "gc", "get_objects", "gc reaches every object"),
    ("pydoc", "pydoc", "pipepager", "pydoc starts a pager"),
    ("idlelib", "idlelib.run", "Executive", "IDLE runs code"),
    ("lib2to3", "lib2to3.pgen2.pgen", "ParserGenerator", "an old bypass through lib2to3"),
    ("copyreg_extension", "copyreg", "add_extension", "registers an extension code"),
    ("ensurepip", "ensurepip", "_run_pip", "ensurepip runs pip"),
    ("logging_config", "logging.config", "dictConfig", "logging.config calls what it is told"),
]:
    way(*entry)


@shape(verdict="suspicious")
def unknown_module():
    """a module that nobody knows: default deny"""
    return called("some_helper_package.tools", "restore")


@shape(verdict="suspicious")
def main_module():
    """a class of the program that loads"""
    return called("__main__", "Model")


# --- names that are made or hidden ------------------------------------------------------------

@shape()
def dotted_name():
    """protocol 4 walks a dotted path out of a harmless module"""
    return b"\x80\x04" + stack_global("collections", "abc.sys.modules") + b"."


@shape()
def dotted_os():
    """torch.serialization imports os, so a path leads to it"""
    return b"\x80\x04" + stack_global("torch.nn.parameter", "torch.os.system") + short("true") + b"\x85R."


@shape()
def dunder_path():
    """a path through __globals__"""
    return b"\x80\x04" + stack_global("collections", "OrderedDict.__init__.__globals__") + b"."


@shape()
def memo_names():
    """module and name come from the memo, in between other values"""
    return (b"\x80\x04" + short("os") + b"\x94" + short("system") + b"\x94" + b"00" + b"]" + b"h\x00h\x01\x93"
            + short("true") + b"\x85R.")


@shape()
def text_memo_keys():
    """memo keys as text with blanks and underscores, which int() reads"""
    return b"Vos\np 1_0\n0Vsystem\np+11\n0g10\ng1_1\n\x93(Vtrue\ntR."


@shape()
def carried_memo():
    """the name is put into the memo by the pickle before"""
    return b"\x80\x04" + short("os") + b"\x94" + short("system") + b"\x94N." + b"\x80\x04h\x00h\x01\x93" + short("true") + b"\x85R."


@shape()
def escaped_string():
    """the name as a protocol 0 string with escapes"""
    return b"S'o\\x73'\nS'\\163ystem'\n\x93(Vtrue\ntR."


@shape()
def escaped_unicode():
    """the name as protocol 0 text with \\u escapes"""
    return b"V\\u006f\\u0073\nVsyst\\u0065m\n\x93(Vtrue\ntR."


@shape()
def decoded_name():
    """the name is made by _codecs.encode with rot13"""
    return (b"\x80\x04" + stack_global("_codecs", "encode") + short("bf") + short("rot13") + b"\x86R"
            + short("system") + b"\x93" + short("true") + b"\x85R.")


@shape()
def bytes_to_name():
    """the name is made by str(bytes)"""
    return (b"\x80\x04" + stack_global("builtins", "str") + b"C\x02os" + short("ascii") + b"\x86R"
            + short("system") + b"\x93" + short("true") + b"\x85R.")


@shape()
def dup_name():
    """DUP and POP move the name around"""
    return b"\x80\x04" + short("os") + b"2" + b"0" + short("system") + b"20\x93" + short("true") + b"\x85R."


@shape()
def mark_pop():
    """POP takes a mark, so the stack is deeper than it looks"""
    return b"\x80\x04" + short("os") + b"(0" + short("system") + b"(" + b"N1\x93" + short("true") + b"\x85R."


@shape()
def long_strings():
    """the name behind four-byte lengths and BINUNICODE8"""
    return (b"\x80\x04" + b"\x8d" + struct.pack("<Q", 2) + b"os" + text("system") + b"\x93" + short("true") + b"\x85R.")


@shape(verdict="suspicious")
def extension_code():
    """EXT1: the import depends on the loader's registry"""
    return b"\x80\x02\x82\x05" + ARGUMENT + b"\x85R."


@shape(verdict="suspicious")
def unknown_callee():
    """calls what a harmless call gave"""
    return b"\x80\x02" + glob("collections", "OrderedDict") + b")R" + ARGUMENT + b"\x85R."


@shape()
def changes_class():
    """BUILD on a class changes it for the whole process"""
    return b"\x80\x02" + glob("collections", "OrderedDict") + b"N}" + text("x") + b"K\x01s\x86b."


@shape()
def sets_dunder():
    """BUILD sets __class__ through slots"""
    return (b"\x80\x02" + glob("argparse", "Namespace") + b")\x81N}" + text("__setstate__") + b"K\x01s\x86b.")


# --- streams ----------------------------------------------------------------------------------

@shape()
def broken_after():
    """the stream breaks after the call"""
    return b"\x80\x02" + CALL + b"\xff\xff\xff"


@shape()
def truncated():
    """the stream is cut off right after the call"""
    return b"\x80\x02" + CALL


@shape()
def stack_underflow():
    """the stack runs empty before scanners that give up reach the call"""
    return b"\x80\x020" + CALL + b"."


@shape()
def missing_memo():
    """a GET that fails in this loader and not in a laxer one"""
    return b"\x80\x02h\x09" + CALL + b"."


@shape()
def second_pickle():
    """the call is in the second pickle of the file"""
    return pickle.dumps({"weights": [1, 2, 3]}, 2) + EVIL


@shape()
def tenth_pickle():
    """the call is in the tenth pickle, without header"""
    return b"".join(pickle.dumps(i, 2) for i in range(9)) + b"cos\nsystem\n(S'true'\ntR."


@shape()
def after_garbage():
    """the call follows bytes that are no pickle"""
    return pickle.dumps([1], 2) + b"\x00\xff\x17" * 50 + EVIL4


@shape()
def none_before():
    """a harmless opcode comes first, so the file does not start like a pickle"""
    return b"N0" + b"cos\nsystem\n(S'true'\ntR."


@shape(extension=".bin")
def number_before():
    """a number comes first, in a file of weights"""
    return b"K\x01" + b"0cposix\nsystem\n(S'true'\ntR."


@shape(extension=".weights")
def other_extension():
    """a pickle under a name that says nothing"""
    return EVIL


@shape(extension=".npy")
def pickle_as_npy():
    """a pickle that is called an array"""
    return EVIL


# --- pickles inside of values -----------------------------------------------------------------

@shape()
def nested_bytes():
    """the pickle is a bytes value of another one"""
    return b"\x80\x03" + data(EVIL) + b"."


@shape()
def nested_latin1():
    """the pickle is text that _codecs.encode turns into bytes"""
    return (b"\x80\x02" + glob("_codecs", "encode") + text(EVIL.decode("latin1")) + text("latin1") + b"\x86R.")


@shape()
def nested_bytearray():
    """the pickle is a bytearray of protocol 5"""
    return b"\x80\x05\x96" + struct.pack("<Q", len(EVIL4)) + EVIL4 + b"."


@shape()
def nested_base64():
    """the pickle is base64 text"""
    return b"\x80\x02" + text(base64.b64encode(EVIL4 + b"\x00" * 8).decode()) + b"."


@shape()
def nested_twice():
    """a pickle in a pickle in a pickle"""
    return b"\x80\x03" + data(b"\x80\x03" + data(EVIL) + b".") + b"."


@shape()
def nested_gzip():
    """a compressed pickle as a bytes value"""
    return b"\x80\x03" + data(gzip.compress(EVIL)) + b"."


@shape()
def nested_storage():
    """torch.storage._load_from_bytes holds a whole file of its own"""
    return b"\x80\x02" + glob("torch.storage", "_load_from_bytes") + b"B" + struct.pack("<I", len(torch_zip())) + torch_zip() + b"\x85R."


# --- joblib -----------------------------------------------------------------------------------

def joblib_wrapper(dtype, shape_, body, alignment=True):
    state = (b"}(" + text("subclass") + glob("numpy", "ndarray") + text("shape") + shape_ + text("order") + text("C")
             + text("dtype") + glob("numpy", "dtype") + text(dtype) + b"\x89\x88\x87R(K\x03" + text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
             + text("allow_mmap") + b"\x88")
    if alignment:
        state += text("numpy_array_alignment_bytes") + b"K\x10"
    return (b"\x80\x03" + glob("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81" + state + b"ub" + body)


@shape(extension=".joblib")
def joblib_after_array():
    """the call follows an array that joblib writes between the opcodes"""
    return joblib_wrapper("f8", b"K\x04\x85", b"\x01\xff" + b"\x00" * 32 + b"0" + CALL + b".")


@shape(extension=".joblib")
def joblib_objects():
    """an array of objects is a pickle between the opcodes"""
    return joblib_wrapper("O8", b"K\x01\x85", EVIL4 + b".")


@shape(extension=".joblib")
def joblib_array_is_code():
    """the array's bytes are opcodes for any loader but joblib"""
    body = CALL + b"."
    return joblib_wrapper("u1", b"K" + bytes([len(body)]) + b"\x85", body + b"N.", alignment=False)


@shape(extension=".joblib")
def joblib_gzip():
    """joblib with gzip"""
    return gzip.compress(EVIL)


@shape(extension=".joblib")
def joblib_zlib():
    """joblib with zlib"""
    return zlib.compress(EVIL)


@shape(extension=".joblib")
def joblib_bz2():
    """joblib with bzip2"""
    return bz2.compress(EVIL)


@shape(extension=".joblib")
def joblib_xz():
    """joblib with xz"""
    return lzma.compress(EVIL)


@shape(extension=".joblib")
def joblib_lzma():
    """joblib with the old lzma container"""
    return lzma.compress(EVIL, format=lzma.FORMAT_ALONE)


@shape(extension=".joblib")
def joblib_old_zfile():
    """joblib's own container before 0.10"""
    return b"ZF" + b"%-19s" % hex(len(EVIL)).encode() + zlib.compress(EVIL)


@shape(extension=".joblib")
def cut_gzip():
    """a compressed stream that is cut off: what came before has run"""
    packed = gzip.compress(EVIL + os.urandom(4096))
    return packed[:-200]


# --- archives ---------------------------------------------------------------------------------

def zip_of(members, method=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def torch_zip(pickled=EVIL):
    return zip_of([("archive/data.pkl", pickled), ("archive/version", b"3\n"), ("archive/data/0", b"\x00" * 16)])


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


@shape(extension=".7z", verdict="suspicious")
def seven_zip():
    """a 7z archive, which cannot be looked into"""
    return b"7z\xbc\xaf\x27\x1c" + b"\x00\x04" + os.urandom(200)


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


# --- other formats ----------------------------------------------------------------------------

def keras_config(layer):
    return json.dumps({"module": "keras", "class_name": "Sequential", "config": {"layers": [layer]},
                       "registered_name": None}).encode()


@shape(extension=".keras")
def keras_lambda():
    """a Lambda layer"""
    return zip_of([("metadata.json", b"{}"), ("config.json", keras_config(
        {"module": "keras.layers", "class_name": "Lambda", "config": {
            "function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}}}}))])


@shape(extension=".keras")
def keras_module():
    """a module that is no part of Keras"""
    return zip_of([("config.json", keras_config({"module": "os", "class_name": "system", "config": "true",
                                                 "registered_name": "system"}))])


@shape(extension=".keras")
def keras_get_file():
    """a helper of Keras that downloads"""
    return zip_of([("config.json", keras_config({"module": "keras.utils", "class_name": "get_file", "config": {}}))])


@shape(extension=".keras")
def keras_torch_wrapper():
    """a layer of Keras that loads a pickle"""
    return zip_of([("config.json", keras_config({"module": "keras.layers", "class_name": "TorchModuleWrapper",
                                                 "config": {"module": base64.b64encode(EVIL).decode()}}))])


@shape(extension=".h5")
def h5_lambda():
    """a Lambda layer in the attribute of an HDF5 file"""
    return b"\x89HDF\r\n\x1a\n" + b"\x00" * 2000 + keras_config(
        {"class_name": "Lambda", "config": {"function": ["4wEAAA==", None, None]}}) + b"\x00" * 500


@shape(extension=".h5")
def h5_cut_config():
    """the same, with a configuration that does not parse"""
    return b"\x89HDF\r\n\x1a\n" + b"\x00" * 2000 + b'{"class_name": "Model", "config": [{"class_name":\x20"Lambda", "config": ' + b"\x00" * 99


@shape(extension=".json")
def template_class():
    """a chat template that reaches for Python's classes"""
    return json.dumps({"chat_template": "{{ ''.__class__.__mro__[1].__subclasses__() }}"}).encode()


@shape(extension=".json")
def template_escaped():
    """the same with escapes in strings"""
    return json.dumps({"chat_template": "{{ ''['\\x5f\\x5fclass\\x5f\\x5f'] }}"}).encode()


@shape(extension=".jinja")
def template_pieces():
    """the same in pieces"""
    return b"{{ messages['__cla' ~ 'ss__'] }}"


@shape(extension=".jinja")
def template_cycler():
    """a template global that leads to os"""
    return b"{{ cycler.__init__.__globals__.os.popen('true').read() }}"


@shape(extension=".jinja", verdict="suspicious")
def template_attr():
    """the attr filter with a computed name"""
    return b"{% set n = messages[0].content %}{{ messages|attr(n) }}"


def gguf(template):
    def string(value):
        raw = value.encode()
        return struct.pack("<Q", len(raw)) + raw
    return (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + string("tokenizer.chat_template") + struct.pack("<I", 8) + string(template)
            + b"\x00" * 64)


@shape(extension=".gguf")
def gguf_template():
    """a chat template in a GGUF file"""
    return gguf("{{ lipsum.__globals__['os'].system('true') }}")


@shape(extension=".json", verdict="suspicious")
def auto_map():
    """a configuration whose code is run by trust_remote_code"""
    return json.dumps({"model_type": "x", "auto_map": {"AutoModel": "modeling_x.XModel"}}).encode()


@shape(extension=".yaml")
def hydra_target():
    """a configuration that hydra calls"""
    return b"model:\n  _target_: os.system\n  command: 'true'\n"


@shape(extension=".yaml")
def yaml_tag():
    """a YAML tag that unsafe loaders call"""
    return b"model: !!python/object/apply:os.system ['true']\n"


def protobuf(*fields):
    """(number, bytes or int) to the wire format."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def onnx(tensor=b"", node=b""):
    return protobuf((1, 8), (2, b"hand"), (7, protobuf((1, node), (2, b"g"), (5, tensor))), (8, protobuf((2, 17))))


@shape(extension=".onnx")
def onnx_escape():
    """external data outside of the model's folder"""
    location = protobuf((1, b"location"), (2, b"../../../etc/passwd"))
    return onnx(tensor=protobuf((1, 4), (2, 1), (8, b"w"), (13, location), (14, 1)), node=protobuf((4, b"Add")))


@shape(extension=".onnx", verdict="suspicious")
def onnx_custom_operator():
    """operators that need a native library"""
    return onnx(tensor=protobuf((1, 0), (2, 1), (8, b"w")), node=protobuf((4, b"Run"), (7, b"evil.corp")))


@shape(extension=".pb")
def savedmodel_pyfunc():
    """a TensorFlow graph with a Python function"""
    return protobuf((2, protobuf((2, protobuf((1, protobuf((1, b"f"), (2, b"PyFunc"))))))))


@shape(extension=".pt")
def torchscript_file():
    """a TorchScript program that reads a file"""
    return zip_of([("m/data.pkl", pickle.dumps({}, 2)), ("m/code/__torch__.py",
                   b"def forward(self, x: Tensor) -> Tensor:\n  return torch.from_file('/etc/passwd', False, 10)\n")])


@shape(extension=".so", verdict="suspicious")
def program():
    """a native library"""
    return b"\x7fELF" + b"\x00" * 100


def write_all(folder):
    """Writes every shape into `folder`; returns rows of (path, verdict, line)."""
    rows = []
    for name, extension, verdict, line, make in SHAPES:
        path = folder / (name + extension)
        path.write_bytes(make())
        rows.append((path, verdict, line))
    return rows


if __name__ == "__main__":
    for name, extension, verdict, line, _ in SHAPES:
        print(f"{name}{extension}: {verdict}: {line}")
    print(len(SHAPES), "shapes")
