"""Safetensors files that a reader must judge: hand-made ones for every rule, and seeded mutations of good ones."""
import json
import random
import struct

KINDS = [  # the reference's messages and the names of its errors
    ("invalid UTF-8 in header", "InvalidHeader"),
    ("invalid JSON in header", "InvalidHeaderDeserialization"),
    ("header too large", "HeaderTooLarge"),
    ("header too small", "HeaderTooSmall"),
    ("invalid header length", "InvalidHeaderLength"),
    ("invalid shape, data type, or offset for tensor", "TensorInvalidInfo"),
    ("invalid offset for tensor", "InvalidOffset"),
    ("incomplete metadata, file not fully covered", "MetadataIncompleteBuffer"),
    ("overflow computing buffer size", "ValidationOverflow"),
    ("The slice is slicing for subbytes dtypes", "MisalignedSlice"),
]
DTYPES = ["BOOL", "F4", "F6_E2M3", "F6_E3M2", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ",
          "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "C64", "F64", "I64", "U64"]


def with_header(text, data=b""):
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(raw)) + raw + data


def tensor(dtype="F32", shape="[1]", offsets="[0,4]", extra=""):
    return '{"dtype":%s,"shape":%s,"data_offsets":%s%s}' % (
        dtype if dtype[:1] in '{["' else f'"{dtype}"', shape, offsets, extra)


def one(data=b"1234", **fields):
    return with_header('{"a":' + tensor(**fields) + "}", data)


def hand_made():
    yield b""
    yield b"1234567"
    yield struct.pack("<Q", 100_000_001)
    yield struct.pack("<Q", 100_000_000)
    yield struct.pack("<Q", 2**64 - 1)
    yield struct.pack("<Q", 2**63) + b"{}"
    yield struct.pack("<Q", 5) + b"{}"
    for text in ["", "{}", " {}", "{} ", "\n\t\r {}\n\t\r ", "[]", "null", "{", "}", "{}{}", "{}x", "{,}", '{"a"}', '{"a":}', '{"a":1}',
                 '{"a":null}', '{"a":[]}', '{"a":{}}', '{"":{}}', '{"__metadata__":{}}', '{"__metadata__":null}',
                 '{"__metadata__":[]}', '{"__metadata__":{"a":1}}', '{"__metadata__":{"a":null}}', '{"__metadata__":{"a":"b"}}',
                 '{"__metadata__":{"a":"1","a":"2"}}', '{"__metadata__":{},"__metadata__":{}}', '{"__metadata__":"x"}',
                 '{"__metadata__":{"a":"\\ud800"}}', '{"__metadata__":{"a":"\\ud83d\\ude00"}}', '{"__metadata__":{"a":"\\u00"}}',
                 '{"__metadata__":{"a":"\x01"}}', '{"__metadata__":{"a":"\\x"}}', '{"__metadata__":{"a":"\x7f"}}', "\ufeff{}", "\x00{}"]:
        yield with_header(text)
    yield with_header(b'{"\xff":1}')
    yield with_header(b'{"\xed\xa0\x80":1}')
    yield with_header(b'{"\xc0\xaf":1}')
    yield one()
    for dtype in DTYPES + ["F31", "f32", "", '{"F32":null}', '{"F32":{}}', '{"F32":0}', '{"F32":null,"F32":null}', "[]"]:
        for size in (1, 2, 3, 4, 8):
            yield one(b"x" * size, dtype=dtype, offsets=f"[0,{size}]")
    for shape in ["[]", "[0]", "[1,1]", "[2]", "[-1]", "[-0]", "[0.0]", "[1.0]", "[1e0]", "[01]", "[+1]", "[1,]", "[,1]", "{}", '"1"', "null",
                  "[null]", "[true]", "[18446744073709551615]", "[18446744073709551616]", "[18446744073709551615,2]",
                  "[9223372036854775808,2,0]", "[4611686018427387904]", "[576460752303423488]", "[4294967296,4294967296]",
                  "[" + "1," * 300 + "1]", "[[1]]", "[1 , 1]", "[.5]", "[1.]", "[1e]", "[-]"]:
        yield one(shape=shape)
        yield one(b"", shape=shape, offsets="[0,0]")
    for offsets in ["[0,4]", "[0,3]", "[0,5]", "[1,5]", "[4,0]", "[4,8]", "[0]", "[]", "[0,4,8]", "[-1,4]", "[0,4.0]", "{}", "null", '["0","4"]',
                    "[18446744073709551615,18446744073709551615]", "[0,18446744073709551615]", "[18446744073709551612,0]"]:
        yield one(offsets=offsets)
        yield one(b"12345678", offsets=offsets)
    for extra in [',"x":1', ',"x":null', ',"x":{"y":[1,2,{}]}', ',"dtype":"F32"', ',"shape":[1]', ',"data_offsets":[0,4]', ',"x":1e400', ',"x":-1e400',
                  ',"x":1e-400', ',"x":0e99999999999999999999', ',"x":123456789012345678901234567890', ',"x":' + "9" * 400, ',"x":"\\ud800"',
                  ',"x":tru', ',"x":nan', ',"x":-', ',"x":"', ',"x":' + "[" * 125 + "]" * 125, ',"x":' + "[" * 126 + "]" * 126,
                  ',"x":' + '{"a":' * 125 + "1" + "}" * 125, ',"x":' + '{"a":' * 126 + "1" + "}" * 126, ',"x":' + "[" * 5000, ",", ',"x"']:
        yield one(extra=extra)
    for listed in ['["F32",[1],[0,4]]', '["F32",[1]]', '["F32",[1],[0,4],0]', '[{"F32":null},[1],[0,4]]', '[[1],"F32",[0,4]]']:
        yield with_header('{"a":%s}' % listed, b"1234")
    two = '{"a":%s,"b":%s}'
    yield with_header(two % (tensor(), tensor(offsets="[4,8]")), b"12345678")
    yield with_header(two % (tensor(offsets="[4,8]"), tensor()), b"12345678")
    yield with_header(two % (tensor(), tensor()), b"1234")
    yield with_header(two % (tensor(), tensor(offsets="[2,6]")), b"123456")
    yield with_header(two % (tensor(), tensor(offsets="[5,9]")), b"123456789")
    yield with_header(two % (tensor(), tensor(shape="[0]", offsets="[4,4]")), b"1234")
    yield with_header(two % (tensor(shape="[0]", offsets="[0,0]"), tensor()), b"1234")
    yield with_header('{"a":%s,"a":%s}' % (tensor(shape="[0]", offsets="[0,0]"), tensor("U8", offsets="[0,1]")), b"1")
    yield with_header('{"a":5,"a":%s}' % tensor("U8", offsets="[0,1]"), b"1")
    yield with_header('{"a":%s}' % tensor(), b"123")
    yield with_header('{"a":%s}' % tensor(), b"12345")
    yield with_header('{"a":%s}' % tensor("F4", "[3]", "[0,2]"), b"12")
    yield with_header('{"a":%s}' % tensor("F6_E2M3", "[4]", "[0,3]"), b"123")
    yield with_header("".join(['{"big":%s' % tensor(shape="[0]", offsets="[0,0]")]
                              + [',"t%d":%s' % (i, tensor(shape="[1000000,1000000]", offsets="[0,4000000000000]")) for i in range(50)] + ["}"]))


