"""The inspector's page and its short form beside a card."""
import array
import json
import struct
import urllib.parse

import pytest

import test_data


@pytest.fixture(scope="module", autouse=True)
def repositories(api):
    test_data.ensure()
    api.create_repo("bob/inspected")
    api.upload_folder(repo_id="bob/inspected", folder_path=str(test_data.DATA / "minilm"))
    api.create_repo("bob/uninspected")
    api.upload_file(repo_id="bob/uninspected", path_in_repo="README.md", path_or_fileobj=b"# Nothing said\n")


def weights(layers):
    """A safetensors file with one matrix of 32 x 64 for each layer, filled by the given function of the place."""
    header, data = {}, b""
    for layer, value in enumerate(layers):
        part = array.array("f", (value(i) for i in range(2048))).tobytes()
        header[f"model.layers.{layer}.mlp.up_proj.weight"] = {"dtype": "F32", "shape": [32, 64], "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.fixture(scope="module")
def family(api):
    """(a model, one made from it whose second layer, licence and template are others)"""
    wave, other = (lambda i: (i * 37 % 101 - 50) / 50), (lambda i: (i * 37 % 101 - 50) / 50 + (i * 13 % 17 - 8) / 20)
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "max_position_embeddings": 128}
    for name, files in {
            "bob/parent": {"README.md": "---\nlicense: mit\n---\n# Parent\n", "config.json": json.dumps(config), "model.safetensors": weights([wave, wave]),
                           "tokenizer_config.json": json.dumps({"chat_template": "{{ messages }}"})},
            "bob/child": {"README.md": "---\nlicense: apache-2.0\nbase_model: bob/parent\nbase_model_relation: finetune\n---\n# Child\n",
                          "config.json": json.dumps(config | {"max_position_embeddings": 256}), "model.safetensors": weights([wave, other]),
                          "tokenizer_config.json": json.dumps({"chat_template": "<img src=x onerror=hit(1)>{{ messages }}"})}}.items():
        api.create_repo(name)
        for path, content in files.items():
            api.upload_file(repo_id=name, path_in_repo=path, path_or_fileobj=content.encode() if isinstance(content, str) else content, commit_message=f"Add {path}")
    return "bob/parent", "bob/child"


def changed(page):
    """{question: what is said} of the page's section on changes."""
    page.locator("#changes dl").wait_for()
    return dict(page.locator("#changes dl > div").evaluate_all("rows => rows.map((row) => [row.querySelector('dt').textContent, row.querySelector('dd').innerText])"))


def test_what_changed_from_the_base_is_told_down_to_the_layers(page, family, check_axe):
    parent, child = family
    page.goto(f"/{child}/inspect")
    filled(page, "provenance").get_by_role("link", name="what changed").first.click()
    page.wait_for_url("**/inspect?against=*")
    said = changed(page)
    assert said["Licence"].startswith("changed") and "apache-2.0" in said["Licence"]
    assert said["Weights"].startswith("changed") and "1 of 2 tensors" in said["Weights"] and "proved" in said["Weights"]
    assert said["File format"].startswith("same") and said["Prompt template"].startswith("changed")
    page.locator("#changes summary", has_text="config.json").click()
    assert page.locator("#changes tr", has_text="/max_position_embeddings").locator("td").all_inner_texts()[1:3] == ["128", "256"]
    page.locator("#changes summary", has_text="Prompt template").click()
    page.locator("#changes .diff .add", has_text="<img src=x").wait_for()
    page.get_by_role("button", name="Compare the weights").click()
    row = page.locator("#changes .heat-strip tbody tr", has_text="mlp.up_proj")
    row.wait_for(timeout=30_000)
    still, moved = row.locator("td").all_inner_texts()
    assert still == "same" and float(moved) > 0
    assert "Unchanged layers: 0." in page.locator("#changes").inner_text()
    check_axe(page)


