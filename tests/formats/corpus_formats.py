"""Other formats that run code or leave their folder."""
import base64
import json
import pickle
import struct

from shapes import EVIL, shape, table_of_shapes, zip_of


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


# What can be read as it stands.
table_of_shapes([
    ("template_class", ".json", "dangerous", "a chat template that reaches for Python's classes",
     json.dumps({"chat_template": "{{ ''.__class__.__mro__[1].__subclasses__() }}"}).encode()),
    ("template_escaped", ".json", "dangerous", "the same with escapes in strings",
     json.dumps({"chat_template": "{{ ''['\\x5f\\x5fclass\\x5f\\x5f'] }}"}).encode()),
    ("template_pieces", ".jinja", "dangerous", "the same in pieces",
     b"{{ messages['__cla' ~ 'ss__'] }}"),
    ("template_cycler", ".jinja", "dangerous", "a template global that leads to os",
     b"{{ cycler.__init__.__globals__.os.popen('true').read() }}"),
    ("template_attr", ".jinja", "suspicious", "the attr filter with a computed name",
     b"{% set n = messages[0].content %}{{ messages|attr(n) }}"),
    ("auto_map", ".json", "suspicious", "a configuration whose code is run by trust_remote_code",
     json.dumps({"model_type": "x", "auto_map": {"AutoModel": "modeling_x.XModel"}}).encode()),
    ("hydra_target", ".yaml", "dangerous", "a configuration that hydra calls",
     b"model:\n  _target_: os.system\n  command: 'true'\n"),
    ("yaml_tag", ".yaml", "dangerous", "a YAML tag that unsafe loaders call",
     b"model: !!python/object/apply:os.system ['true']\n"),
    ("keras_duplicate_key", ".json", "dangerous", "a key that stands twice: readers take the first or the last",
     b'{"module": "keras", "class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "class_name": "Lambda"}]}}'),
    ("keras_nan", ".json", "suspicious", "JSON with NaN, which only lax readers take",
     b'{"class_name": "Sequential", "x": NaN, "config": {"module": "os"}}'),
    ("yaml_percent", ".yaml", "dangerous", "a YAML tag with percent escapes",
     b"model: !<tag:yaml.org,2002:pyth%6Fn/object/apply:os.system> ['true']\n"),
    ("yaml_directive", ".yaml", "dangerous", "a YAML tag behind a directive",
     b"%TAG ! tag:yaml.org,2002:python/\n---\nmodel: !object/apply:os.system ['true']\n"),
    ("template_variables", ".jinja", "suspicious", "the name is put together from variables",
     b"{% set a = '__cl' %}{% set b = 'ass__' %}{{ messages[a + b] }}"),
    ("template_replaced", ".jinja", "suspicious", "A template that makes the name of a class from a text without underscores.",
     b"{{ x['@@class@@'.replace('@', '_')] }}"),
    ("template_keywords", ".jinja", "suspicious", "A template that joins the name of a class from names of arguments.",
     b"{{ x[dict(__cla=1, ss__=2)|join] }}"),
    ("template_by_name", ".json", "dangerous", "A configuration whose templates are an object by name.",
     json.dumps({"chat_template": {"default": "{{ ''.__class__ }}"}}).encode()),
    ("custom_pipelines", ".json", "suspicious", "A configuration that names a pipeline of the repository's own code.",
     json.dumps({"custom_pipelines": {"score": {"impl": "pipeline.Score", "pt": ["AutoModel"]}}}).encode()),
    ("torch_garbage", ".pt", "suspicious", "bytes that are no container of PyTorch under its name", bytes(range(129, 250)) * 60),
    ("torch_reversed", ".pth", "suspicious", "a checkpoint whose bytes are hidden by an exclusive or", bytes(byte ^ 0x5A for byte in zip_of([
        ("archive/data.pkl", EVIL), ("archive/version", b"3\n")]))),
    ("torch_path_file", ".pth", "suspicious", "a path file, of which Python runs the lines that import", b"import os; os.system('true')\n"),
])


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


@shape(extension=".json")
def keras_utf16():
    """JSON in UTF-16, which json.loads takes"""
    return keras_config({"module": "os", "class_name": "system"}).decode().encode("utf-16")


@shape(extension=".json")
def keras_escaped_key():
    """the key is written with an escape"""
    return b'{"\\u0063lass_name": "X", "config": {"layers": [{"\\u0063lass_name": "L\\u0061mbda"}]}}'


@shape(extension=".h5", verdict="suspicious")
def h5_escaped_key():
    """the same inside of an HDF5 file"""
    return b"\x89HDF\r\n\x1a\n" + b"\x00" * 600 + keras_escaped_key()


@shape(extension=".h5")
def h5_user_block():
    """an HDF5 file behind a block of the user's"""
    return b"\x00" * 4096 + h5_lambda()


@shape(extension=".model")
def onnx_other_name():
    """an ONNX model under another name"""
    return onnx_escape()


@shape(extension=".gguf")
def gguf_templates():
    """A GGUF file whose templates are an array."""
    text = b"{{ ''.__class__.__mro__ }}"
    key = b"tokenizer.chat_template"
    return (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, len(key)) + key + struct.pack("<IIQ", 9, 8, 1) + struct.pack("<Q", len(text)) + text)


