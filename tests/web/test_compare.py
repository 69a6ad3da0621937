"""Repositories side by side, the first-model checklist and the decision note."""
import json
import re

import pytest
from playwright.sync_api import expect

import hostile
import test_data
import train_small_models

HOSTILE_TEXTS = [text.replace("NAME", name).replace("\x00", "") for name, text in {**hostile.MARKUP, **hostile.MARKDOWN}.items()]
PAIR = "/compare?repos=models/bob/side-a,models/bob/side-b"
NOTE = "/compare/note?repos=models/bob/side-a,models/bob/side-b"


@pytest.fixture(scope="module", autouse=True)
def repositories(api):
    test_data.ensure()
    api.create_repo("bob/side-a")
    api.upload_folder(repo_id="bob/side-a", folder_path=str(test_data.DATA / "minilm"))
    api.create_repo("bob/side-b")
    api.upload_file(repo_id="bob/side-b", path_in_repo="README.md",
                    path_or_fileobj=b"---\nlicense: mit\npipeline_tag: text-generation\nbase_model: bob/side-a\n---\n# B\n\nSomething else.\n")
    api.create_repo("bob/side-data", repo_type="dataset")
    api.upload_file(repo_id="bob/side-data", repo_type="dataset", path_in_repo="README.md", path_or_fileobj=b"---\nlicense: cc-by-4.0\n---\n# D\n")
    api.upload_file(repo_id="bob/side-data", repo_type="dataset", path_in_repo="train.csv", path_or_fileobj=b"a,b\n1,2\n")
    api.create_repo("bob/side-secret", private=True)
    api.upload_file(repo_id="bob/side-secret", path_in_repo="README.md", path_or_fileobj=b"---\nlicense: wtfpl\n---\n# Hidden words\n")


@pytest.fixture(scope="module")
def hostile_repo(api):
    """A card that attacks whoever compares it."""
    from huggingface_hub import CommitOperationAdd
    api.create_repo("bob/side-hostile")
    attack = '<img src=x onerror=hit("card")>'
    card = (f"---\nlicense: other\nlicense_name: {json.dumps(attack)}\nlanguage: [{json.dumps(attack)}]\nlibrary_name: {json.dumps(attack)}\n"
            f"pipeline_tag: text-generation\nbase_model: bob/side-a\n---\n# {attack}\n\n{attack} summary\n\n## Intended use\n\n" + "\n\n".join(HOSTILE_TEXTS[:20])
            + "\n\n## Limitations\n\n" + attack + "\n")
    config = {"architectures": [attack], "model_type": attack, "num_hidden_layers": 2, "hidden_size": 8}
    tokenizer = {"eos_token": attack, "chat_template": attack}
    files = {"README.md": card, "config.json": json.dumps(config), "tokenizer_config.json": json.dumps(tokenizer), "x<img src=x onerror=hit(1)>.bin": "x"}
    api.create_commit("bob/side-hostile", [CommitOperationAdd(path, text.replace("\x00", "").encode("utf-8", "replace")) for path, text in files.items()],
                      commit_message="files")
    return "bob/side-hostile"


def row(page, title):
    return page.locator("#comparison tr", has=page.locator("th[scope=row]", has_text=title)).first


def test_rows_stand_side_by_side_with_evidence(page):
    page.goto(PAIR)
    licence = page.locator("#licence tr.differs", has_text="Licence").first
    assert "apache-2.0" in licence.inner_text() and "mit" in licence.inner_text() and "declared" in licence.inner_text()
    licence.locator("details.evidence summary").first.click()
    licence.get_by_role("link", name="README.md").first.click()
    page.wait_for_url("**/bob/side-a/blob/**/README.md?plain=1#L*")


def test_the_baseline_is_named(page):
    page.goto(PAIR)
    assert "bob/side-a is the baseline of bob/side-b" in page.locator("main").inner_text()


