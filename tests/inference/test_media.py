"""Pictures and sounds through a hub: real `hearth serve`, unmodified clients. The model of pictures was really trained."""
import base64
import io
import json
import shutil
import wave

import numpy as np
import pytest
import requests
from huggingface_hub import HfApi, InferenceClient

import train_digits_model
from conftest import write_tensors
from harness.hub import ADMIN_TOKEN, Hub
from harness.people import eventually

NAMES = train_digits_model.NAMES
WAIT = {"x-wait-for-model": "true", "authorization": "Bearer " + ADMIN_TOKEN}
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def digits():
    return train_digits_model.ensure()


@pytest.fixture(scope="module")
def pictures(digits):
    """[(what it shows, path)]"""
    return [(NAMES[int(path.name[0])], path) for path in sorted((digits / "pictures").iterdir())[:40]]


def tiny_ast(folder):
    """An Audio Spectrogram Transformer of seeded random weights: four labels, 96 frames of 32 mel bins."""
    hidden, feed, patches, random = 32, 64, 2 * 9, np.random.default_rng(11)
    folder.mkdir()
    labels = {str(i): name for i, name in enumerate(["speech", "music", "rain", "silence"])}
    (folder / "config.json").write_text(json.dumps(dict(
        model_type="audio-spectrogram-transformer", architectures=["ASTForAudioClassification"], hidden_size=hidden, num_hidden_layers=1,
        num_attention_heads=4, intermediate_size=feed, num_mel_bins=32, max_length=96, id2label=labels,
        label2id={name: int(i) for i, name in labels.items()})))
    (folder / "preprocessor_config.json").write_text(json.dumps(dict(
        feature_extractor_type="ASTFeatureExtractor", num_mel_bins=32, max_length=96, sampling_rate=16000)))
    shapes = {"embeddings.cls_token": (1, 1, hidden), "embeddings.distillation_token": (1, 1, hidden),
              "embeddings.position_embeddings": (1, patches + 2, hidden),
              "embeddings.patch_embeddings.projection.weight": (hidden, 1, 16, 16), "embeddings.patch_embeddings.projection.bias": (hidden,),
              "layernorm.weight": (hidden,), "layernorm.bias": (hidden,)}
    for name, outputs, inputs in (("attention.attention.query", hidden, hidden), ("attention.attention.key", hidden, hidden),
                                  ("attention.attention.value", hidden, hidden), ("attention.output.dense", hidden, hidden),
                                  ("intermediate.dense", feed, hidden), ("output.dense", hidden, feed)):
        shapes |= {f"encoder.layer.0.{name}.weight": (outputs, inputs), f"encoder.layer.0.{name}.bias": (outputs,)}
    for name in ("layernorm_before", "layernorm_after"):
        shapes |= {f"encoder.layer.0.{name}.weight": (hidden,), f"encoder.layer.0.{name}.bias": (hidden,)}
    shapes = {"audio_spectrogram_transformer." + name: shape for name, shape in shapes.items()}
    shapes |= {"classifier.layernorm.weight": (hidden,), "classifier.layernorm.bias": (hidden,), "classifier.dense.weight": (4, hidden),
               "classifier.dense.bias": (4,)}
    write_tensors(folder / "model.safetensors", {name: 0.3 * random.standard_normal(shape) for name, shape in shapes.items()})
    return folder


def wav_of(samples, rate=16000):
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()


@pytest.fixture(scope="module")
def sound():
    time = np.arange(12000) / 16000
    return wav_of(0.4 * np.sin(2 * np.pi * (200 + 700 * time) * time))


@pytest.fixture(scope="module")
def hub(tmp_path_factory, digits):
    hub = Hub(tmp_path_factory.mktemp("hub") / "data")
    hub.start()
    api = HfApi(hub.url, token=ADMIN_TOKEN)
    for name, folder in (("digits", digits / "model"), ("sounds", tiny_ast(tmp_path_factory.mktemp("sounds") / "model"))):
        api.create_repo(f"alice/{name}")
        api.upload_folder(repo_id=f"alice/{name}", folder_path=str(folder))
    yield hub
    hub.stop()


@pytest.fixture
def client(hub):
    return InferenceClient(hub.url + "/models/alice/digits", headers=WAIT)


def post(hub, body, path="/models/alice/digits", **headers):
    return requests.post(hub.url + path, data=body, headers=WAIT | headers)


def test_the_model_is_known_for_what_it_does(hub):
    api = HfApi(hub.url, token=ADMIN_TOKEN)
    assert eventually(lambda: api.model_info("alice/digits").pipeline_tag == "image-classification")
    status = requests.get(hub.url + "/api/models/alice/digits?expand[]=inference&expand[]=pipeline_tag", headers=WAIT).json()
    assert status["pipeline_tag"] == "image-classification"


def test_pictures_are_told_apart(client, pictures):
    right = 0
    for shown, path in pictures:
        answer = client.image_classification(str(path))
        assert len(answer) == 5 and answer == sorted(answer, key=lambda item: -item.score)
        right += answer[0].label == shown
    assert right >= 0.8 * len(pictures)


def test_parameters_come_with_a_picture_in_json(client, pictures):
    path = pictures[0][1]
    plain = client.image_classification(str(path))
    two = client.image_classification(path.read_bytes(), top_k=2)
    assert [item.label for item in two] == [item.label for item in plain[:2]]
    sigmoid = client.image_classification(path.read_bytes(), top_k=1, function_to_apply="sigmoid")
    assert sigmoid[0].label == plain[0].label and sigmoid[0].score != plain[0].score


