"""Large objects: nobody reads or links by knowing a sha256, and signed links cannot be bent."""
import hashlib
import re

import pytest

from harness.repos import commit, create, file_row, lfs_batch, lfs_row, local, upload_object

SECRET = b"\0the weights that nobody else may have" * 100
OID = hashlib.sha256(SECRET).hexdigest()


@pytest.fixture(scope="module")
def vault(bob):
    create(bob, "bob/vault", private=True)
    upload_object(bob, "bob/vault", SECRET)
    assert commit(bob, "bob/vault", [lfs_row("w.bin", SECRET)]).status == 200
    return "bob/vault"


@pytest.fixture
def foreign(mallory, new_id):
    repo_id = new_id("mallory")
    create(mallory, repo_id)
    return repo_id


def test_a_foreign_object_cannot_be_downloaded_by_its_sha256(mallory, vault, foreign):
    answer = lfs_batch(mallory, foreign, [{"oid": OID, "size": len(SECRET)}], "download")
    assert answer.status in (200, 404, 422)
    if answer.status == 200:
        row = answer.json()["objects"][0]
        assert "actions" not in row and row["error"]["code"] == 404


def test_a_foreign_object_cannot_be_linked_by_its_sha256(mallory, vault, foreign):
    """An upload batch may not say "I have it already", and a commit may not name it, without its bytes."""
    row = lfs_batch(mallory, foreign, [{"oid": OID, "size": len(SECRET)}]).json()["objects"][0]
    assert "upload" in row.get("actions", {}), row
    answer = commit(mallory, foreign, [lfs_row("stolen.bin", SECRET)])
    assert answer.status == 400, answer
    assert mallory.get(f"/{foreign}/resolve/main/stolen.bin").status == 404


def test_a_pointer_file_written_as_text_links_nothing(mallory, vault, foreign):
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize {len(SECRET)}\n"
    answer = commit(mallory, foreign, [file_row("stolen.bin", pointer)])
    got = mallory.get(f"/{foreign}/resolve/main/stolen.bin")
    assert SECRET[:50] not in got.body
    assert answer.status in (200, 400)


def test_verify_does_not_tell_what_others_have(mallory, vault, foreign):
    batch = lfs_batch(mallory, foreign, [{"oid": OID, "size": len(SECRET)}]).json()["objects"][0]
    if "verify" in batch.get("actions", {}):
        answer = mallory.post(local(batch["actions"]["verify"]["href"]), {"oid": OID, "size": len(SECRET)})
        assert 400 <= answer.status < 500, answer


def test_honest_bytes_make_it_mine(mallory, vault, foreign):
    upload_object(mallory, foreign, SECRET)
    assert commit(mallory, foreign, [lfs_row("own.bin", SECRET)]).status == 200
    assert mallory.get(f"/{foreign}/resolve/main/own.bin").body == SECRET


def batch_href(client, repo_id, data, operation="upload"):
    row = lfs_batch(client, repo_id, [{"oid": hashlib.sha256(data).hexdigest(), "size": len(data)}], operation).json()
    return local(row["objects"][0]["actions"][operation]["href"])


def test_an_upload_link_takes_only_its_own_bytes(wire, bob, repo):
    data = b"\0right" * 50
    href = batch_href(bob, repo, data)
    for wrong in (b"\0wrong" * 50, data + b"x", data[:-1], b""):
        answer = wire.put(href, wrong)
        assert 400 <= answer.status < 500, (len(wrong), answer)
    assert commit(bob, repo, [lfs_row("w.bin", data)]).status == 400
    assert wire.put(href, data).status in (200, 201)
    assert commit(bob, repo, [lfs_row("w.bin", data)]).status == 200


def test_a_body_without_a_length_ends_at_the_announced_size(wire, bob, repo):
    """Else one small announcement could fill the disk."""
    data = b"\0small" * 50
    href = batch_href(bob, repo, data)
    head = f"PUT {href} HTTP/1.1\r\nHost: {wire.host}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    answer = wire.raw(head + chunk * 4, timeout=5)
    assert answer.startswith(b"HTTP/1.1 413 "), answer[:200]
    chunked = [("Transfer-Encoding", "chunked")]
    assert wire.request("PUT", href, b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data), chunked).status in (200, 201)


@pytest.mark.parametrize("operation", ["upload", "download"])
def test_a_bent_link_is_refused(wire, bob, repo, operation):
    data = b"\0linked" * 50
    if operation == "download":
        upload_object(bob, repo, data)
        assert commit(bob, repo, [lfs_row("w.bin", data)]).status == 200
    href = batch_href(bob, repo, data, operation)
    method = "PUT" if operation == "upload" else "GET"
    other = hashlib.sha256(b"other").hexdigest()
    bent = {href.split("?")[0], href.replace(hashlib.sha256(data).hexdigest(), other)}
    for name, value in re.findall(r"[?&]([^=&]+)=([^&]*)", href):
        for changed in ("", "0", value[:-1], value + "0", value[::-1] + "1"):
            bent.add(href.replace(f"{name}={value}", f"{name}={changed}"))
        bent.add(re.sub(rf"[?&]{re.escape(name)}=[^&]*", "", href))
    bent.discard(href)
    assert len(bent) > 3, href
    for target in bent:
        answer = wire.request(method, target, data if method == "PUT" else None)
        assert 400 <= answer.status < 500, (target, answer)
    if operation == "download":
        assert wire.get(href).body == data


