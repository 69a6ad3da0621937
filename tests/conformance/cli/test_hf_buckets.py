"""`hf buckets`, `hf sync` and `hf cp`, as a person types them."""
import json
import os

import pytest

LARGE = os.urandom(1_500_000) + b"row\n" * 100_000


@pytest.fixture
def bucket(hf, new_id):
    bucket_id = new_id()
    hf("buckets", "create", bucket_id)
    return bucket_id


def listed(hf, bucket):
    return [item["path"] for item in json.loads(hf("buckets", "list", bucket, "-R", "--format", "json"))]


def test_create_list_settings_and_delete(hf, new_id):
    bucket = new_id()
    assert f"/buckets/{bucket}" in hf("buckets", "create", bucket, "--private")
    hf("buckets", "create", bucket, ok=False)
    hf("buckets", "create", bucket, "--exist-ok")
    name = bucket.split("/")[1]
    assert bucket in hf("buckets", "list") and bucket in hf("buckets", "list", "bob", "--search", name)
    assert json.loads(hf("buckets", "info", bucket, "--format", "json"))["private"] is True
    hf("buckets", "settings", bucket, "--public")
    assert json.loads(hf("buckets", "info", bucket, "--format", "json"))["private"] is False
    hf("buckets", "delete", bucket, "--yes")
    hf("buckets", "info", bucket, ok=False)
    hf("buckets", "delete", bucket, "--yes", "--missing-ok")


def test_cp_up_down_and_across(hf, bucket, new_id, tmp_path):
    (tmp_path / "large.bin").write_bytes(LARGE)
    hf("cp", "large.bin", f"hf://buckets/{bucket}/data/")
    assert listed(hf, bucket) == ["data/large.bin"]
    hf("cp", f"hf://buckets/{bucket}/data/large.bin", "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == LARGE
    other = new_id()
    hf("buckets", "create", other)
    hf("cp", f"hf://buckets/{bucket}/data/large.bin", f"hf://buckets/{other}/copy.bin")
    hf("buckets", "cp", f"hf://buckets/{other}/copy.bin", "across.bin")
    assert (tmp_path / "across.bin").read_bytes() == LARGE
    hf("cp", f"hf://buckets/{bucket}/missing", "nothing", ok=False)


def test_cp_from_a_repository(hf, api, bucket, new_id, tmp_path):
    repo = new_id()
    api.create_repo(repo)
    api.upload_file(path_or_fileobj=LARGE, path_in_repo="weights.bin", repo_id=repo)
    hf("cp", f"hf://{repo}/weights.bin", f"hf://buckets/{bucket}/weights.bin")
    hf("cp", f"hf://buckets/{bucket}/weights.bin", "down.bin")
    assert (tmp_path / "down.bin").read_bytes() == LARGE


def test_sync_up_down_and_delete(hf, bucket, tmp_path):
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "a.txt").write_text("one")
    (source / "sub" / "large.bin").write_bytes(LARGE)
    hf("sync", source, f"hf://buckets/{bucket}")
    assert listed(hf, bucket) == ["a.txt", "sub/large.bin"]
    assert "Nothing to sync" in hf("sync", source, f"hf://buckets/{bucket}")
    hf("sync", f"hf://buckets/{bucket}", tmp_path / "target")
    assert (tmp_path / "target" / "sub" / "large.bin").read_bytes() == LARGE
    (source / "a.txt").unlink()
    hf("sync", source, f"hf://buckets/{bucket}", "--delete")
    assert listed(hf, bucket) == ["sub/large.bin"]


def test_rm_and_move(hf, bucket, new_id, tmp_path):
    for name in ("keep", "logs/1", "logs/2"):
        (tmp_path / "file").write_text(name)
        hf("cp", "file", f"hf://buckets/{bucket}/{name}")
    hf("buckets", "rm", f"{bucket}/logs/1", "--yes")
    assert listed(hf, bucket) == ["keep", "logs/2"]
    hf("buckets", "rm", f"{bucket}/logs", "--recursive", "--yes")
    assert listed(hf, bucket) == ["keep"]
    target = new_id()
    hf("buckets", "move", bucket, target)
    assert listed(hf, target) == ["keep"]


def test_a_private_bucket_is_not_shown_to_others(hf, tokens, new_id, tmp_path):
    bucket = new_id()
    hf("buckets", "create", bucket, "--private")
    (tmp_path / "secret").write_text("secret")
    hf("cp", "secret", f"hf://buckets/{bucket}/secret")
    for token in (tokens["mallory"], None):
        hf("buckets", "info", bucket, token=token, ok=False)
        hf("cp", f"hf://buckets/{bucket}/secret", "stolen", token=token, ok=False)
        assert bucket not in hf("buckets", "list", "bob", token=token)
    assert not (tmp_path / "stolen").exists()
