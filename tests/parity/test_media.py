"""src/media against Pillow (pixels, sizes), soundfile's library (samples) and transformers (mel filter banks)."""
import io
import random

import numpy
import pytest
from PIL import Image, ImageDraw, ImageOps
from probes import Probe
from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

FILTERS = {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC,
           "lanczos": Image.Resampling.LANCZOS, "box": Image.Resampling.BOX, "hamming": Image.Resampling.HAMMING}


@pytest.fixture(scope="module")
def probe():
    with Probe("media_probe") as running:
        yield running


def scene(width, height, seed=0):
    """A picture with slopes, edges, text-like detail and noise."""
    random_ = random.Random(seed)
    ramp = numpy.linspace(0, 255, width)[None, :, None] * numpy.linspace(0.2, 1, height)[:, None, None] * numpy.array([1, 0.6, 0.3])
    picture = Image.fromarray(ramp.astype(numpy.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(40):
        x, y = random_.randrange(width), random_.randrange(height)
        colour = tuple(random_.randrange(256) for _ in range(3))
        draw.ellipse([x, y, x + random_.randrange(1, 60), y + random_.randrange(1, 60)], fill=colour)
        draw.line([x, y, random_.randrange(width), random_.randrange(height)], fill=colour)
    noise = numpy.random.default_rng(seed).integers(-8, 9, (height, width, 3))
    return Image.fromarray(numpy.clip(numpy.asarray(picture).astype(int) + noise, 0, 255).astype(numpy.uint8))


def saved(picture, form, **options):
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def pixels_of(probe, folder, content):
    (folder / "picture").write_bytes(content)
    answer = probe.ask(["image", str(folder / "picture"), str(folder / "rgb")])
    assert isinstance(answer, list), answer
    width, height = answer
    return numpy.frombuffer((folder / "rgb").read_bytes(), numpy.uint8).reshape(height, width, 3)


def reference_pixels(content):
    return numpy.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB"))


def with_alpha(picture):
    alpha = Image.linear_gradient("L").resize(picture.size)
    return Image.merge("RGBA", (*picture.split(), alpha))


def wide_png(colour, samples):
    """16 bits a sample; Pillow writes only grey ones."""
    import struct
    import zlib
    height, width = samples.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    head = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def exact_files():
    picture = scene(123, 77)
    alpha, palette = with_alpha(picture), picture.quantize(37)
    numbers = numpy.random.default_rng(3)
    yield "png", saved(picture, "PNG")
    yield "png-alpha", saved(alpha, "PNG")
    yield "png-grey", saved(picture.convert("L"), "PNG")
    yield "png-grey-alpha", saved(alpha.convert("LA"), "PNG")
    yield "png-one-bit", saved(picture.convert("1"), "PNG")
    for colours in (2, 4, 16, 37):
        yield f"png-palette-{colours}", saved(picture.quantize(colours), "PNG")
    yield "png-palette-transparent", saved(palette, "PNG", transparency=5)
    yield "png-transparent-colour", saved(picture, "PNG", transparency=(10, 20, 30))
    yield "png-grey-16", wide_png(0, numbers.integers(0, 700, (20, 30)))
    yield "png-grey-alpha-16", wide_png(4, numbers.integers(0, 65536, (20, 30, 2)))
    yield "png-rgb-16", wide_png(2, numbers.integers(0, 65536, (20, 30, 3)))
    yield "png-rgba-16", wide_png(6, numbers.integers(0, 65536, (20, 30, 4)))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        for form in ("PNG", "WEBP"):
            yield f"{form}-turned-{orientation}", saved(picture, form, exif=exif, lossless=True)
    yield "webp-lossless", saved(picture, "WEBP", lossless=True)
    yield "webp-lossless-alpha", saved(alpha, "WEBP", lossless=True, exact=True)
    yield "webp-animation", saved(picture, "WEBP", lossless=True, save_all=True, append_images=[picture.rotate(90)])
    yield "gif", saved(palette, "GIF")
    yield "gif-plain-rows", saved(palette, "GIF", interlace=0)
    yield "gif-grey", saved(picture.convert("L"), "GIF")
    yield "gif-transparent", saved(palette, "GIF", transparency=3)
    yield "gif-few-colours", saved(picture.quantize(3), "GIF")
    yield "gif-animation", saved(palette, "GIF", save_all=True, append_images=[palette.rotate(90)])
    noise = Image.fromarray(numbers.integers(0, 256, (300, 400), numpy.uint8))
    yield "gif-full-dictionary", saved(noise, "GIF")


@pytest.mark.parametrize("name, content", list(exact_files()), ids=lambda value: value if isinstance(value, str) else "")
def test_pixels_are_pillows(probe, tmp_path, name, content):
    numpy.testing.assert_array_equal(pixels_of(probe, tmp_path, content), reference_pixels(content))


def lossy_files():
    picture = scene(131, 97, seed=1)
    for quality in (30, 75, 95):
        for subsampling in (0, 1, 2):
            yield f"jpeg-{quality}-{subsampling}", saved(picture, "JPEG", quality=quality, subsampling=subsampling)
    yield "jpeg-progressive", saved(picture, "JPEG", progressive=True)
    yield "jpeg-grey", saved(picture.convert("L"), "JPEG")
    yield "jpeg-cmyk", saved(picture.convert("CMYK"), "JPEG")
    yield "jpeg-rgb", saved(picture, "JPEG", keep_rgb=True)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield f"jpeg-turned-{orientation}", saved(picture, "JPEG", exif=exif)
    yield "webp", saved(picture, "WEBP")
    yield "webp-alpha", saved(with_alpha(picture), "WEBP", exact=True)


@pytest.mark.parametrize("name, content", list(lossy_files()), ids=lambda value: value if isinstance(value, str) else "")
def test_lossy_pixels_are_pillows(probe, tmp_path, name, content):
    """Pillow's wheel holds other versions of the libraries; where they round otherwise, by no more than this."""
    ours, theirs = pixels_of(probe, tmp_path, content).astype(int), reference_pixels(content).astype(int)
    assert ours.shape == theirs.shape
    assert abs(ours - theirs).max() <= 2, f"{name}: {abs(ours - theirs).max()}"
    assert (ours == theirs).mean() > 0.99, f"{name}: {(ours == theirs).mean()}"


def sizes():
    random_ = random.Random(5)
    yield from [((97, 61), (224, 224)), ((640, 480), (224, 224)), ((640, 480), (341, 256)), ((224, 224), (224, 100)),
                ((224, 224), (100, 224)), ((5, 5), (64, 64)), ((1, 1), (3, 3)), ((1000, 3), (10, 10)), ((3, 1000), (10, 10)),
                ((2, 2), (1, 1)), ((300, 200), (1, 1))]
    for _ in range(40):
        yield tuple(random_.randrange(1, 400) for _ in range(2)), tuple(random_.randrange(1, 400) for _ in range(2))


@pytest.mark.parametrize("name", FILTERS)
def test_sizes_are_pillows(probe, tmp_path, name):
    for number, (old, new) in enumerate(sizes()):
        picture = scene(*old, seed=number) if min(old) > 1 else Image.new("RGB", old, (7, 200, 33))
        (tmp_path / "old").write_bytes(picture.tobytes())
        answer = probe.ask(["resize", str(tmp_path / "old"), *old, *new, name, str(tmp_path / "new")])
        assert answer == list(new), answer
        ours = numpy.frombuffer((tmp_path / "new").read_bytes(), numpy.uint8).reshape(new[1], new[0], 3)
        numpy.testing.assert_array_equal(ours, numpy.asarray(picture.resize(new, FILTERS[name])), f"{old} to {new}")


def torchvision_crop(pixels, width, height):
    """center_crop of transformers' TorchvisionBackend, in numpy: black where the picture ends, cuts rounded towards the left."""
    tall, wide = max(0, height - pixels.shape[0]), max(0, width - pixels.shape[1])
    pixels = numpy.pad(pixels, ((tall // 2, (tall + 1) // 2), (wide // 2, (wide + 1) // 2), (0, 0)))
    top, left = int((pixels.shape[0] - height) / 2.0), int((pixels.shape[1] - width) / 2.0)
    return pixels[top:top + height, left:left + width]


def test_crops_are_those_of_transformers(probe, tmp_path):
    for old, new in [((256, 341), (224, 224)), ((225, 224), (224, 224)), ((100, 300), (224, 224)), ((31, 30), (40, 41)),
                     ((9, 9), (9, 9)), ((40, 41), (31, 30))]:
        picture = scene(*old)
        (tmp_path / "old").write_bytes(picture.tobytes())
        assert probe.ask(["crop", str(tmp_path / "old"), *old, *new, str(tmp_path / "new")]) == list(new)
        ours = numpy.frombuffer((tmp_path / "new").read_bytes(), numpy.uint8).reshape(new[1], new[0], 3)
        numpy.testing.assert_array_equal(ours, torchvision_crop(numpy.asarray(picture), *new), f"{old} to {new}")


def speechlike(rate, seconds, seed=0):
    """Tones that glide, with noise and silence between."""
    time = numpy.arange(int(rate * seconds)) / rate
    pitch = 120 + 60 * numpy.sin(2 * numpy.pi * 1.3 * time)
    sound = sum(numpy.sin(2 * numpy.pi * k * numpy.cumsum(pitch) / rate) / k for k in range(1, 12))
    sound = sound * (numpy.sin(2 * numpy.pi * 0.9 * time) > -0.4) + 0.01 * numpy.random.default_rng(seed).normal(size=time.size)
    return (0.2 * sound).astype(numpy.float32)


def samples_of(probe, folder, question, *arguments):
    answer = probe.ask([question, *map(lambda value: str(value) if not isinstance(value, int) else value, arguments), str(folder / "out")])
    assert isinstance(answer, list), answer
    return answer, numpy.frombuffer((folder / "out").read_bytes(), numpy.float32)


@pytest.mark.parametrize("bins", [40, 80, 128])
@pytest.mark.parametrize("rate", [16000, 8000])
def test_filter_banks_are_those_of_transformers(probe, tmp_path, bins, rate):
    """The steps of ASTFeatureExtractor._extract_fbank_features where torchaudio is missing."""
    sounds = [speechlike(rate, 2.03), numpy.zeros(3000, numpy.float32), 32768 * speechlike(rate, 0.5, seed=1),
              numpy.random.default_rng(2).normal(size=4001).astype(numpy.float32), speechlike(rate, 1)[:400]]
    filters = mel_filter_bank(num_frequency_bins=257, num_mel_filters=bins, min_frequency=20, max_frequency=rate // 2,
                              sampling_rate=rate, norm=None, mel_scale="kaldi", triangularize_in_mel_space=True)
    window = window_function(400, "hann", periodic=False)
    for sound in sounds:
        theirs = spectrogram(sound, window, frame_length=400, hop_length=160, fft_length=512, power=2.0, center=False, preemphasis=0.97,
                             mel_filters=filters, log_mel="log", mel_floor=1.192092955078125e-07, remove_dc_offset=True).T
        (tmp_path / "samples").write_bytes(sound.tobytes())
        (frames, _), ours = samples_of(probe, tmp_path, "filter_bank", tmp_path / "samples", rate, bins)
        assert frames == theirs.shape[0]
        numpy.testing.assert_allclose(ours.reshape(frames, bins), theirs, atol=1e-4)


def test_feature_extractor_of_ast(probe, tmp_path):
    from transformers import ASTFeatureExtractor
    sound = speechlike(16000, 3)
    theirs = ASTFeatureExtractor(do_normalize=False, max_length=256)(sound, sampling_rate=16000)["input_values"][0]
    (tmp_path / "samples").write_bytes(sound.tobytes())
    _, ours = samples_of(probe, tmp_path, "filter_bank", tmp_path / "samples", 16000, 128)
    numpy.testing.assert_allclose(ours.reshape(-1, 128)[:256], theirs, atol=1e-4)


SOUNDS = [("WAV", "PCM_16", 1e-7), ("WAV", "PCM_24", 1e-7), ("WAV", "PCM_U8", 1e-7), ("WAV", "FLOAT", 1e-7), ("WAV", "ULAW", 1e-7),
          ("FLAC", "PCM_16", 1e-7), ("FLAC", "PCM_24", 1e-7), ("OGG", "VORBIS", 1e-4), ("OGG", "OPUS", 1e-3),
          ("MP3", "MPEG_LAYER_III", 1e-4)]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("form, subtype, tolerance", SOUNDS)
def test_samples_are_soundfiles(probe, tmp_path, form, subtype, tolerance, channels):
    import soundfile
    sound = numpy.stack([speechlike(48000, 0.7, seed=i) for i in range(channels)], axis=1)
    path = tmp_path / "sound"
    soundfile.write(path, sound, 48000, format=form, subtype=subtype)
    theirs, rate = soundfile.read(path, dtype="float32", always_2d=True)
    (our_rate, count), ours = samples_of(probe, tmp_path, "sound", path)
    assert (our_rate, count) == (rate, len(theirs))
    numpy.testing.assert_allclose(ours, theirs.mean(axis=1), atol=tolerance)


@pytest.mark.parametrize("old", [8000, 22050, 44100, 48000])
def test_rates_agree_with_scipy(probe, tmp_path, old):
    """Against a polyphase resampler with a longer filter: the same sound up to the slopes of both low passes."""
    from scipy import signal
    sound = signal.sosfilt(signal.butter(8, 3000, fs=old, output="sos"), speechlike(old, 1)).astype(numpy.float32)
    (tmp_path / "samples").write_bytes(sound.tobytes())
    (rate, count), ours = samples_of(probe, tmp_path, "resample", tmp_path / "samples", old, 16000)
    assert (rate, count) == (16000, -(-len(sound) * 16000 // old))
    divisor = numpy.gcd(16000, old)
    up, down = 16000 // divisor, old // divisor
    filter_ = signal.firwin(2 * 100 * max(up, down) + 1, 1 / max(up, down), window=("kaiser", 14))
    theirs = signal.resample_poly(sound.astype(float), up, down, window=filter_)
    numpy.testing.assert_allclose(ours[300:-300], theirs[300:len(ours) - 300], atol=2e-4)