def test_only_what_differs(page):
    page.goto(PAIR)
    every = page.locator("#comparison tbody tr:visible").count()
    page.get_by_role("link", name="Only what differs").click()
    some = page.locator("#comparison tbody tr:visible").count()
    assert 0 < some < every and "only=differences" in page.url
    page.reload()
    assert page.locator("#comparison tbody tr:visible").count() == some
    page.get_by_role("link", name="Show all rows").click()
    assert page.locator("#comparison tbody tr:visible").count() == every


def test_scores_are_sums_of_rows_that_can_be_looked_at(page):
    page.goto(PAIR)
    scores = page.locator("#scores tr:not(.group)")
    assert [title.split()[0] for title in scores.locator("th").all_inner_texts()] == ["Clarity", "Compatibility", "Repeatability", "Explainability"]
    cell = scores.first.locator("td").first
    cell.locator("summary").click()
    parts = [text.rsplit("/", 1) for text in cell.locator("li .soft").all_inner_texts()]
    points, most = (sum(float(pair[side]) for pair in parts) for side in (0, 1))
    assert abs(int(cell.locator(".points").inner_text()) - 100 * points / most) <= 1


def test_devices_are_chosen_and_taken_away_without_scripts(no_script):
    no_script.goto(PAIR)
    no_script.get_by_label("Does it fit on").fill("my box:64GiB")
    no_script.get_by_role("button", name="Use device").click()
    assert row(no_script, "On my box").count() == 1 and row(no_script, "On RTX 4090").count() == 0
    no_script.get_by_role("link", name="my box").click()
    assert row(no_script, "On RTX 4090").count() == 1


def test_the_same_question_is_put_to_both(page, api):
    for name in ("bob/ask-a", "bob/ask-b"):
        api.create_repo(name, exist_ok=True)
        api.upload_folder(repo_id=name, folder_path=str(train_small_models.ensure() / "llama"))
    page.goto("/compare?repos=models/bob/ask-a,models/bob/ask-b")
    box = page.locator("#same-prompt")
    box.get_by_label("Text for text generation").fill("the cat")
    box.get_by_role("button", name="Ask").click()
    answers = box.locator(".answers .answer")
    for at in (0, 1):
        answers.nth(at).locator(".said").wait_for(timeout=60_000)
    # The same model twice: the same words.
    assert answers.nth(0).inner_text() == answers.nth(1).inner_text()
    page.goto(PAIR)
    assert "Fewer than two of these run here" in page.locator("#same-prompt").inner_text()


def test_columns_come_and_go(page):
    page.goto("/bob/side-a")
    page.get_by_role("main").get_by_role("link", name="Compare", exact=True).click()
    page.wait_for_url("**/compare?repos=models/bob/side-a")
    field = page.get_by_role("combobox", name="Add a repository")
    field.press_sequentially("side-d")
    page.locator("#compare-found option[value='datasets/bob/side-data']").wait_for(state="attached")
    field.fill("datasets/bob/side-data")
    page.get_by_role("button", name="Add").click()
    page.locator("thead th", has_text="side-data").wait_for()
    assert "does not apply" in row(page, "Layers").inner_text()
    page.get_by_role("link", name="Remove bob/side-a").click()
    page.locator("thead th", has_text="side-a").wait_for(state="detached")
    assert page.locator("thead th").count() == 1


def test_without_scripts_it_is_complete(no_script):
    no_script.goto("/compare")
    for name in ("models/bob/side-a", "bob/side-b"):
        no_script.locator("main input[name=repos]:not([type=hidden])").fill(name)
        no_script.get_by_role("button", name="Add").click()
    assert "apache-2.0" in no_script.locator("#licence").inner_text()
    no_script.get_by_role("link", name="Only what differs").click()
    assert no_script.locator("#comparison.only-differences").count() == 1
    no_script.goto("/bob/side-a/checklist")
    assert no_script.locator(".checklist-fields > li").count() == 14


