"""Real RAR archives of all versions, and 7z archives of 7-Zip: honest ones pass, what cannot be read does not."""
import random

import corpus_packed
import pytest
from conftest import run

# What RAR wrote, as the tests of the Python package rarfile keep it, and the objects in it (with the archive itself).
CLEAN = {"rar3-subdirs.rar": 5, "rar3-versions.rar": 4, "rar5-crc.rar": 3, "rar5-blake.rar": 3, "rar5-solid.rar": 3,
         "rar5-subdirs.rar": 5, "rar5-quick-open.rar": 3, "rar5-dups.rar": 2}
SEALED = {"rar3-comment-psw.rar": "encrypted", "rar3-comment-hpsw.rar": "encrypted", "rar5-psw.rar": "encrypted", "rar5-hpsw.rar": "encrypted",
          "rar5-psw-blake.rar": "encrypted", "rar3-vols.part1.rar": "set of volumes", "rar5-vols.part3.rar": "set of volumes",
          "rar3-solid.rar": "solid", "rar15-comment.rar": "archive:"}


@pytest.mark.parametrize("name", CLEAN)
def test_honest_archives_pass(testdata, scan, name):
    report = scan(testdata / "rar" / name)
    assert report["verdict"] == "clean" and report["findings"] == []
    assert report["objects"] == CLEAN[name] and report["unpackedBytes"] > 0


@pytest.mark.parametrize("name", SEALED)
def test_what_cannot_be_read_is_suspicious(testdata, scan, name):
    report = scan(testdata / "rar" / name)
    assert report["verdict"] == "suspicious"
    findings = [finding for finding in report["findings"] if finding["kind"] == "not-examined"]
    assert any(SEALED[name] in finding["evidence"] for finding in findings), findings


def test_a_link_out_of_the_folder(testdata, scan):
    report = scan(testdata / "rar" / "rar5-evil-symlink-traversal.rar")
    assert report["verdict"] == "suspicious" and report["findings"][0]["kind"] == "path-escape"


@pytest.mark.parametrize("make", [corpus_packed.rar4_of, corpus_packed.rar5_of, corpus_packed.seven_zip_of])
def test_an_honest_archive_of_each_kind(tmp_path, scan, make):
    path = tmp_path / "honest.bin"
    path.write_bytes(make(corpus_packed.FINE))
    report = scan(path)
    assert report["verdict"] == "clean" and report["objects"] == 2 and report["unpackedBytes"] == 400


def test_a_bomb(tmp_path, scan):
    path = tmp_path / "zeros.7z"
    path.write_bytes(corpus_packed.seven_zip_of([("zeros", bytes(150 << 20))]))
    report = scan(path)
    assert report["verdict"] == "suspicious"
    assert "decompression-bomb" in [finding["kind"] for finding in report["findings"]]
    assert report["unpackedBytes"] < 100 << 20


def test_cut_and_damaged_archives(testdata, tmp_path, scan):
    """They end in a report; the ones that are cut do not pass."""
    choice = random.Random(5)
    wholes = [corpus_packed.seven_zip_of(corpus_packed.HIDDEN), corpus_packed.rar4_of(corpus_packed.HIDDEN),
              corpus_packed.rar5_of(corpus_packed.HIDDEN), (testdata / "rar" / "rar5-solid.rar").read_bytes(),
              (testdata / "rar" / "rar3-subdirs.rar").read_bytes()]
    for number, whole in enumerate(wholes):
        for i in range(25):
            damaged = bytearray(whole)
            for _ in range(choice.choice([1, 4, 20])):
                damaged[choice.randrange(8, len(damaged))] = choice.randrange(256)
            (tmp_path / f"{number}.{i}.bin").write_bytes(damaged)
    code, _, err = run("scan", tmp_path)
    assert code in (0, 3), err
    cut = tmp_path / "cut.7z"
    for size in range(40, len(wholes[0]), 17):
        cut.write_bytes(wholes[0][:size])
        assert scan(cut)["verdict"] in ("suspicious", "dangerous"), size
