"""Files of any size, written in pieces; the same seed gives the same bytes."""
import random
import statistics
import struct

PIECE = 8 << 20


def write_random(path, size, seed):
    rng = random.Random(seed)
    with open(path, "wb") as out:
        for start in range(0, size, PIECE):
            out.write(rng.randbytes(min(PIECE, size - start)))
    return path


def write_bf16_normals(path, size, seed):
    """Bytes like those of weights in bf16: the high byte (sign and exponent) follows a normal distribution with the
    spread of a trained layer, the low byte is near to uniform."""
    return write_normals(path, size, seed, 2)


def write_f32_normals(path, size, seed):
    return write_normals(path, size, seed, 4)


def write_normals(path, size, seed, width):
    spread = statistics.NormalDist(0, 0.02)
    high = bytes(struct.pack(">f", spread.inv_cdf((step + 0.5) / 256))[0] for step in range(256))
    rng = random.Random(seed)
    with open(path, "wb") as out:
        for start in range(0, size, PIECE):
            count = min(PIECE, size - start) // width
            piece = bytearray(rng.randbytes(width * count))
            piece[width - 1::width] = rng.randbytes(count).translate(high)
            out.write(piece)
    return path


def edit_in_the_middle(path, target, length, seed):
    """A copy with `length` bytes in the middle replaced."""
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle:middle + length] = random.Random(seed).randbytes(length)
    target.write_bytes(data)
    return target
