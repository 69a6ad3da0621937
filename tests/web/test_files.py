"""Files in the browser: folders, every kind of file, history, changes."""
import base64
import gzip
import io
import json
import re
import struct
import wave
import zlib

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete

import test_data

NOTEBOOK = {
    "nbformat": 4, "nbformat_minor": 5,
    "metadata": {"language_info": {"name": "python"}},
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": ["# A walk\n", "with **steps**"]},
        {"cell_type": "code", "metadata": {}, "execution_count": 3, "source": "import math\nprint(math.pi)",
         "outputs": [{"output_type": "stream", "name": "stdout", "text": ["3.14159\n"]},
                     {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["\x1b[0;31mValueError\x1b[0m: no"]},
                     {"output_type": "display_data", "metadata": {}, "data": {"text/html": ["<table><tr><td>cell <script>window.broken = 1</script></td></tr></table>"]}}]},
    ],
}
SCRIPT = "def answer(x):\n    # the usual one\n    return 42 if x else None\n"


def png(width=24, height=16):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + b"".join(bytes((x * 9 % 256, y * 13 % 256, 120)) for x in range(width)) for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


@pytest.fixture(scope="module")
def repo(api):
    test_data.ensure()
    name = "bob/files-of-all-kinds"
    api.create_repo(name)
    notebook = json.loads(json.dumps(NOTEBOOK))
    notebook["cells"][1]["outputs"].append({"output_type": "display_data", "metadata": {}, "data": {"image/png": base64.b64encode(png()).decode()}})
    files = {
        "README.md": b"---\nlicense: mit\n---\n# Kinds\n\nSee [the script](code/answer.py).\n",
        "walk.ipynb": json.dumps(notebook).encode(),
        "code/answer.py": SCRIPT.encode(),
        "code/README.md": b"# Code\n\nAll of it.\n",
        "config.json": json.dumps({"model_type": "bert", "layers": list(range(300))}).encode(),
        "picture.png": png(),
        "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><script>window.broken = 1</script><circle cx="20" cy="20" r="18" fill="teal"/></svg>',
        "rows.jsonl": b'{"text": "one", "label": 1}\n{"text": "two", "label": 0, "more": [1, 2]}\n',
        "bytes.dat": bytes(range(256)),
        "empty.txt": b"",
    }
    operations = [CommitOperationAdd(path, data) for path, data in files.items()]
    operations += [CommitOperationAdd("tables/wine.csv", str(test_data.DATA / "tables" / "wine_data.csv")),
                   CommitOperationAdd("model.safetensors", str(test_data.DATA / "minilm" / "model.safetensors")),
                   CommitOperationAdd("gpt-2.gguf", str(test_data.DATA / "gguf" / "gpt-2.gguf"))]
    api.create_commit(name, operations, commit_message="Everything")
    api.create_commit(name, [CommitOperationAdd("code/answer.py", SCRIPT.replace("42", "43").encode()), CommitOperationDelete("bytes.dat"),
                             CommitOperationAdd("bytes.bin2", bytes(range(256)))], commit_message="A better answer")
    return name


def test_a_folder_shows_sizes_changes_and_its_readme(page, repo, check_axe):
    page.goto(f"/{repo}/tree/main")
    row = page.get_by_role("row").filter(has_text="config.json")
    row.get_by_text("Everything").wait_for()
    page.get_by_role("link", name="code/", exact=True).click()
    page.get_by_text("All of it.").wait_for()
    assert page.get_by_role("row").filter(has_text="answer.py").get_by_text("A better answer").is_visible()
    check_axe(page)
    page.get_by_role("link", name="Folder above").click()
    page.wait_for_url(f"**/{repo}/tree/main")


def test_t_finds_a_file_by_some_of_its_letters(page, repo):
    page.goto(f"/{repo}/tree/main")
    page.get_by_role("button", name="Go to file").wait_for()
    page.keyboard.press("t")
    page.keyboard.type("cdansw")
    page.get_by_role("link", name="code/answer.py", exact=True).wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/blob/main/code/answer.py")


