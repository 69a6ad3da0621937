"""Pickles that hide a call."""
import base64
import bz2
import gzip
import lzma
import os
import pickle
import struct
import zlib

from shapes import (ARGUMENT, CALL, EVIL, EVIL4, called, data, glob, shape, short, stack_global, text, torch_zip, zip_of)


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


@shape()
def long_line():
    """a line of 100,000 bytes comes before the call"""
    return b"V" + b"x" * 100_000 + b"\n0" + b"\x8c\x02os\x8c\x06system\x93(Vtrue\ntR."


@shape(verdict="suspicious")
def second_without_header():
    """the second pickle has no header and names a module that nobody knows"""
    return pickle.dumps(1, 2) + b"N0" + glob("mystery.helpers", "restore") + b"(tR."


@shape(verdict="suspicious")
def odd_name():
    """a name with control characters"""
    return b"cmystery\nre\x1b[2Jstore\n."


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


# --- text opcodes without an end ---------------------------------------------------------------

TEXT_CALL = b"cos\nsystem\n(S'true'\ntR"


@shape(extension=".npy")
def text_without_stop():
    """text opcodes that break off after the call, under the name of an array"""
    return TEXT_CALL


@shape(extension="")
def text_inst_without_stop():
    """INST and words behind it, under no extension"""
    return b"(S'true'\nios\nsystem\nfoo bar\n"


@shape(extension=".th")
def text_obj_without_stop():
    """OBJ and words behind it, under another name"""
    return b"(cos\nsystem\nS'true'\nofoo bar"


@shape(extension=".weights")
def text_behind_values():
    """values that are dropped before the call of text opcodes"""
    return b"I1\n0(lp0\n0" + TEXT_CALL + b" and words\n"


@shape(extension=".gz")
def text_in_gzip():
    """text opcodes without an end, compressed"""
    return gzip.compress(TEXT_CALL)


@shape(extension="")
def text_in_zlib():
    """text opcodes without an end as a zlib stream without a name"""
    return zlib.compress(TEXT_CALL)


@shape(extension=".zip")
def text_in_zip():
    """text opcodes without an end as a member without extension"""
    return zip_of([("model", TEXT_CALL)])


@shape(extension=".pkl.xz")
def lzma_other_properties():
    """LZMA alone with properties that are not the usual ones"""
    return lzma.compress(EVIL, format=lzma.FORMAT_ALONE,
                         filters=[{"id": lzma.FILTER_LZMA1, "lc": 1, "lp": 1, "pb": 1, "dict_size": 4096}])


@shape(extension="")
def lzma_small_dictionary():
    """LZMA alone with a small dictionary and without a name"""
    return lzma.compress(EVIL, format=lzma.FORMAT_ALONE, filters=[{"id": lzma.FILTER_LZMA1, "dict_size": 4096}])


@shape(verdict="suspicious")
def torchscript_name_outside():
    """a class of TorchScript's namespace in an ordinary pickle, where it is a module like any"""
    return b"\x80\x02c__torch__.x\nevil\n)R."