def test_a_picture_may_come_in_any_wrapping(hub, pictures):
    raw = pictures[3][1].read_bytes()
    text = base64.b64encode(raw).decode()
    expected = post(hub, raw, **{"content-type": "image/png"}).json()
    assert expected[0]["label"]
    for kind in ("application/octet-stream", "application/x-www-form-urlencoded", ""):
        assert post(hub, raw, **{"content-type": kind}).json() == expected
    for inputs in (text, "data:image/png;base64," + text):
        assert post(hub, json.dumps({"inputs": inputs}), **{"content-type": "application/json"}).json() == expected
        assert post(hub, json.dumps({"inputs": inputs})).json() == expected
    several = post(hub, json.dumps({"inputs": [text, text], "parameters": {"top_k": 1}})).json()
    # Rows of a larger batch are summed in another order.
    assert [[item["label"] for item in each] for each in several] == [[expected[0]["label"]]] * 2
    assert several[0][0]["score"] == pytest.approx(expected[0]["score"], abs=1e-5)
    for path in ("/models/alice/digits/pipeline/image-classification", "/pipeline/image-classification/alice/digits",
                 "/hf-inference/models/alice/digits"):
        assert post(hub, raw, path).json() == expected


@pytest.mark.parametrize("body, reason", [
    (b"no picture at all", None), (PNG, None), (PNG + b"\0" * 100, None), (b"", None), (b"GIF89a", None),
    (json.dumps({"inputs": "not base64!"}).encode(), "Base64"), (json.dumps({"inputs": 7}).encode(), "Base64"),
    (json.dumps({"inputs": []}).encode(), "1 to 32"), (json.dumps({"parameters": {}}).encode(), "inputs"),
    (json.dumps({"inputs": "data:image/png,abc"}).encode(), "data URL"),
    (json.dumps({"inputs": "http://localhost/a.png"}).encode(), "not fetched"),
    (json.dumps({"inputs": base64.b64encode(b"text").decode()}).encode(), None),
])
def test_what_is_no_picture_is_refused(hub, body, reason):
    answer = post(hub, body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"] and (reason or "") in answer.json()["error"]


def test_parameters_that_are_wrong_are_refused(hub, pictures):
    text = base64.b64encode(pictures[0][1].read_bytes()).decode()
    for parameters in ({"top_k": -1}, {"top_k": "many"}, {"function_to_apply": "tanh"}):
        assert post(hub, json.dumps({"inputs": text, "parameters": parameters})).status_code == 422


def test_a_picture_may_be_larger_than_a_text(hub, pictures):
    raw = pictures[0][1].read_bytes()
    # Bytes behind the end of a PNG file are nobody's.
    assert post(hub, raw + b"\0" * 8_000_000).json() == post(hub, raw).json()
    assert post(hub, raw + b"\0" * 20_000_000).status_code == 413


def test_a_picture_is_no_text(hub, pictures):
    answer = post(hub, json.dumps({"inputs": "hello"}), "/models/alice/digits/pipeline/text-classification")
    assert answer.status_code == 422 and "pictures" in answer.json()["error"]
    for path in ("/models/alice/digits/embed", "/models/alice/digits/tokenize", "/models/alice/digits/generate",
                 "/models/alice/digits/v1/chat/completions", "/models/alice/digits/v1/embeddings"):
        body = {"inputs": "hello", "input": "hello", "messages": [{"role": "user", "content": "hello"}]}
        answer = requests.post(hub.url + path, json=body, headers=WAIT)
        assert 400 <= answer.status_code < 500, (path, answer.text)
    info = requests.get(hub.url + "/models/alice/digits/info", headers=WAIT)
    assert info.status_code == 200, info.text


def test_a_model_without_a_way_to_prepare_pictures_is_not_run(hub, digits, tmp_path):
    shutil.copytree(digits / "model", tmp_path / "bare")
    (tmp_path / "bare" / "preprocessor_config.json").unlink()
    api = HfApi(hub.url, token=ADMIN_TOKEN)
    api.create_repo("alice/bare")
    api.upload_folder(repo_id="alice/bare", folder_path=str(tmp_path / "bare"))
    answer = requests.post(hub.url + "/models/alice/bare", data=PNG, headers=WAIT)
    assert answer.status_code >= 400 and "preprocessor_config.json" in answer.text


def test_sounds_are_told_apart(hub, sound, tmp_path):
    client = InferenceClient(hub.url + "/models/alice/sounds", headers=WAIT)
    (tmp_path / "sound.wav").write_bytes(sound)
    answer = client.audio_classification(str(tmp_path / "sound.wav"))
    assert sorted(item.label for item in answer) == ["music", "rain", "silence", "speech"]
    assert sum(item.score for item in answer) == pytest.approx(1)
    two = client.audio_classification(sound, top_k=2)
    assert [item.label for item in two] == [item.label for item in answer[:2]]
    plain = post(hub, sound, "/models/alice/sounds", **{"content-type": "audio/wav"}).json()
    assert [item["label"] for item in plain] == [item.label for item in answer]


@pytest.mark.parametrize("body", [b"no sound", b"RIFF", PNG, wav_of(np.zeros(0))])
def test_what_is_no_sound_is_refused(hub, body):
    assert post(hub, body, "/models/alice/sounds").status_code == 422


def test_sounds_may_be_of_any_rate(hub, sound):
    for rate in (8000, 22050, 48000):
        time = np.arange(rate // 2) / rate
        answer = post(hub, wav_of(0.4 * np.sin(2 * np.pi * 440 * time), rate), "/models/alice/sounds")
        assert answer.status_code == 200 and len(answer.json()) == 4, answer.text
