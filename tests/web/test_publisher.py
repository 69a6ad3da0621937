"""A publisher in the browser: repositories, uploads, the editor, branches, settings. What the browser made is then read by
huggingface_hub, byte by byte."""
import hashlib
import random
import re

import pytest
from playwright.sync_api import expect

MEGABYTE = 1 << 20


def download(api, repo_id, path, **options):
    with open(api.hf_hub_download(repo_id, path, force_download=True, **options), "rb") as file:
        return file.read()


def choose(page, files):
    """Hands files to the page's own chooser: paths, or (name, bytes)."""
    paths = [file for file in files if isinstance(file, str)]
    buffers = [{"name": file[0], "mimeType": "application/octet-stream", "buffer": file[1]} for file in files if not isinstance(file, str)]
    for part in filter(None, (paths, buffers)):
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Choose files").click()
        chooser.value.set_files(part)


def send(page):
    page.get_by_role("button", name=re.compile("^Upload and commit")).click()


@pytest.fixture
def repo(api, request):
    """A fresh repository of bob's."""
    name = "bob/" + re.sub(r"\W+", "-", request.node.name)[:60].strip("-")
    api.create_repo(name)
    return name


def test_a_repository_is_made_and_its_name_is_checked_while_it_is_typed(bob, api):
    api.create_repo("bob/taken-name")
    bob.goto("/")
    bob.get_by_text("+ New").click()
    bob.get_by_role("link", name="Model", exact=True).click()
    bob.get_by_label("Name", exact=True).fill("taken-name")
    bob.get_by_text("has a model of this name already").wait_for()
    bob.get_by_label("Name", exact=True).fill("fresh-name")
    bob.get_by_text("This name is free").wait_for()
    bob.get_by_label("Licence").fill("apache-2.0")
    bob.get_by_role("radio", name=re.compile("^Private")).check()
    bob.get_by_role("button", name="Make the repository").click()
    bob.wait_for_url("**/bob/fresh-name")
    info = api.model_info("bob/fresh-name")
    assert info.private and info.card_data.license == "apache-2.0"


def test_a_space_needs_an_sdk_and_an_organisation_can_own_it(open_page, api_of):
    page = open_page("acme-contributor")
    page.goto("/new?type=space")
    page.get_by_label("Owner").select_option("acme")
    page.get_by_label("Name", exact=True).fill("board")
    page.get_by_role("radio", name=re.compile("^static")).check()
    page.get_by_text("This name is free").wait_for()
    page.get_by_role("button", name="Make the repository").click()
    page.wait_for_url("**/spaces/acme/board")
    assert api_of("acme-contributor").repo_info("acme/board", repo_type="space").sdk == "static"
    reader = open_page("acme-reader")
    reader.goto("/new?type=model")
    assert reader.get_by_label("Owner").locator("option").all_inner_texts() == ["acme-reader"]


def test_a_repository_is_duplicated_with_its_history(bob, api, repo):
    api.upload_file(repo_id=repo, path_in_repo="a.txt", path_or_fileobj=b"first")
    api.upload_file(repo_id=repo, path_in_repo="a.txt", path_or_fileobj=b"second")
    bob.goto(f"/{repo}/duplicate")
    bob.get_by_label("Name", exact=True).fill("the-copy")
    bob.get_by_role("button", name="Duplicate").click()
    bob.wait_for_url("**/bob/the-copy")
    assert download(api, "bob/the-copy", "a.txt") == b"second"
    assert len(api.list_repo_commits("bob/the-copy")) == len(api.list_repo_commits(repo))


def test_two_hundred_small_files_and_a_hostile_name_go_up_in_one_commit(bob, api, repo):
    hostile = "<img src=x onerror=alert(1)>.txt"
    files = [(f"file-{number:03}.txt", f"content {number}\n".encode()) for number in range(200)]
    bob.goto(f"/{repo}/upload/main")
    choose(bob, [*files, (hostile, b"harmless")])
    bob.get_by_text("201 files").first.wait_for()
    assert bob.locator("img[src=x]").count() == 0
    assert bob.get_by_text(hostile).count() == 1
    bob.get_by_label("Message").fill("All of them")
    send(bob)
    bob.wait_for_url(f"**/{repo}/tree/main")
    assert bob.get_by_role("link", name=hostile, exact=True).count() == 1 and bob.locator("img[src=x]").count() == 0
    commits = api.list_repo_commits(repo)
    assert commits[0].title == "All of them" and len(commits) == 2
    assert {*api.list_repo_files(repo)} >= {name for name, _ in files} | {hostile}
    assert download(api, repo, "file-137.txt") == b"content 137\n"
    assert download(api, repo, hostile) == b"harmless"