def test_source_has_colours_and_lines_that_an_address_names(page, repo, check_axe):
    page.goto(f"/{repo}/blob/main/code/answer.py")
    page.locator(".hljs-keyword", has_text="def").wait_for()
    assert [cell.strip() for cell in page.locator("td.line").all_inner_texts()] == [
        "def answer(x):", "# the usual one", "return 43 if x else None"]
    page.get_by_role("link", name="Line 1", exact=True).click()
    page.get_by_role("link", name="Line 2", exact=True).click(modifiers=["Shift"])
    assert page.url.endswith("#L1-L2") and page.locator("tr.chosen").count() == 2
    check_axe(page)


@pytest.fixture(scope="module")
def long_file(api):
    """A tokenizer's file as large as real ones, 9,004 lines, in a repository of its own."""
    words = {f"word{i * 7919 % 9001:04}{'abcdefghij'[i % 10] * (i % 9)}": i for i in range(9000)}
    text = json.dumps({"vocab": words}, indent=2)
    api.create_repo("bob/long-texts")
    api.upload_file(repo_id="bob/long-texts", path_in_repo="long/tokenizer.json", path_or_fileobj=text.encode())
    return text


def test_a_long_text_is_shown_by_pages_and_its_first_is_light(no_script, long_file):
    count = long_file.count("\n") + 1
    answer = no_script.goto("/bob/long-texts/blob/main/long/tokenizer.json")
    assert len(gzip.compress(answer.body(), 1)) < 60_000
    assert f"{count:,} lines" in no_script.locator(".file-bar").inner_text()
    shown = []
    while True:
        lines = no_script.locator("td.line").all_inner_texts()
        shown += lines
        onward = no_script.get_by_role("link", name=re.compile("^Lines from"))
        if onward.count() == 0:
            break
        onward.first.click()
        no_script.wait_for_url(re.compile(f"line={len(shown) + 1}$"))
    assert [line.strip() for line in shown] == [line.strip() for line in long_file.split("\n")]
    assert no_script.get_by_role("link", name="Raw").is_visible()
    no_script.get_by_role("link", name="Lines before").first.click()
    assert no_script.locator(f"#L{len(shown)}").count() == 0
    no_script.expected.append("status of 404")


def test_an_address_leads_to_its_line_on_a_later_page(page, long_file):
    page.goto("/bob/long-texts/blob/main/long/tokenizer.json#L7000")
    page.locator("tr#L7000.chosen").wait_for()
    assert page.locator("tr#L7000 td.line").inner_text().strip() == long_file.split("\n")[6999].strip()
    page.locator(".hljs-number").first.wait_for()


def test_blame_names_the_commit_of_each_line(page, repo, check_axe):
    page.goto(f"/{repo}/blob/main/code/answer.py")
    page.get_by_role("link", name="Blame", exact=True).click()
    page.wait_for_url("**/blame/main/code/answer.py")
    said = page.locator("tr", has_text="return 43").locator(".blamed")
    assert "A better answer" in said.inner_text() and "bob" in said.inner_text()
    assert "Everything" in page.locator("tr", has_text="def answer").locator(".blamed").inner_text()
    assert page.locator("td.line").count() == 3
    check_axe(page)
    said.get_by_role("link", name="Blame before").click()
    page.wait_for_url("**/blame/*/code/answer.py")
    page.locator("td.line", has_text="return 42").wait_for()
    assert page.locator(".blamed").count() == 1 and "Everything" in page.locator(".blamed").inner_text()


def test_blame_says_what_it_does_not_tell_of(no_script, repo, long_file):
    no_script.goto(f"/{repo}/blame/main/bytes.bin2")
    no_script.get_by_text("Only texts are told line by line").wait_for()
    no_script.goto("/bob/long-texts/blame/main/long/tokenizer.json")
    assert no_script.get_by_text("Only texts of up to 256 KiB").is_visible() or no_script.locator(".blamed").count() == 1
    answer = no_script.goto(f"/{repo}/blame/main/none.txt")
    assert answer.status == 404
    no_script.expected.append("status of 404")


