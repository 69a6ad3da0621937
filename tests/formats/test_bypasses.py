"""No shape of tests/formats/corpus.py passes the scanner, and real files raise no alarm."""
import os
import pathlib
import subprocess
import zipfile

import conftest
import corpus
import pytest
import real_files


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    return corpus.write_all(tmp_path_factory.mktemp("shapes"))


def test_there_are_many_different_shapes():
    assert len(corpus.SHAPES) >= 60
    lines = [line for _, _, _, line, _ in corpus.SHAPES]
    assert len(set(lines)) == len(lines)


def test_no_shape_passes(shapes, scan):
    missed = []
    for path, verdict, line in shapes:
        report = scan(path)
        if report["verdict"] != verdict:
            missed.append((path.name, line, report["verdict"], report["findings"][:3]))
    assert missed == []


def test_no_shape_passes_in_an_archive(shapes, scan, tmp_path):
    """Every shape once more as a member of a compressed archive."""
    missed = []
    for path, verdict, line in shapes:
        packed = tmp_path / (path.name + ".zip")
        packed.write_bytes(corpus.zip_of([("folder/" + path.name, path.read_bytes())], zipfile.ZIP_DEFLATED))
        report = scan(packed)
        if report["verdict"] not in ("suspicious", "dangerous") or (verdict == "dangerous" and report["verdict"] != verdict):
            missed.append((path.name, line, report["verdict"], report["findings"][:3]))
        packed.unlink()
    assert missed == []


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("honest")
    real_files.write_all(folder)
    return folder


def alarms(report):
    return [finding for finding in report["findings"] if finding["severity"] != "note"]


def test_real_files_raise_no_alarm(honest, scan):
    report = scan(honest)
    assert report["files"] > 50
    assert alarms(report) == []
    assert {row["class"] for row in report["globals"]} == {"safe"}


def test_a_real_repository_raises_no_alarm(testdata, scan):
    for name in ("minilm", "gguf", "tables", "mistral"):
        report = scan(testdata / name)
        assert report["files"] > 0 and alarms(report) == [], name


def test_real_chat_templates_raise_no_alarm(testdata, scan):
    report = scan(testdata / "templates")
    assert report["files"] >= 70
    assert alarms(report) == []


def test_estimators_of_scikit_learn_are_suspicious_and_not_dangerous(tmp_path, scan):
    real_files.write_sklearn(tmp_path)
    for path in sorted(tmp_path.iterdir()):
        report = scan(path)
        assert report["verdict"] == "suspicious", (path.name, report["findings"])
        kinds = {finding["kind"] for finding in alarms(report)}
        assert kinds == {"pickle-global"}, (path.name, alarms(report))


def test_a_folder_names_the_file_at_fault(tmp_path, scan):
    (tmp_path / "good.pkl").write_bytes(b"\x80\x04N.")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "bad.pkl").write_bytes(corpus.EVIL)
    findings = scan(tmp_path)["findings"]
    assert {finding["path"] for finding in findings} == {str(pathlib.Path("deep") / "bad.pkl")}


def test_every_prefix_of_a_checkpoint_after_the_call_is_dangerous(tmp_path, scan):
    """An archive that is cut off anywhere behind the pickle: some loaders still read it."""
    content = corpus.torch_zip()
    whole = content.index(corpus.EVIL) + len(corpus.EVIL)
    path = tmp_path / "cut.pt"
    for end in range(whole, len(content), 7):
        path.write_bytes(content[:end])
        assert scan(path)["verdict"] == "dangerous", end


@pytest.mark.parametrize("command", ["scan", "inspect"])
def test_a_pipe_is_refused_and_not_taken_as_empty(command):
    """`cat evil.pkl | hearth scan /dev/stdin`: the size of a pipe says nothing."""
    done = subprocess.run([str(conftest.BINARY), command, "/dev/stdin"], input=corpus.EVIL, capture_output=True, timeout=60)
    assert done.returncode == 1
    assert b"not a regular file" in done.stderr


def test_what_a_folder_holds_besides_files_is_named(tmp_path, scan):
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    folder.mkdir()
    (outside / "bad.pkl").write_bytes(corpus.EVIL)
    (folder / "linked").symlink_to(outside)
    (folder / "device").symlink_to("/dev/null")
    (folder / "lost").symlink_to(tmp_path / "missing")
    os.mkfifo(folder / "pipe")
    report = scan(folder)
    assert report["verdict"] == "suspicious"
    assert {(row["kind"], row["path"]) for row in report["findings"]} == {
        ("not-examined", name) for name in ("linked", "device", "lost", "pipe")}


def test_links_to_files_and_within_the_folder_raise_no_alarm(tmp_path, scan):
    """Caches of models consist of such links."""
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "blobs" / "1").write_bytes(b"\x80\x04N.")
    (tmp_path / "snapshot" / "model.pkl").symlink_to(tmp_path / "blobs" / "1")
    (tmp_path / "latest").symlink_to("snapshot")
    (tmp_path / "snapshot" / "again").symlink_to("..")
    report = scan(tmp_path)
    assert report["files"] == 2 and report["findings"] == []
