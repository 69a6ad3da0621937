"""Tasks of pictures and sounds against transformers: real files, tiny seeded models, what preprocessor_config.json may say."""
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch
import transformers
from PIL import Image
from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tiny_models  # noqa: E402
from test_tasks import BINARY, run  # noqa: E402

SIDE = 24
LABELS = {i: name for i, name in enumerate(["cat", "dog", "bird", "fish", "tree", "house", "car"])}
MODEL = dict(tiny_models.PATCHED, image_size=SIDE, patch_size=8, num_labels=len(LABELS), id2label=LABELS,
             label2id={name: i for i, name in LABELS.items()})
EXACT = {"height": SIDE, "width": SIDE}
IMAGENET = dict(image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])
HALF = dict(image_mean=[0.5] * 3, image_std=[0.5] * 3)
PROCESSORS = {
    "bilinear": dict(HALF, size=EXACT, resample=2),
    "bicubic": dict(IMAGENET, size=EXACT, resample=3),
    "lanczos": dict(HALF, size=EXACT, resample=1),
    "nearest": dict(HALF, size=EXACT, resample=0),
    "as numbers": dict(size=EXACT, resample=2, do_normalize=False),
    "as bytes": dict(size=EXACT, resample=2, do_rescale=False, image_mean=[120.0, 110.0, 100.0], image_std=[60.0, 70.0, 80.0]),
    "another scale": dict(size=EXACT, resample=2, rescale_factor=1 / 127.5, image_mean=[1.0] * 3, image_std=[1.0] * 3),
    "crop": dict(HALF, size={"height": 31, "width": 40}, resample=3, do_center_crop=True, crop_size=EXACT),
    "shorter side": dict(IMAGENET, size={"shortest_edge": 29}, resample=3, do_center_crop=True, crop_size=EXACT),
    "crop alone": dict(HALF, do_resize=False, do_center_crop=True, crop_size=EXACT),
}


def write_config(folder, **settings):
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))


def randomise(model):
    generator = torch.Generator().manual_seed(7)
    for value in model.parameters():
        torch.nn.init.normal_(value, std=0.3, generator=generator)
    return model.eval()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Smooth noise of several shapes, as files of several kinds. What is smaller than a crop lacks an even number of pixels: the odd one is
    on one side in Pillow's backend and on the other in torchvision's."""
    folder, random, made = tmp_path_factory.mktemp("pictures"), np.random.default_rng(3), {}
    for name, (width, height), kind in (("wide.png", (61, 40), "RGB"), ("tall.png", (37, 90), "RGB"), ("small.png", (12, 18), "RGB"),
                                        ("grey.png", (50, 50), "L"), ("clear.png", (45, 52), "RGBA"), ("lossless.webp", (64, 33), "RGB")):
        channels = {"L": 1, "RGB": 3, "RGBA": 4}[kind]
        coarse = random.integers(0, 256, (8, 8, channels), dtype=np.uint8)
        picture = Image.fromarray(coarse[..., 0] if kind == "L" else coarse, kind).resize((width, height), Image.Resampling.BICUBIC)
        picture.save(folder / name, **({"lossless": True} if name.endswith("webp") else {}))
        made[name] = folder / name
    return made


def scores_of(model, values, top=5):
    with torch.no_grad():
        scores = model(values).logits[0].softmax(-1)
    values, places = scores.topk(top)
    return [{"label": model.config.id2label[int(i)], "score": float(v)} for i, v in zip(places, values)]


def assert_same(ours, theirs):
    assert [item["label"] for item in ours] == [item["label"] for item in theirs]
    assert [item["score"] for item in ours] == pytest.approx([item["score"] for item in theirs], abs=1e-4)


@pytest.mark.parametrize("name", sorted(PROCESSORS))
def test_pictures_are_prepared_and_classified_as_by_transformers(name, pictures, tmp_path):
    model = randomise(transformers.ViTForImageClassification(transformers.ViTConfig(**MODEL)))
    model.save_pretrained(tmp_path)
    settings = PROCESSORS[name]
    write_config(tmp_path, image_processor_type="ViTImageProcessor", **settings)
    processor = ViTImageProcessorPil(**settings)
    for path in pictures.values():
        picture = Image.open(path).convert("RGB")
        values = torch.tensor(np.array(processor(picture)["pixel_values"])).float()
        assert_same(run(tmp_path, "image-classification", path), scores_of(model, values))


def test_what_a_file_leaves_out_is_as_the_processor_of_its_type_has_it(pictures, tmp_path):
    """DeiT's resizes to 256 and cuts out 224."""
    config = transformers.DeiTConfig(**dict(MODEL, image_size=224, patch_size=56))
    model = randomise(transformers.DeiTForImageClassificationWithTeacher(config))
    model.save_pretrained(tmp_path)
    write_config(tmp_path)
    picture = Image.open(pictures["wide.png"])
    values = torch.tensor(np.array(DeiTImageProcessorPil()(picture)["pixel_values"]))
    assert_same(run(tmp_path, "image-classification", pictures["wide.png"]), scores_of(model, values))


