"""One request must not make the hub do or answer a million times what it says."""
from harness.repos import lfs_batch, put_file


def test_repeated_paths_are_described_once(wire, bob, repo):
    put_file(bob, repo, "a.txt", "x")
    body = "&".join(["paths=a.txt", "paths=a.txt/", "paths=/a.txt"] * 2000)
    answer = wire.post(f"/api/models/{repo}/paths-info/main", body, {"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 200, answer
    assert [entry["path"] for entry in answer.json()] == ["a.txt"]


def test_a_list_takes_a_few_search_texts(wire):
    assert wire.get("/api/models?" + "&".join(["search=a"] * 20)).status == 200
    answer = wire.get("/api/models?" + "&".join(["search=a"] * 1000))
    assert answer.status == 400
    assert "search" in answer.message


def test_a_batch_of_huge_objects_is_not_a_flood_of_links(bob, repo):
    """A thousand objects of a thousand parts each would be a million signed links."""
    objects = [{"oid": f"{number:064x}", "size": 500_000_000_000} for number in range(1000)]
    answer = lfs_batch(bob, repo, objects, transfers=("basic", "multipart"))
    assert answer.status == 413, answer
    assert lfs_batch(bob, repo, objects[:2], transfers=("basic", "multipart")).status == 200