def test_nothing_of_blame_is_cut_off_on_a_phone(phone, repo):
    phone.goto(f"/{repo}/blame/main/code/answer.py")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_table_sorts_by_its_columns(page, repo, check_axe):
    page.goto(f"/{repo}/blob/main/tables/wine.csv")
    page.get_by_text("178 rows").wait_for()
    first = page.locator("table.data tbody tr:first-child td:nth-child(2)")
    values = [float(text) for text in page.locator("table.data tbody td:nth-child(2)").all_inner_texts()]
    page.locator("thead th:nth-child(2) button").click()
    assert float(first.inner_text()) == min(values)
    page.locator("thead th:nth-child(2) button").click()
    assert float(first.inner_text()) == max(values)
    page.locator("thead th:nth-child(2) button").click()
    assert float(first.inner_text()) == values[0]
    check_axe(page)


def test_json_lines_are_a_table_with_every_key(page, repo):
    page.goto(f"/{repo}/blob/main/rows.jsonl")
    page.locator("thead th button").last.wait_for()
    assert page.locator("thead th button").all_inner_texts() == ["text", "label", "more"]
    assert page.locator("tbody tr").nth(1).locator("td").all_inner_texts() == ["2", "two", "0", "[1,2]"]


def test_json_of_one_long_line_is_laid_out(page, repo):
    page.goto(f"/{repo}/blob/main/config.json")
    assert page.locator("td.line").nth(1).inner_text().strip() == '"model_type": "bert",'


def test_weights_show_their_header(page, repo, check_axe):
    page.goto(f"/{repo}/blob/main/model.safetensors")
    page.get_by_role("heading", name="104 tensors").wait_for()
    assert page.get_by_text("22.7M").first.is_visible()
    page.get_by_label("Filter the table").fill("layer.5.attention.self.query")
    page.get_by_text("2 of 104").wait_for()
    assert page.get_by_role("row").filter(has_text="query.weight").get_by_text("384 × 384").is_visible()
    check_axe(page)
    page.goto(f"/{repo}/blob/main/gpt-2.gguf")
    page.get_by_text("gpt2").first.wait_for()


def test_a_notebook_shows_cells_and_outputs_and_runs_nothing(page, repo, check_axe):
    page.goto(f"/{repo}/blob/main/walk.ipynb")
    page.get_by_role("heading", name="A walk").wait_for()
    page.locator(".hljs-keyword", has_text="import").wait_for()
    assert page.get_by_text("3.14159").is_visible() and page.get_by_text("ValueError: no").is_visible()
    assert page.locator(".output img").evaluate("image => image.naturalWidth") == 24
    assert page.get_by_role("cell", name="cell").is_visible()
    assert page.evaluate("window.broken") is None
    check_axe(page)


def test_pictures_are_shown_and_drawings_run_nothing(page, repo):
    page.goto(f"/{repo}/blob/main/picture.png")
    assert page.locator(".picture img").evaluate("async image => { await image.decode(); return image.naturalWidth; }") == 24
    page.goto(f"/{repo}/blob/main/drawing.svg")
    assert page.locator(".picture img").evaluate("async image => { await image.decode(); return image.naturalWidth; }") == 40
    assert page.evaluate("window.broken") is None


def test_a_sound_has_a_player_that_knows_its_length(page, api):
    tone = io.BytesIO()
    with wave.open(tone, "wb") as out:
        out.setnchannels(1), out.setsampwidth(2), out.setframerate(8000)
        out.writeframes(bytes(16000))
    api.create_repo("bob/sounds")
    api.upload_file(repo_id="bob/sounds", path_in_repo="tone.wav", path_or_fileobj=tone.getvalue())
    page.goto("/bob/sounds/blob/main/tone.wav")
    player = page.locator("audio[controls]")
    assert player.get_attribute("aria-label") == "tone.wav"
    assert player.evaluate("""player => new Promise((done) => {
        if (player.duration) done(player.duration);
        player.onloadedmetadata = () => done(player.duration);
        player.onerror = () => done(player.error.message);
    })""") == 1


def test_what_has_no_picture_says_so(page, repo):
    page.goto(f"/{repo}/blob/main/bytes.bin2")
    page.get_by_text("no picture here").wait_for()
    page.goto(f"/{repo}/blob/main/empty.txt")
    page.get_by_text("0 bytes").wait_for()