@pytest.mark.parametrize("kind", ["ViT", "DeiT"])
def test_features_are_those_of_the_pipeline(kind, pictures, tmp_path):
    model = randomise(getattr(transformers, f"{kind}Model")(getattr(transformers, f"{kind}Config")(**MODEL)))
    model.save_pretrained(tmp_path)
    settings = dict(HALF, size=EXACT, resample=2, do_center_crop=False)
    write_config(tmp_path, **settings)
    path = pictures["tall.png"]
    values = torch.tensor(np.array(ViTImageProcessorPil(**settings)(Image.open(path))["pixel_values"]))
    with torch.no_grad():
        output = model(values)
    for pool, theirs in ((False, output.last_hidden_state), (True, output.pooler_output)):
        ours = np.array(run(tmp_path, "auto", path, pool=pool))
        assert ours.shape == tuple(theirs.shape)
        assert np.abs(ours - theirs.numpy()).max() < 1e-4 * np.abs(theirs.numpy()).max()


def test_scores_and_their_number_can_be_chosen(pictures, tmp_path):
    model = randomise(transformers.ViTForImageClassification(transformers.ViTConfig(**MODEL)))
    model.save_pretrained(tmp_path)
    write_config(tmp_path, size=EXACT, **HALF)
    path = pictures["wide.png"]
    ours = run(tmp_path, "image-classification", path, top_k=20, function_to_apply="none")
    assert len(ours) == len(LABELS)
    sigmoids = run(tmp_path, "image-classification", path, top_k=2, function_to_apply="sigmoid")
    assert [item["score"] for item in sigmoids] == pytest.approx([1 / (1 + np.exp(-item["score"])) for item in ours[:2]], abs=1e-5)


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    folder, random, made = tmp_path_factory.mktemp("sounds"), np.random.default_rng(5), {}
    for name, seconds in (("short.wav", 0.3), ("long.wav", 1.7), ("one.flac", 0.9), ("blink.wav", 0.01)):
        time = np.arange(int(16000 * seconds)) / 16000
        sound = 0.3 * np.sin(2 * np.pi * (300 + 900 * time) * time) + 0.05 * random.standard_normal(len(time))
        soundfile.write(folder / name, sound.astype(np.float32), 16000)
        made[name] = folder / name
    return made


@pytest.mark.parametrize("settings", [{}, dict(do_normalize=False), dict(mean=-6.0, std=3.0)], ids=["audioset", "raw", "own"])
def test_sounds_are_prepared_and_classified_as_by_transformers(settings, sounds, tmp_path):
    sizes = dict(num_mel_bins=32, max_length=96)
    config = transformers.ASTConfig(**dict(MODEL, **sizes))
    model = randomise(transformers.ASTForAudioClassification(config))
    model.save_pretrained(tmp_path)
    extractor = transformers.ASTFeatureExtractor(**sizes, **settings)
    extractor.save_pretrained(tmp_path)
    for name, path in sounds.items():
        if name == "blink.wav":
            continue
        samples, rate = soundfile.read(path, dtype="float32")
        values = extractor(samples, sampling_rate=rate, return_tensors="pt")["input_values"]
        assert_same(run(tmp_path, "audio-classification", path), scores_of(model, values))


def test_a_sound_shorter_than_a_frame_is_silence(sounds, tmp_path):
    sizes = dict(num_mel_bins=32, max_length=96)
    model = randomise(transformers.ASTForAudioClassification(transformers.ASTConfig(**dict(MODEL, **sizes))))
    model.save_pretrained(tmp_path)
    extractor = transformers.ASTFeatureExtractor(**sizes)
    extractor.save_pretrained(tmp_path)
    values = torch.full((1, 96, 32), -extractor.mean / (2 * extractor.std))
    assert_same(run(tmp_path, "audio-classification", sounds["blink.wav"]), scores_of(model, values))


def refused(folder, task, path):
    done = subprocess.run([BINARY, "run", folder, task, path], capture_output=True, text=True)
    assert done.returncode != 0
    return done.stderr


@pytest.mark.parametrize("settings, reason", [
    (dict(size={"height": 32, "width": 32}), "makes inputs of 32 x 32"),
    (dict(size={"height": 10**9, "width": 24}), "whole numbers up to"),
    (dict(size={"longest_edge": 24}), "not known"),
    (dict(size=EXACT, resample=9), "resample"),
    (dict(size=EXACT, image_std=[0.5, 0, 0.5]), "image_std"),
    (dict(size=EXACT, image_mean=[0.5]), "image_mean"),
    (dict(size=EXACT, rescale_factor=0), "rescale_factor"),
])
def test_configurations_that_make_no_sense_are_refused(settings, reason, pictures, tmp_path):
    transformers.ViTForImageClassification(transformers.ViTConfig(**MODEL)).save_pretrained(tmp_path)
    write_config(tmp_path, **settings)
    assert reason in refused(tmp_path, "image-classification", pictures["wide.png"])


def test_what_does_not_fit_is_refused_with_a_reason(pictures, sounds, tmp_path):
    transformers.ViTForImageClassification(transformers.ViTConfig(**MODEL)).save_pretrained(tmp_path)
    assert "preprocessor_config.json" in refused(tmp_path, "image-classification", pictures["wide.png"])
    write_config(tmp_path, size=EXACT, **HALF)
    assert "takes pictures and no texts" in refused(tmp_path, "text-classification", "hello")
    assert "takes no sounds" in refused(tmp_path, "audio-classification", sounds["short.wav"])
    assert refused(tmp_path, "image-classification", sounds["short.wav"])
    write_config(tmp_path, do_resize=False, **HALF)
    assert "not of the size" in refused(tmp_path, "image-classification", pictures["wide.png"])
    strip = tmp_path / "strip.png"
    Image.new("RGB", (30000, 1)).save(strip)
    write_config(tmp_path, size={"shortest_edge": 512}, do_center_crop=True, crop_size=EXACT, **HALF)
    assert "too long" in refused(tmp_path, "image-classification", strip)