def test_what_changed_between_commits_keeps_its_address(page, family, api):
    _, child = family
    commit = next(commit for commit in api.list_repo_commits(child) if commit.title == "Add tokenizer_config.json")
    page.goto(f"/{child}/commit/{commit.commit_id}")
    page.get_by_role("link", name="what it changed in the model").click()
    said = changed(page)
    assert said["Prompt template"].startswith("changed") and said["Weights"].startswith("same")
    page.get_by_label("Compare with").fill("bob/nobody")
    page.get_by_role("button", name="Show what changed").click()
    page.expected.append("status of 404")
    page.get_by_text("There is no such repository or revision to compare with.").wait_for()
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(page.url).query) == {"against": ["bob/nobody"], "revision": [commit.commit_id]}


def test_what_changed_can_be_asked_without_scripts(no_script, family):
    parent, child = family
    no_script.goto(f"/{child}/inspect")
    no_script.expected.append("status of 404")  # a browser asks for the picture of a page that has none
    no_script.get_by_label("Compare with").fill(parent)
    no_script.get_by_role("button", name="Show what changed").click()
    no_script.wait_for_url("**/bob/child/inspect?against=bob%2Fparent#changes")
    said = changed(no_script)
    assert len(said) == 8 and said["Licence"].startswith("changed") and "declared" in said["Licence"]
    assert said["Configuration"].startswith("changed 1 field of config.json differs")
    no_script.locator("#changes summary", has_text="config.json: 1 field").click()
    assert no_script.locator("#changes tr", has_text="/max_position_embeddings").locator("td").all_inner_texts()[1:3] == ["128", "256"]
    assert not no_script.get_by_role("button", name="Compare the weights").is_visible()
    no_script.locator("#changes a.json").click()
    assert json.loads(no_script.locator("body").inner_text())["answers"]["licence"]["answer"] == "changed"


@pytest.mark.parametrize("path", ["/{repo}/inspect?revision=nope", "/{repo}/checklist?revision=nope", "/{repo}/inspect?revision=nope&against=bob/parent", "/compare?repos=models/{repo}@nope",
                                  "/compare/note?repos=models/{repo}@nope"])
def test_a_revision_that_is_not_there_is_a_clear_404(page, family, path):
    page.expected.append("status of 404")
    answer = page.goto(path.format(repo="bob/child"))
    assert answer.status == 404
    assert "nope" in page.locator("main").inner_text()


@pytest.mark.parametrize("path", ["classify", "reading-order", "card-score", "licence", "provenance", "runtimes", "fit", "checklist", "safety", "changes?against=bob/parent"])
def test_the_apis_say_so_too(page, family, path):
    answer = page.request.get(f"/api/hearth/models/bob/child/{path}{'&' if '?' in path else '?'}revision=nope")
    assert answer.status == 404 and answer.json()["error"]


def test_another_revision_is_inspected_and_named(page, family, api):
    _, child = family
    commit = next(commit for commit in api.list_repo_commits(child) if commit.title == "Add README.md")
    page.goto(f"/{child}/inspect?revision={commit.commit_id}")
    assert commit.commit_id[:7] in page.locator(".notice", has_text="not main").inner_text()
    for section in page.locator("[data-what]").all():
        section.scroll_into_view_if_needed()
    assert filled(page, "runtimes").is_visible()
    assert "safetensors" not in page.locator("#classify").inner_text()
    page.get_by_role("link", name="Inspect main").click()
    page.wait_for_url(f"**/{child}/inspect")
    assert page.locator(".notice", has_text="not main").count() == 0


@pytest.mark.parametrize("path", ["/bob/child/inspect?against=bob/parent", "/bob/inspected/inspect", "/bob/inspected", "/bob/child/checklist", "/compare?repos=models/bob/child,models/bob/parent",
                                  "/bob/inspected/blob/main/model.safetensors"])
def test_what_unfolds_is_large_enough_for_a_finger(phone, family, path):
    phone.goto(path)
    phone.wait_for_load_state("networkidle")
    heights = phone.locator("summary:visible").evaluate_all("all => all.map((summary) => [summary.getBoundingClientRect().height, summary.textContent])")
    assert heights and not [each for each in heights if each[0] < 24]


def filled(page, what):
    section = page.locator(f"#{what}[data-filled]")
    page.locator(f"#{what}").scroll_into_view_if_needed()
    section.wait_for()
    return section