@pytest.mark.parametrize("name", ["empty.txt", "empty.json", "empty.csv", "empty.ipynb"])
def test_an_empty_file_is_called_empty_and_can_be_written(bob, api, name):
    api.create_repo("bob/odd-files", exist_ok=True)
    api.upload_file(repo_id="bob/odd-files", path_in_repo=name, path_or_fileobj=b"")
    bob.goto(f"/bob/odd-files/blob/main/{name}")
    bob.get_by_text("This file is empty.").wait_for()
    assert bob.get_by_text("Not all could be read").count() == 0
    assert bob.get_by_role("link", name="Edit").count() == 1


def test_one_line_that_is_no_json_is_shown_as_it_stands(page, api):
    api.create_repo("bob/odd-files", exist_ok=True)
    api.upload_file(repo_id="bob/odd-files", path_in_repo="deep.json", path_or_fileobj=b"[" * 5000 + b"]" * 5000)
    page.goto("/bob/odd-files/blob/main/deep.json")
    page.locator("td.line").filter(has_text="[[[[[[[[[[").first.wait_for()
    assert page.get_by_text("This file is binary").count() == 0


def test_characters_that_turn_the_writing_are_told_of(page, api):
    """A name or a line that reads otherwise than it is: Trojan Source."""
    api.create_repo("bob/odd-files", exist_ok=True)
    api.upload_file(repo_id="bob/odd-files", path_in_repo="pay\u202ecod.exe", path_or_fileobj="if x: \u2066# not\u2069 safe\n".encode())
    page.goto("/bob/odd-files/tree/main")
    page.get_by_role("link", name="pay[U+202E]cod.exe", exact=True).click()
    page.get_by_text("change the direction of writing").wait_for()
    assert "pay[U+202E]cod.exe" in page.title()
    page.goto("/bob/odd-files/blob/main/.gitattributes")
    assert page.get_by_text("change the direction of writing").count() == 0


def test_a_commit_shows_what_changed(page, repo, check_axe):
    page.goto(f"/{repo}/commits/main")
    page.get_by_role("link", name="A better answer").click()
    page.get_by_text("4 files changed").wait_for()
    change = page.locator("details.change").filter(has_text="code/answer.py")
    assert change.locator("tr.del .line").inner_text().strip() == "return 42 if x else None"
    assert change.locator("tr.add .line").inner_text().strip() == "return 43 if x else None"
    assert change.locator("tr.add .at").all_inner_texts() == ["", "3"]
    assert page.locator("details.change").filter(has_text="bytes.bin2").get_by_text("256 bytes").is_visible()
    assert page.get_by_text("git-lfs").count() == 0
    check_axe(page)


def test_a_file_has_a_history_of_its_own(page, repo, check_axe):
    page.goto(f"/{repo}/commits/main/code/answer.py")
    assert page.locator(".history strong").all_inner_texts() == ["A better answer", "Everything"]
    check_axe(page)
    page.goto(f"/{repo}/commits/main/config.json")
    assert page.locator(".history strong").all_inner_texts() == ["Everything"]


def test_files_can_be_read_without_scripts(no_script, repo):
    no_script.goto(f"/{repo}/tree/main")
    no_script.get_by_role("link", name="code/", exact=True).click()
    no_script.get_by_role("link", name="answer.py", exact=True).click()
    assert no_script.get_by_text("return 43").is_visible()
    no_script.goto(f"/{repo}/blob/main/walk.ipynb")
    assert no_script.get_by_text("3.14159").is_visible()


@pytest.mark.parametrize("path", ["tree/main", "blob/main/code/answer.py", "blob/main/tables/wine.csv", "blob/main/model.safetensors",
                                  "blob/main/walk.ipynb", "commits/main"])
def test_files_fit_a_phone_and_the_dark(open_page, repo, check_axe, path):
    from conftest import PHONE
    page = open_page(color_scheme="dark", **PHONE)
    page.goto(f"/{repo}/{path}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    check_axe(page)
