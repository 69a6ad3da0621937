"""kill -9 while the search index takes in, writes and merges: afterwards everything that was acknowledged is found, and nothing else."""
import random
import threading
import time
import urllib.parse

from harness.repos import commit, create, file_row

ROUNDS = 4
NEW = 170  # repositories a round: with four rounds enough segments for merges


class World:
    """What the hub has acknowledged: for each repository its word, and whether strangers see it."""

    def __init__(self, place, rng):
        self.place, self.rng = place, rng
        self.words, self.private, self.gone = {}, set(), set()

    def word(self):
        return "".join(self.rng.choice("bcdfghklmnprstvz") + self.rng.choice("aeiou") for _ in range(6))

    def write(self, name):
        word = self.word()
        answer = commit(self.place.bob, name, [file_row("README.md", f"---\nlicense: mit\n---\nEverybodysword and {word}.\n")])
        assert answer.status == 200, answer
        if name in self.words:
            self.gone.add(self.words[name])
        self.words[name] = word

    def make(self, number):
        name = f"bob/found-{number}"
        create(self.place.bob, name)
        self.write(name)

    def hide(self, name):
        assert self.place.bob.put(f"/api/models/{name}/settings", {"private": True}).status == 200
        self.private.add(name)

    def delete(self, name):
        namespace, short = name.split("/")
        assert self.place.bob.delete("/api/repos/delete", {"type": "model", "name": short, "organization": namespace}).status == 200
        self.gone.add(self.words.pop(name))
        self.private.discard(name)

    def change_some(self):
        for name in self.rng.sample(sorted(self.words), 12):
            self.write(name)
        for name in self.rng.sample(sorted(set(self.words) - self.private), 6):
            self.hide(name)
        for name in self.rng.sample(sorted(self.words), 6):
            self.delete(name)


def search(wire, text):
    answer = wire.get("/api/hearth/search?limit=20&q=" + urllib.parse.quote(text))
    assert answer.status == 200, answer
    body = answer.json()
    return body["total"], [hit["id"] for hit in body["hits"]]


def until_caught_up(world, stranger):
    """Catching up is told by the counts of a word that all cards have, and by the last words that were written."""
    shown = len(world.words) - len(world.private)
    end = time.monotonic() + 120
    while True:
        counts = search(stranger, "everybodysword ")[0], search(world.place.bob, "everybodysword ")[0]
        current = all(search(world.place.bob, f'"{word}"')[0] == 1 for word in world.words.values()) if counts == (shown, len(world.words)) else False
        if current and all(search(world.place.bob, f'"{word}"')[0] == 0 for word in world.gone):
            return
        assert time.monotonic() < end, (counts, shown, len(world.words))
        threading.Event().wait(0.1)


def test_everything_acknowledged_is_found_after_kills(place):
    world = World(place, random.Random(11))
    stranger = place.wire.as_(None)
    for round_number in range(ROUNDS):
        for number in range(NEW):
            world.make(round_number * NEW + number)
        world.change_some()
        # Some of it is in no segment yet, some of it is being written or merged.
        threading.Event().wait(world.rng.random() * 0.5)
        place.hub.kill()
        place.hub.start()
        if round_number % 2 == 1:
            # Once more, while it catches up.
            threading.Event().wait(world.rng.random() * 0.3)
            place.hub.kill()
            place.hub.start()
        until_caught_up(world, stranger)
    for name, word in world.words.items():
        for quoted in (f'"{word}"', f'"everybodysword and {word}"'):
            assert search(stranger, quoted) == ((0, []) if name in world.private else (1, [name])), name
    for word in world.gone:
        assert search(stranger, f'"{word}"') == (0, []) and search(place.bob, f'"{word}"') == (0, []), word