def test_what_one_may_not_read_is_like_what_is_not_there(open_page):
    texts = []
    for name in ("side-secret", "side-absent"):
        page = open_page()
        page.expected += ["status of 404"]
        page.goto(f"/compare?repos=models/bob/side-a,models/bob/{name}")
        texts.append(page.locator("main").inner_text().replace(name, "NAME"))
    assert texts[0] == texts[1] and "wtfpl" not in texts[0]


def test_the_checklist_is_answered_and_kept(bob):
    bob.goto("/bob/side-a/checklist")
    assert bob.locator(".checklist-fields > li").count() == 14
    assert "apache-2.0" in bob.locator("#licence .found").inner_text()
    assert "missing" in bob.locator("#success_criteria .found").inner_text()
    before = int(bob.locator(".progress-line strong").inner_text().split()[0])
    bob.locator("#success_criteria textarea").fill("<b>Nine</b> of ten sentences\nfind their pair.")
    bob.locator("#licence").get_by_label("I have looked at this").check()
    bob.get_by_role("button", name="Save answers").click()
    bob.get_by_text("Your answers are kept.").wait_for()
    assert bob.locator("#success_criteria textarea").input_value() == "<b>Nine</b> of ten sentences\nfind their pair."
    assert bob.locator(".progress-line").inner_text().startswith(f"{before + 1} of 14")
    bob.goto("/bob/side-a/inspect")
    section = bob.locator("#checklist[data-filled]")
    bob.locator("#checklist").scroll_into_view_if_needed()
    section.wait_for()
    assert "You: <b>Nine</b>" in section.inner_text()


def test_answers_are_the_readers_own(page):
    page.goto("/bob/side-a/checklist")
    assert "Nine" not in page.locator("main").inner_text()
    page.get_by_role("link", name="Sign in").last.wait_for()


def test_a_decision_is_written_exported_and_kept(bob, open_page, api):
    bob.goto(PAIR)
    bob.get_by_role("link", name="Decision note").click()
    bob.get_by_role("radio").first.check()
    expect(bob.get_by_label("Why")).to_have_value(re.compile("side-a, kind"))
    bob.get_by_label("Decision", exact=True).fill("Use it. <script>hit('note')</script>")
    for name, ending in (("Markdown", ".md"), ("JSON", ".json")):
        with bob.expect_download() as download:
            bob.get_by_role("button", name=name).click()
        assert download.value.suggested_filename.endswith("bob-side-a" + ending)
    with bob.context.expect_page() as printed:
        bob.get_by_role("button", name="Page for print").click()
    printed.value.wait_for_load_state()
    assert "<script>hit('note')</script>" in printed.value.locator("body").inner_text()
    assert printed.value.locator("script").count() == 0
    bob.get_by_role("button", name="Save to the private dataset").click()
    bob.wait_for_url("**/datasets/bob/decisions/blob/main/notes/**")
    assert api.repo_info("bob/decisions", repo_type="dataset").private
    names = api.list_repo_files("bob/decisions", repo_type="dataset")
    assert any(name.endswith("bob-side-a.md") for name in names) and any(name.endswith("bob-side-a.json") for name in names)
    stranger = open_page()
    stranger.expected += ["status of 404"]
    assert stranger.goto("/datasets/bob/decisions").status == 404


def test_the_draft_is_about_what_was_chosen_and_never_takes_the_place_of_a_text(bob, no_script):
    bob.goto(NOTE)
    why, choices = bob.get_by_label("Why"), bob.get_by_role("radio")
    expect(why).to_have_value("")
    for index, name in ((1, "side-b"), (0, "side-a")):
        choices.nth(index).check()
        expect(why).to_have_value(re.compile(f"^bob/{name}, kind"))
    why.fill("My own words.")
    choices.nth(1).check()
    bob.get_by_text("Your text stays as it is.").wait_for()
    expect(why).to_have_value("My own words.")
    no_script.goto(NOTE)
    no_script.get_by_role("link", name="draft for it").nth(1).click()
    expect(no_script.get_by_label("Why")).to_have_value(re.compile("^bob/side-b, kind"))


