"""The list that every file of shapes adds to, and the opcodes that they are made of. Nothing here is ever unpickled."""
import io
import struct
import zipfile

SHAPES = []


def shape(extension=".pkl", verdict="dangerous"):
    """Registers a function that returns the bytes of one file; its docstring says how the file hides the call."""
    def register(function):
        SHAPES.append((function.__name__, extension, verdict, function.__doc__, function))
        return function
    return register


def table_of_shapes(rows):
    """Registers files whose bytes are there already: rows of name, extension, verdict, the line that says how, bytes."""
    SHAPES.extend((*row, lambda content=content: content) for *row, content in rows)


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


def zip_of(members, method=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def torch_zip(pickled=EVIL):
    return zip_of([("archive/data.pkl", pickled), ("archive/version", b"3\n"), ("archive/data/0", b"\x00" * 16)])