def test_a_link_for_one_verb_serves_no_other(wire, bob, repo):
    data = b"\0verbs" * 50
    upload = batch_href(bob, repo, data)
    assert 400 <= wire.get(upload).status < 500
    assert wire.put(upload, data).status in (200, 201)
    assert commit(bob, repo, [lfs_row("w.bin", data)]).status == 200
    download = batch_href(bob, repo, data, "download")
    assert 400 <= wire.put(download, b"\0changed" * 50).status < 500
    assert 400 <= wire.delete(download).status < 500
    assert wire.get(download).body == data


@pytest.mark.parametrize("oid", ["", "x", "0" * 63, "0" * 65, "G" * 64, "../" * 21 + "a", "0" * 64 + "\0", "0" * 32, None, 5, "%2e" * 21 + "a"])
def test_an_oid_that_is_none(bob, repo, oid):
    answer = lfs_batch(bob, repo, [{"oid": oid, "size": 1}])
    assert answer.status in (200, 400, 422), answer
    if answer.status == 200:
        assert "actions" not in answer.json()["objects"][0]
    answer = commit(bob, repo, [("lfsFile", {"path": "w.bin", "algo": "sha256", "oid": oid, "size": 1})])
    assert answer.status == 400, answer


@pytest.mark.parametrize("size", [-1, "1", 1.5, None, 10**30, True])
def test_a_size_that_is_none(bob, repo, size):
    answer = lfs_batch(bob, repo, [{"oid": "1" * 64, "size": size}])
    assert answer.status in (200, 400, 413, 422), answer
    if answer.status == 200:
        assert "actions" not in answer.json()["objects"][0]


def test_a_commit_that_lies_about_the_size(bob, repo):
    data = b"\0sized" * 50
    upload_object(bob, repo, data)
    answer = commit(bob, repo, [("lfsFile", {"path": "w.bin", "algo": "sha256", "size": 5,
                                             "oid": hashlib.sha256(data).hexdigest()})])
    if answer.status == 200:
        got = bob.get(f"/{repo}/resolve/main/w.bin")
        assert got.body == data and got.headers["X-Linked-Size"] == str(len(data))
    else:
        assert answer.status == 400


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"operation":"upload"}', '{"operation":"steal","objects":[]}',
                                  '{"operation":"upload","objects":{}}', '{"operation":"upload","objects":[1]}',
                                  '{"operation":"upload","objects":[{}]}', '{"objects":' + "[" * 5000, "\xff\xfe"])
def test_a_malformed_batch(bob, repo, body):
    answer = bob.post(f"/{repo}.git/info/lfs/objects/batch", body.encode("latin-1"),
                      {"Content-Type": "application/vnd.git-lfs+json"})
    if answer.status == 200:  # the batch is one; its objects are not
        assert all("actions" not in row and row["error"]["code"] == 422 for row in answer.json()["objects"])
    else:
        assert answer.status in (400, 422), answer
        assert isinstance(answer.json()["message"], str)


def test_a_batch_of_too_many_objects(bob, repo):
    objects = [{"oid": f"{number:064x}", "size": 1} for number in range(20_000)]
    answer = lfs_batch(bob, repo, objects)
    assert answer.status in (200, 413, 422), answer


def test_a_repository_deleted_takes_its_links_along(wire, bob, new_id):
    repo_id = new_id()
    create(bob, repo_id, private=True)
    data = b"\0short lived" * 50
    upload_object(bob, repo_id, data)
    commit(bob, repo_id, [lfs_row("w.bin", data)])
    name = repo_id.split("/")[1]
    assert bob.delete("/api/repos/delete", {"name": name, "organization": "bob", "type": "model"}).status == 200
    assert bob.get(f"/{repo_id}/resolve/main/w.bin").status == 404


def test_links_end_with_the_rights_that_they_came_from(wire, bob, new_id):
    """An anonymous visitor's download link must not work once the repository is private."""
    repo_id = new_id()
    create(bob, repo_id)
    data = b"weights " * 40
    oid = upload_object(bob, repo_id, data)
    answer = lfs_batch(wire, repo_id, [{"oid": oid, "size": len(data)}], operation="download")
    target = local(answer.json()["objects"][0]["actions"]["download"]["href"])
    assert wire.get(target).body == data
    assert bob.put(f"/api/models/{repo_id}/settings", {"private": True}).status == 200
    assert wire.get(target).status == 404