def test_kinds_are_shown_with_the_files_that_prove_them(page):
    page.goto("/bob/inspected")
    page.get_by_role("link", name="Inspect", exact=True).click()
    section = filled(page, "classify")
    row = section.locator(".findings > li", has_text="embedding")
    assert "proved" in row.inner_text()
    row.locator(".evidence summary").click()
    row.get_by_role("link", name="modules.json").click()
    page.wait_for_url("**/bob/inspected/blob/**/modules.json")


def test_the_card_is_judged_line_by_line_and_leads_to_each(page):
    page.goto("/bob/inspected/inspect")
    section = filled(page, "card-score")
    score = int(section.locator(".score strong").inner_text())
    points = sum(float(text.split("/")[0]) for text in section.locator(".number").all_inner_texts())
    assert 0 < score < 100 and abs(points - score) <= 1
    section.get_by_role("link", name="Intended use").click()
    page.wait_for_url("**/bob/inspected#user-content-intended-uses")
    assert page.get_by_role("heading", name="Intended uses").is_visible()


def test_what_nobody_says_is_missing(page):
    page.goto("/bob/uninspected/inspect")
    step = filled(page, "reading-order").locator(".steps > li", has_text="Licence")
    assert "missing" in step.inner_text()


def test_every_section_fills(page):
    page.goto("/bob/inspected/inspect")
    for what in page.locator("[data-what]").evaluate_all("sections => sections.map((section) => section.dataset.what)"):
        assert "The hub answered" not in filled(page, what).inner_text(), what


def test_the_short_form_stands_beside_the_card(page):
    page.goto("/bob/inspected")
    page.locator('[data-verdict="classify"]', has_text="embedding").wait_for()
    page.locator('[data-verdict="card-score"]', has_text="of 100").wait_for()
    page.get_by_role("link", name="all the evidence").click()
    page.wait_for_url("**/inspect")


def test_the_page_can_be_read_without_scripts(no_script):
    no_script.goto("/bob/inspected/inspect")
    row = no_script.locator("#classify .findings > li", has_text="embedding")
    assert "proved" in row.inner_text()
    row.locator(".evidence summary").click()
    assert "/blob/" in row.get_by_role("link", name="modules.json").get_attribute("href")
    assert no_script.locator("#reading-order .steps > li").count() == 6
    assert int(no_script.locator("#card-score .score strong").inner_text()) > 0
    for what, row, text in (("licence", "Licence", "apache-2.0"), ("provenance", "Made from", ""), ("runtimes", "Programs", "Transformers"), ("fit", "Memory", "MB"), ("safety", "Scans", "")):
        brief = no_script.locator(f"#{what} .in-short > div", has=no_script.get_by_text(row, exact=True))
        assert text.lower() in brief.locator("dd").inner_text().lower(), (what, brief.inner_text())
    no_script.locator("#checklist a", has_text="fourteen questions").click()
    no_script.wait_for_url("**/bob/inspected/checklist")


@pytest.mark.parametrize("path", ["/bob/inspected/inspect", "/bob/child/inspect?against=bob/parent#changes"])
def test_nothing_moves_while_the_answers_arrive(page, family, path):
    page.goto(path)
    page.wait_for_load_state("networkidle")
    shift = page.evaluate("""() => new Promise((done) => {
      let moved = 0;
      new PerformanceObserver((list) => { for (const entry of list.getEntries()) moved += entry.value; }).observe({type: "layout-shift", buffered: true});
      requestAnimationFrame(() => requestAnimationFrame(() => done(moved)));
    })""")
    assert shift < 0.01, shift


def test_without_scripts_there_are_links_to_the_answers(no_script):
    no_script.goto("/bob/inspected/inspect")
    assert no_script.locator("#classify a.json").get_attribute("href").startswith("/api/hearth/models/bob/inspected/classify?revision=")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/bob/inspected/inspect", "/bob/uninspected/inspect", "/bob/inspected", "/bob/child/inspect?against=bob/parent#changes"])
def test_they_are_accessible(open_page, check_axe, path, scheme, family):
    page = open_page(color_scheme=scheme)
    page.goto(path)
    page.wait_for_load_state("networkidle")
    check_axe(page)


def test_nothing_is_cut_off_on_a_phone(phone, family):
    for path in ("/bob/inspected/inspect", "/bob/child/inspect?against=bob/parent"):
        phone.goto(path)
        phone.wait_for_load_state("networkidle")
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