def test_a_folder_keeps_its_paths_and_goes_into_the_chosen_folder(bob, api, repo, tmp_path):
    (tmp_path / "tokens" / "deep").mkdir(parents=True)
    (tmp_path / "tokens" / "deep" / "vocab.txt").write_text("a\nb\n")
    (tmp_path / "tokens" / "merges.txt").write_text("a b\n")
    bob.goto(f"/{repo}/upload/main/data")
    with bob.expect_file_chooser() as chooser:
        bob.get_by_role("button", name="Choose a folder").click()
    chooser.value.set_files(str(tmp_path / "tokens"))
    bob.get_by_text("2 files").first.wait_for()
    send(bob)
    bob.wait_for_url(f"**/{repo}/tree/main/data")
    assert download(api, repo, "data/tokens/deep/vocab.txt") == b"a\nb\n"
    assert download(api, repo, "data/tokens/merges.txt") == b"a b\n"


def test_files_that_are_dropped_are_taken(bob, api, repo):
    bob.goto(f"/{repo}/upload/main")
    bob.get_by_role("button", name="Choose files").wait_for()
    bob.evaluate("""() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File(["dropped"], "dropped.txt"));
        document.querySelector("[data-drop]").dispatchEvent(new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true}));
    }""")
    bob.get_by_text("dropped.txt").wait_for()
    send(bob)
    bob.wait_for_url(f"**/{repo}/tree/main")
    assert download(api, repo, "dropped.txt") == b"dropped"


@pytest.fixture(scope="session")
def large_file(tmp_path_factory):
    """60 MB that compress badly, always the same."""
    path = tmp_path_factory.mktemp("large") / "weights.bin"
    path.write_bytes(random.Random(7).randbytes(60_000_000))
    return path