@shape(extension=".keras")
def keras_builtin_function():
    """A Keras activation that is Python's eval, serialised as a function."""
    return zip_of([("config.json", keras_config({"module": "keras.layers", "class_name": "Dense", "config": {
        "activation": {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"}}}))])


@shape(extension=".keras")
def keras_unsafe_switch():
    """A Keras activation that is the function which allows Lambda layers."""
    return zip_of([("config.json", keras_config({"module": "keras.layers", "class_name": "Dense", "config": {
        "activation": {"module": "keras", "class_name": "function", "config": "config.enable_unsafe_deserialization"}}}))])


@shape(extension=".keras", verdict="suspicious")
def keras_vocabulary_file():
    """A Keras layer that reads its vocabulary from any file of the machine."""
    return zip_of([("config.json", keras_config({"module": "keras.layers", "class_name": "StringLookup",
                                                 "config": {"vocabulary": "/etc/passwd"}}))])


def outside(*locations):
    """A TensorProto whose data lie at the locations."""
    pairs = [(13, protobuf((1, b"location"), (2, location))) for location in locations]
    return protobuf((8, b"w"), *pairs, (14, 1))


@shape(extension=".onnx")
def onnx_two_locations():
    """ONNX data with two locations, the first one outside of the folder."""
    return protobuf((1, 8), (7, protobuf((5, outside(b"../../etc/passwd", b"data.bin")))))


@shape(extension=".onnx")
def onnx_sparse_indices():
    """Indices of a sparse ONNX tensor outside of the folder."""
    return protobuf((1, 8), (7, protobuf((15, protobuf((2, outside(b"../../etc/passwd")))))))


@shape(extension=".onnx")
def onnx_sparse_attribute():
    """A sparse constant of an ONNX node outside of the folder."""
    attribute = protobuf((1, b"sparse_value"), (22, protobuf((1, outside(b"/etc/passwd")))))
    return protobuf((1, 8), (7, protobuf((1, protobuf((4, b"Constant"), (5, attribute))))))


@shape(extension=".yaml")
def yaml_utf16():
    """a YAML tag in UTF-16"""
    return "a: !!python/object/apply:os.system ['true']\n".encode("utf-16")


@shape(extension=".yml")
def yaml_utf32():
    """a YAML tag in UTF-32"""
    return "a: !!python/object/apply:os.system ['true']\n".encode("utf-32")


@shape(extension=".yaml")
def yaml_braces():
    """a YAML tag in a text that starts like JSON"""
    return b'{"a": !!python/object/apply:os.system ["true"]}\n'


SPELLED_OUT = ("template_named_escape", "template_one_named_escape", "template_end_in_string", "template_map_attribute")


def template(name, line, source):
    """Registers a template that is suspicious, or dangerous where its pieces and escapes spell the name out."""
    def function():
        return source.encode()
    function.__name__, function.__doc__ = name, line
    shape(extension=".jinja", verdict="dangerous" if name in SPELLED_OUT else "suspicious")(function)


for entry in [
    ("template_named_escape", "the name by names of characters", r"{{ x['\N{LOW LINE}\N{LOW LINE}class\N{LOW LINE}\N{LOW LINE}'] }}"),
    ("template_one_named_escape", "one escape a side", r"{{ x['\N{LOW LINE}_class_\N{LOW LINE}'] }}"),
    ("template_join", "the name joined from a list", "{{ x['_'.join(['','','class','',''])] }}"),
    ("template_center", "the name padded with underscores", "{{ x['class'.center(9,'_')] }}"),
    ("template_just", "the name padded on each side", "{{ x['class'.rjust(7,'_').ljust(9,'_')] }}"),
    ("template_format_spec", "the name padded by a format", "{{ x['{:_^9}'.format('class')] }}"),
    ("template_format_name", "the name by a format", "{{ x['{x}_class_{x}'.format(x='_')] }}"),
    ("template_translate", "the name by translate()", "{{ x['X_class_X'.translate({88:'_'})] }}"),
    ("template_split", "the name split and joined", "{{ x['_/_/class/_/_'.split('/')|join] }}"),
    ("template_concatenated", "the name behind a filter", "{{ x['_'|string~'_class_'~'_'] }}"),
    ("template_format_field", "a format that reaches into the value", "{{ ('{0.%s%sclass%s%s}'|format('_','_','_','_')).format(x) }}"),
    ("template_set_block", "the name as a block of text", "{% set a %}__class__{% endset %}{{ x[a|string] }}"),
    ("template_set_pieces", "the name as a block of pieces", "{% set a %}{{'_'}}_class_{{'_'}}{% endset %}{{ x[a|string] }}"),
    ("template_loop_pieces", "underscores from a loop", "{% for a in ['_'] %}{{ x[a~a~'class'~a~a] }}{% endfor %}"),
    ("template_message", "the name comes with a message", "{{ x[messages[0].content] }}"),
    ("template_loop_message", "the name comes with each message", "{% for m in messages %}{{ x[m.role] }}{% endfor %}"),
    ("template_end_in_string", "the end of the code within a string", "{{ '}}' ~ x['_' ~ '_class_' ~ '_'] }}"),
    ("template_map_attribute", "map() of a name that is computed", "{{ x|map(attribute='_'~'_class_'~'_')|list }}"),
]:
    template(*entry)