def good_files(rng):
    for _ in range(12):
        header, at = {}, 0
        if rng.random() < 0.5:
            header["__metadata__"] = {"format": "pt", "k": "v\n\u00e9"}
        for i in range(rng.randint(0, 5)):
            dtype = rng.choice(DTYPES)
            bits = 4 if dtype == "F4" else 6 if dtype.startswith("F6") else 8 if dtype[1:2] == "8" or dtype == "BOOL" else int(dtype.lstrip("BFIUC"))
            shape = [rng.choice([0, 1, 2, 4, 8]) for _ in range(rng.randint(0, 3))]
            shape = shape + [4] if bits < 8 else shape
            size = bits
            for dim in shape:
                size *= dim
            header[f"layer.{i}.weight"] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size // 8]}
            at += size // 8
        yield json.dumps(header, ensure_ascii=rng.random() < 0.5, separators=rng.choice([(",", ":"), (", ", ": ")])).encode(), b"\0" * at


PIECES = [b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b" ", b"\n", b"0", b"1", b"-", b".", b"e", b"null", b"\\u0041", b"\\ud800", b"\xff", b"\xc3\xa9",
          b"18446744073709551615", b'"F32"', b'"U8"', b'"dtype"', b'"shape"', b'"data_offsets"', b'"__metadata__"', b"99999999999999999999", b"{}", b"[]",
          b"1.0", b"1e5", b"\x00", b"\x1f", b"true"]


def mutated(rng, header, data):
    raw = bytearray(header)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at = rng.randrange(len(raw) + 1)
        kind = rng.randrange(6)
        if kind == 0 and raw:
            raw[at % len(raw)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            raw[at:at] = rng.choice(PIECES)
        elif kind == 2:
            del raw[at:at + rng.choice([1, 1, 2, 5])]
        elif kind == 3:
            end = min(len(raw), at + rng.randint(1, 30))
            raw[at:at] = raw[at:end]
        elif kind == 4:  # another number
            digits = [i for i, c in enumerate(raw) if 48 <= c <= 57]
            if digits:
                raw[rng.choice(digits)] = rng.choice(b"0123456789")
        else:
            end = min(len(raw), at + rng.randint(1, 6))
            raw[at:end] = rng.choice(PIECES)
    length = len(raw)
    if rng.random() < 0.03:
        length += rng.choice([-1, 1, 8, -8, 2**32, 2**63])
    if rng.random() < 0.05:
        data = data + b"x" if rng.random() < 0.5 else data[:-1]
    return struct.pack("<Q", length % 2**64) + bytes(raw) + data


def mutations(seed, count):
    rng = random.Random(seed)
    while count > 0:
        for header, data in good_files(rng):
            for _ in range(20):
                yield mutated(rng, header, data)
                count -= 1
                if count == 0:
                    return


def reference_verdict(deserialize, fault, file):
    """"ok", or the name of the reference's error."""
    try:
        deserialize(file)
        return "ok"
    except fault as error:
        text = str(error)
        return next((name for part, name in KINDS if part in text), text)