def test_a_large_file_survives_a_cut_connection_and_goes_on_where_it_stopped(bob, api, repo, large_file):
    bob.expected.append("net::ERR|Failed to load resource")
    sent = []
    cut = {"after": 3}

    def part(route):
        if len(sent) >= cut["after"]:
            return route.abort("connectionreset")
        sent.append(route.request.url)
        route.continue_()
    bob.goto(f"/{repo}/upload/main")
    # Every request with a body of a part: the links of the storage are PUT.
    bob.route("**/*", lambda route: part(route) if route.request.method == "PUT" else route.continue_())
    choose(bob, [str(large_file)])
    send(bob)
    bob.get_by_role("button", name="Try again weights.bin").wait_for(timeout=60_000)
    assert len(sent) == 3
    # The page is closed and opened again, the same file chosen: the three parts are not sent again.
    bob.once("dialog", lambda dialog: dialog.accept())
    bob.unroute("**/*")
    bob.reload()
    again = []
    bob.on("request", lambda request: request.method == "PUT" and again.append(request.url))
    choose(bob, [str(large_file)])
    send(bob)
    bob.wait_for_url(f"**/{repo}/tree/main", timeout=90_000)
    parts = -(-60_000_000 // (8 * MEGABYTE))
    assert len(again) == parts - 3
    assert hashlib.sha256(download(api, repo, "weights.bin")).digest() == hashlib.sha256(large_file.read_bytes()).digest()


def test_a_connection_that_comes_back_needs_nobody(bob, api, repo, large_file):
    bob.expected.append("net::ERR|Failed to load resource")
    failures = iter([True, True])
    bob.route("**/*", lambda route: route.abort("connectionreset") if route.request.method == "PUT" and next(failures, False) else route.continue_())
    bob.goto(f"/{repo}/upload/main")
    choose(bob, [str(large_file), ("small.txt", b"small")])
    send(bob)
    bob.wait_for_url(f"**/{repo}/tree/main", timeout=90_000)
    assert download(api, repo, "small.txt") == b"small"
    assert {file.rfilename: file.size for file in api.model_info(repo, files_metadata=True).siblings}["weights.bin"] == 60_000_000


def test_a_large_file_can_be_paused_resumed_and_left_out(bob, api, repo, large_file):
    bob.goto(f"/{repo}/upload/main")
    choose(bob, [str(large_file), ("note.txt", b"note")])
    send(bob)
    bob.get_by_role("button", name="Pause weights.bin").click()
    bob.get_by_text("1 file did not arrive yet").wait_for()
    bob.get_by_role("button", name="Resume weights.bin").click()
    bob.get_by_role("button", name="Pause weights.bin").click()
    bob.get_by_role("button", name="Leave out weights.bin").click()
    bob.wait_for_url(f"**/{repo}/tree/main")
    assert "weights.bin" not in api.list_repo_files(repo)
    assert download(api, repo, "note.txt") == b"note"


def test_without_scripts_a_form_uploads_small_and_large_files(open_page, api, repo):
    page = open_page("bob", java_script_enabled=False)
    weights = random.Random(3).randbytes(3_000_000)
    page.goto(f"/{repo}/upload/main")
    page.get_by_label("Files", exact=True).set_input_files([
        {"name": "plain.txt", "mimeType": "text/plain", "buffer": b"plain\n"},
        {"name": "model.safetensors", "mimeType": "application/octet-stream", "buffer": weights}])
    page.get_by_role("button", name=re.compile("^Upload and commit")).click()
    page.wait_for_url(f"**/{repo}/tree/main")
    assert download(api, repo, "plain.txt") == b"plain\n"
    assert download(api, repo, "model.safetensors") == weights
    assert {file.rfilename: file.lfs is not None for file in api.model_info(repo, files_metadata=True).siblings}["model.safetensors"]


def test_a_file_is_edited_previewed_and_committed(bob, api, repo):
    api.upload_file(repo_id=repo, path_in_repo="notes.md", path_or_fileobj=b"# Notes\r\n\r\nOne\r\n")
    bob.goto(f"/{repo}/blob/main/notes.md")
    bob.goto(f"/{repo}/edit/main/notes.md")
    text = bob.get_by_label("Text of the file")
    assert text.input_value() == "# Notes\n\nOne\n"
    text.fill("# Notes\n\nOne <script>alert(1)</script> **two**\n")
    bob.get_by_role("tab", name="Preview").click()
    bob.locator("#pane-preview strong", has_text="two").wait_for()
    assert bob.locator("#pane-preview script").count() == 0
    bob.get_by_role("tab", name="Write").click()
    bob.get_by_label("Message").fill("Say two")
    bob.keyboard.press("Control+s")
    bob.wait_for_url(f"**/{repo}/blob/main/notes.md")
    # The line ends that the file had are kept.
    assert download(api, repo, "notes.md") == b"# Notes\r\n\r\nOne <script>alert(1)</script> **two**\r\n"
    assert api.list_repo_commits(repo)[0].title == "Say two"


def test_tab_indents_and_escape_gives_the_keyboard_back(bob, api, repo):
    api.upload_file(repo_id=repo, path_in_repo="a.py", path_or_fileobj=b"if x:\npass\n")
    bob.goto(f"/{repo}/edit/main/a.py")
    text = bob.get_by_label("Text of the file")
    text.focus()
    bob.keyboard.press("Control+Home")
    bob.keyboard.press("ArrowDown")
    bob.keyboard.press("Tab")
    assert text.input_value() == "if x:\n  pass\n"
    assert bob.locator(".line-numbers").inner_text().split() == ["1", "2", "3"]
    bob.keyboard.press("Shift+Tab")
    assert text.input_value() == "if x:\npass\n"
    bob.keyboard.press("Escape")
    bob.keyboard.press("Tab")
    assert not text.evaluate("field => field === document.activeElement")


def test_a_new_file_is_written_in_a_folder(bob, api, repo):
    bob.goto(f"/{repo}/new/main/configs")
    assert bob.get_by_label("File name").input_value() == "configs/"
    bob.get_by_label("File name").fill("configs/train.json")
    bob.get_by_label("Text of the file").fill('{"rate": 1e-4}')
    bob.get_by_role("button", name="Commit to main").click()
    bob.wait_for_url(f"**/{repo}/blob/main/configs/train.json")
    assert download(api, repo, "configs/train.json") == b'{"rate": 1e-4}\n'
    bob.goto(f"/{repo}/new/main")
    bob.expected.append("409")
    bob.get_by_label("File name").fill("configs/train.json")
    bob.get_by_label("Text of the file").fill("other")
    bob.get_by_role("button", name="Commit to main").click()
    bob.get_by_role("alert").get_by_text("There is a file of this name already").wait_for()
    assert bob.get_by_label("Text of the file").input_value() == "other"


def test_a_file_is_renamed_by_its_editor(bob, api, repo):
    api.upload_file(repo_id=repo, path_in_repo="old.txt", path_or_fileobj=b"same\n")
    bob.goto(f"/{repo}/edit/main/old.txt")
    bob.get_by_label("File name").fill("new name.txt")
    bob.get_by_role("button", name="Commit to main").click()
    bob.wait_for_url(f"**/{repo}/blob/main/new%20name.txt")
    assert download(api, repo, "new name.txt") == b"same\n" and "old.txt" not in api.list_repo_files(repo)


def test_changes_elsewhere_do_not_disturb_and_changes_of_the_same_file_are_shown(bob, api, repo):
    api.upload_file(repo_id=repo, path_in_repo="a.txt", path_or_fileobj=b"base\n")
    bob.goto(f"/{repo}/edit/main/a.txt")
    api.upload_file(repo_id=repo, path_in_repo="b.txt", path_or_fileobj=b"elsewhere\n")
    bob.get_by_label("Text of the file").fill("mine\n")
    bob.get_by_role("button", name="Commit to main").click()
    bob.wait_for_url(f"**/{repo}/blob/main/a.txt")
    assert download(api, repo, "b.txt") == b"elsewhere\n" and download(api, repo, "a.txt") == b"mine\n"

    bob.goto(f"/{repo}/edit/main/a.txt")
    api.upload_file(repo_id=repo, path_in_repo="a.txt", path_or_fileobj=b"theirs\n")
    bob.expected.append("412")
    bob.get_by_label("Text of the file").fill("mine again\n")
    bob.get_by_role("button", name="Commit to main").click()
    bob.get_by_role("alert").get_by_text("was changed on this branch").wait_for()
    assert bob.locator(".theirs code").inner_text().strip() == "theirs"
    assert download(api, repo, "a.txt") == b"theirs\n"
    bob.get_by_label("Text of the file").fill("both\n")
    bob.get_by_role("button", name="Commit to main").click()
    bob.wait_for_url(f"**/{repo}/blob/main/a.txt")
    assert download(api, repo, "a.txt") == b"both\n"


def test_the_details_of_a_card_are_fields(bob, api, repo):
    card = "---\n# kept\nlicense: mit\ntags:\n- old\n---\n# Card\n"
    api.upload_file(repo_id=repo, path_in_repo="README.md", path_or_fileobj=card.encode())
    bob.expected.append("404")
    bob.goto(f"/{repo}/edit/main/README.md")
    bob.get_by_text("Card details").click()
    expect(bob.get_by_label("Licence")).to_have_value("mit")  # filled once the editor's script is there
    bob.get_by_label("Licence").fill("apache-2.0")
    bob.get_by_label("Task").fill("text-classification")
    bob.get_by_label("Tags, with commas").fill("one, two")
    bob.get_by_label("Languages, with commas").fill("en, no")
    bob.get_by_label("Base model").fill("acme/base")
    bob.get_by_label("Message").focus()
    assert "# kept" in bob.get_by_label("Text of the file").input_value()
    bob.get_by_role("button", name="Commit to main").click()
    bob.wait_for_url(f"**/{repo}/blob/main/README.md")
    data = api.model_info(repo).card_data
    assert (data.license, data.pipeline_tag, data.tags, data.language) == ("apache-2.0", "text-classification", ["one", "two"], ["en", "no"])
    assert data.base_model == "acme/base"


def test_the_card_is_judged_while_it_is_written(bob, api, repo):
    api.upload_file(repo_id=repo, path_in_repo="README.md", path_or_fileobj=b"---\nlicense: mit\n---\n# Card\n")
    bob.goto(f"/{repo}/edit/main/README.md")
    said = bob.get_by_role("status").filter(has_text="of 100")
    before = int(re.search(r"(\d+) of 100", said.inner_text())[1])
    bob.get_by_text("Card details").click()
    row = bob.locator("[data-card-check] li", has_text="Limitations and bias")
    assert "missing" in row.inner_text()
    text = bob.get_by_label("Text of the file")
    text.fill(text.input_value() + "\n## Limitations\n\n" + "It fails on long texts, on texts of other languages than English, and on everything that was written after the year of its training.\n")
    bob.locator("[data-card-check] li", has_text="Limitations and bias: found").wait_for()
    assert int(re.search(r"(\d+) of 100", said.inner_text())[1]) == before + 15


def test_what_is_no_text_is_not_offered_for_editing(bob, api, repo):
    api.upload_file(repo_id=repo, path_in_repo="model.safetensors", path_or_fileobj=b"\x00" * 100)
    bob.goto(f"/{repo}/edit/main/model.safetensors")
    bob.get_by_text("large file storage").wait_for()
    assert bob.get_by_label("Text of the file").count() == 0


def test_a_file_and_a_folder_are_deleted(bob, api, repo):
    for path in ("keep.txt", "go.txt", "folder/a.txt", "folder/b/c.txt"):
        api.upload_file(repo_id=repo, path_in_repo=path, path_or_fileobj=b"x")
    bob.goto(f"/{repo}/edit/main/go.txt")
    bob.get_by_role("link", name="Delete this file").click()
    bob.get_by_role("button", name="Delete").click()
    bob.wait_for_url(f"**/{repo}/tree/main")
    bob.goto(f"/{repo}/delete/main/folder")
    bob.get_by_role("button", name="Delete").click()
    bob.wait_for_url(f"**/{repo}/tree/main")
    assert {*api.list_repo_files(repo)} - {".gitattributes"} == {"keep.txt"}


def test_branches_and_tags_are_made_and_deleted(bob, api, repo):
    api.upload_file(repo_id=repo, path_in_repo="a.txt", path_or_fileobj=b"main\n")
    bob.goto(f"/{repo}/branches")
    bob.get_by_label("Name", exact=True).fill("try/one")
    bob.get_by_role("button", name="Make a branch").click()
    bob.get_by_role("status").wait_for()
    bob.get_by_label("Name", exact=True).fill("v1.0")
    bob.get_by_role("button", name="Make a tag").click()
    bob.get_by_role("link", name="v1.0", exact=True).wait_for()
    refs = api.list_repo_refs(repo)
    assert {branch.name for branch in refs.branches} == {"main", "try/one"} and [tag.name for tag in refs.tags] == ["v1.0"]
    bob.goto(f"/{repo}/edit/try%2Fone/a.txt")
    bob.get_by_label("Text of the file").fill("branch\n")
    bob.get_by_role("button", name="Commit to try/one").click()
    bob.wait_for_url(f"**/{repo}/blob/try%2Fone/a.txt")
    assert download(api, repo, "a.txt", revision="try/one") == b"branch\n" and download(api, repo, "a.txt") == b"main\n"
    bob.goto(f"/{repo}/branches")
    bob.once("dialog", lambda dialog: dialog.dismiss())
    bob.get_by_role("button", name="Delete try/one").click()
    bob.once("dialog", lambda dialog: dialog.accept())
    bob.get_by_role("button", name="Delete try/one").click()
    bob.get_by_role("status").wait_for()
    assert {branch.name for branch in api.list_repo_refs(repo).branches} == {"main"}
    bob.expected.append("400|409")
    bob.get_by_label("Name", exact=True).fill("bad..name")
    bob.get_by_role("button", name="Make a branch").click()
    bob.get_by_role("alert").wait_for()


def test_the_settings_change_visibility_gate_and_name(bob, api, api_of, repo):
    api.upload_file(repo_id=repo, path_in_repo="a.txt", path_or_fileobj=b"a")
    bob.goto(f"/{repo}")
    bob.get_by_role("navigation", name="Repository").get_by_role("link", name="Settings").click()
    assert "iscussions" not in bob.get_by_role("main").inner_text()  # there are none yet
    bob.get_by_role("radio", name=re.compile("^Private")).check()
    bob.get_by_role("button", name="Save the visibility").click()
    bob.get_by_role("status").wait_for()
    assert api.model_info(repo).private
    bob.get_by_role("radio", name=re.compile("^Public")).check()
    bob.get_by_role("button", name="Save the visibility").click()
    bob.get_by_role("radio", name=re.compile("^Manual")).check()
    bob.get_by_role("button", name="Save the gate").click()
    bob.get_by_label("User name").wait_for()
    assert api.model_info(repo).gated == "manual"
    mallory = api_of("mallory")
    with pytest.raises(Exception):
        mallory.auth_check(repo)
    bob.get_by_label("User name").fill("mallory")
    bob.get_by_role("button", name="Let in").click()
    bob.get_by_role("button", name="Take access from mallory").wait_for()
    mallory.auth_check(repo)
    bob.get_by_role("button", name="Take access from mallory").click()
    bob.get_by_text("Nobody yet").wait_for()
    bob.get_by_label("Name", exact=True).fill("renamed-in-settings")
    bob.get_by_role("button", name="Rename or transfer").click()
    bob.wait_for_url("**/bob/renamed-in-settings/settings")
    assert download(api, "bob/renamed-in-settings", "a.txt") == b"a"


def test_large_files_are_listed_and_removed_from_the_history(bob, api, repo):
    api.upload_file(repo_id=repo, path_in_repo="big.bin", path_or_fileobj=random.Random(5).randbytes(2_000_000))
    api.upload_file(repo_id=repo, path_in_repo="a.txt", path_or_fileobj=b"a")
    bob.goto(f"/{repo}/settings")
    row = bob.get_by_role("row").filter(has_text="big.bin")
    assert "2.0 MB" in row.inner_text()
    bob.once("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button").click()
    bob.get_by_text("There are no large files").wait_for()
    assert "big.bin" not in api.list_repo_files(repo) and download(api, repo, "a.txt") == b"a"


def test_squashing_and_deleting_ask_first(bob, api, repo):
    for number in range(3):
        api.upload_file(repo_id=repo, path_in_repo="a.txt", path_or_fileobj=str(number).encode())
    bob.goto(f"/{repo}/settings")
    bob.once("dialog", lambda dialog: dialog.accept())
    bob.get_by_role("button", name="Squash").click()
    bob.get_by_role("status").wait_for()
    assert len(api.list_repo_commits(repo)) == 1 and download(api, repo, "a.txt") == b"2"
    button = bob.get_by_role("button", name="Delete the repository")
    assert button.is_disabled()
    bob.get_by_label(re.compile("^Type ")).fill(repo)
    button.click()
    bob.wait_for_url("**/bob")
    assert not api.repo_exists(repo)


def test_who_may_not_write_gets_no_editor_and_no_settings(open_page, api, repo):
    api.upload_file(repo_id=repo, path_in_repo="a.txt", path_or_fileobj=b"a")
    page = open_page("mallory")
    page.expected.append("403")
    for path in ("edit/main/a.txt", "new/main", "upload/main", "delete/main/a.txt", "settings"):
        assert page.goto(f"/{repo}/{path}").status == 403, path
    page.goto(f"/{repo}/branches")
    assert page.get_by_role("button", name=re.compile("Delete")).count() == 0


def test_the_editor_works_without_scripts(open_page, api, repo):
    api.upload_file(repo_id=repo, path_in_repo="a.md", path_or_fileobj=b"\nfirst line is empty\n")
    page = open_page("bob", java_script_enabled=False)
    page.goto(f"/{repo}/edit/main/a.md")
    page.get_by_label("Text of the file").fill("\n**bold**\n")
    page.get_by_role("button", name="Preview").click()
    assert page.locator("#pane-preview strong").inner_text() == "bold"
    page.get_by_role("button", name="Commit to main").click()
    page.wait_for_url(f"**/{repo}/blob/main/a.md")
    assert download(api, repo, "a.md") == b"\n**bold**\n"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_a_publisher_are_accessible_and_fit_a_phone(open_page, api, check_axe, scheme):
    name = f"bob/access-{scheme}"
    api.create_repo(name)
    api.upload_file(repo_id=name, path_in_repo="README.md", path_or_fileobj=b"---\nlicense: mit\n---\n# Hello\n")
    api.upload_file(repo_id=name, path_in_repo="w.bin", path_or_fileobj=b"\x00" * 2000)
    page = open_page("bob", color_scheme=scheme)
    for path in ("upload/main", "edit/main/README.md", "new/main", "delete/main/README.md", "branches", "settings", "duplicate"):
        page.goto(f"/{name}/{path}")
        check_axe(page)
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        page.set_viewport_size({"width": 1280, "height": 800})


def test_a_journey_by_keyboard_alone(bob, api, repo):
    bob.goto(f"/{repo}/new/main?name=keys.txt")
    assert bob.evaluate("document.activeElement.name") == "path"

    def tab_to(predicate):
        for _ in range(40):
            bob.keyboard.press("Tab")
            if bob.evaluate(f"(element => {predicate})(document.activeElement)"):
                return
        raise AssertionError(f"Tab never reached {predicate}")
    tab_to("element.name === 'content'")
    bob.keyboard.type("typed")
    bob.keyboard.press("Escape")
    tab_to("element.name === 'summary'")
    bob.keyboard.type("By keys")
    tab_to("element.value === 'save'")
    bob.keyboard.press("Enter")
    bob.wait_for_url(f"**/{repo}/blob/main/keys.txt")
    assert download(api, repo, "keys.txt") == b"typed\n"