def test_hostile_names_and_texts_are_text(open_page, hostile_repo):
    page = open_page("bob")
    hits = []
    page.context.expose_function("hit", lambda name: hits.append(name))
    page.on("dialog", lambda dialog: (hits.append(dialog.message), dialog.dismiss()))
    for path in (f"/compare?repos=models/bob/side-a,models/{hostile_repo}", f"/{hostile_repo}/checklist", f"/compare/note?repos=models/{hostile_repo}",
                 f"/api/hearth/decision-note?repos=models/{hostile_repo}&format=html"):
        page.goto(path)
        for details in page.locator("details.evidence").all()[:40]:
            details.evaluate("element => { element.open = true; }")
        assert page.locator("main img[src=x]").count() == 0, path
        assert not hits, (path, hits)
    page.goto(f"/{hostile_repo}/checklist")
    for index, area in enumerate(page.locator("textarea").all()):
        area.fill(HOSTILE_TEXTS[index])
    page.get_by_role("button", name="Save answers").click()
    page.get_by_text("Your answers are kept.").wait_for()
    page.goto(f"/{hostile_repo}/inspect")
    page.locator("#checklist").scroll_into_view_if_needed()
    page.locator("#checklist[data-filled]").wait_for()
    page.goto(f"/api/hearth/decision-note?repos=models/{hostile_repo}&format=html")
    assert HOSTILE_TEXTS[1] in page.locator("body").inner_text()
    assert not hits, hits


def test_names_in_the_address_are_text(open_page):
    page = open_page()
    page.expected += ["status of 40[04]"]
    page.goto('/compare?repos=<img src=x onerror=alert(1)>&repos=models/bob/side-a&device="><script>alert(1)</script>')
    assert page.locator("main img, main script").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [PAIR, "/compare", PAIR + ",datasets/bob/side-data&only=differences", "/bob/side-a/checklist", "/compare/note?repos=models/bob/side-a,models/bob/side-b"])
def test_they_are_accessible(open_page, check_axe, path, scheme):
    page = open_page("bob", color_scheme=scheme)
    page.goto(path)
    page.wait_for_load_state("networkidle")
    check_axe(page)


@pytest.mark.parametrize("path", [PAIR, "/bob/side-a/checklist", "/compare/note?repos=models/bob/side-a,models/bob/side-b"])
def test_nothing_is_cut_off_on_a_phone(phone, path):
    phone.goto(path)
    phone.wait_for_load_state("networkidle")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if path == PAIR:
        licence = phone.locator("#licence tr", has_text="Licence").nth(1)
        assert licence.locator(".who").first.is_visible()


def test_the_keyboard_reaches_all_of_it(page):
    page.goto(PAIR)
    page.get_by_role("link", name="Only what differs").focus()
    page.keyboard.press("Enter")
    page.locator("#comparison.only-differences").wait_for()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_list_leads_to_the_comparison_of_what_is_chosen_in_it(open_page, check_axe, scripts):
    page = open_page(java_script_enabled=scripts)
    page.expected.append("status of 404")  # without scripts a browser asks for a picture
    page.goto("/models?search=bob/side-")
    button = page.get_by_role("main").get_by_role("button", name="Compare", exact=True)
    assert not button.is_visible()
    for name in ("bob/side-a", "bob/side-b"):
        page.get_by_role("checkbox", name=f"Compare {name}", exact=True).check()
    if scripts:
        check_axe(page)
    button.click()
    page.wait_for_url("**/compare?**")
    page.locator("thead th", has_text="side-a").wait_for()
    page.locator("thead th", has_text="side-b").wait_for()


def test_the_comparison_is_in_the_menu(page, phone):
    for each in (page, phone):
        each.goto("/models")
        if not each.get_by_role("link", name="Compare", exact=True).is_visible():
            each.locator("label.fold").tap()
        each.get_by_role("link", name="Compare", exact=True).click()
        each.wait_for_url("**/compare")
