"""The first page of a repository, as a visitor reads it."""
import re

import pytest

import train_small_models

CARD = """---
license: apache-2.0
language: [en, de]
pipeline_tag: text-generation
library_name: transformers
datasets: [bob/card-data, elsewhere/unknown]
base_model: bob/card-base
---
# Big card

Intro with $a_i * b_i$ and a price of $5 or $10.

## Usage

```python
print("hello")  # comment
```

### Details

$$
\\\\sum_i x_i
$$

## Limits

Text.[^1]

## Training

[^1]: A note.
"""

FORMULAS = r"""# Formulas

A space over $\mathbb{R}^d$ here, and $\notacommand{x}$, and $\href{https://elsewhere.example}{x}$.

$$
\begin{aligned} a &= \log x \\ b &= y \end{aligned}
$$

$$
\boxed{E = mc^2}
$$
"""


@pytest.fixture(scope="module", autouse=True)
def repositories(api):
    trained = train_small_models.ensure()
    for name in ("bob/card", "bob/card-base", "bob/card-far", "bob/card-secret"):
        api.create_repo(name)
    api.upload_file(repo_id="bob/card-far", path_in_repo="README.md",
                    path_or_fileobj=("# Far\n\n" + "A paragraph of the card.\n\n" * 400 + "$$\nx^2\n$$\n").encode())
    api.create_repo("bob/card-formulas")
    api.upload_file(repo_id="bob/card-formulas", path_in_repo="README.md", path_or_fileobj=FORMULAS.encode())
    api.create_repo("bob/card-data", repo_type="dataset")
    api.create_repo("bob/card-space", repo_type="space", space_sdk="static")
    api.upload_file(repo_id="bob/card-base", path_in_repo="README.md", path_or_fileobj=b"---\nlicense: mit\n---\n# Base\n")
    api.upload_file(repo_id="bob/card", path_in_repo="README.md", path_or_fileobj=CARD.replace("\\\\\\\\", "\\\\").encode())
    for name in ("config.json", "model.safetensors"):
        api.upload_file(repo_id="bob/card", path_in_repo=name, path_or_fileobj=str(trained / "llama" / name))
    api.upload_file(repo_id="bob/card-space", repo_type="space", path_in_repo="README.md",
                    path_or_fileobj=b"---\ntitle: Card space\nsdk: static\nmodels: [bob/card]\n---\n")
    api.upload_file(repo_id="bob/card-secret", path_in_repo="README.md", path_or_fileobj=b"---\nbase_model: bob/card\n---\n")
    api.update_repo_settings("bob/card-secret", private=True)


def test_code_is_coloured_and_formulas_are_drawn(page):
    page.goto("/bob/card")
    page.locator(".prose .hljs-string").first.wait_for()
    page.locator(".math.display").scroll_into_view_if_needed()
    page.locator(".math.display.drawn math[display=block]").wait_for()
    assert page.locator(".math.drawn").count() == 2
    assert "$5 or $10" in page.locator(".prose").inner_text()


def test_a_card_without_formulas_or_code_loads_neither(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/bob/card-base")
    page.wait_for_load_state("networkidle")
    assert not any(re.search("katex|formulas|highlight", url, re.I) for url in asked), asked


def test_formulas_far_below_are_drawn_when_the_reader_comes_near(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/bob/card-far")
    page.wait_for_load_state("networkidle")
    assert not any(re.search("katex|formulas", url, re.I) for url in asked), asked
    page.locator(".math.display").scroll_into_view_if_needed()
    page.locator(".math.display.drawn math[display=block]").wait_for()


def test_formulas_are_drawn_by_the_browser_and_copied_as_they_were_written(open_page, check_axe):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto("/bob/card-formulas")
    page.locator(".math.drawn math").nth(3).wait_for()
    shown = page.locator(".prose")
    assert page.locator(".math:not(.drawn)").all_inner_texts() == ["\\notacommand{x}"]
    # Letters of other alphabets, aligned columns, a box with a frame: what MathML itself no longer says.
    assert shown.locator("math mi", has_text="\u211d").count() == 1
    cells = shown.locator("mtd")
    assert [cells.nth(at).evaluate("cell => getComputedStyle(cell).textAlign") for at in (0, 1)] == ["right", "left"]
    assert shown.locator("menclose").evaluate("box => getComputedStyle(box).borderTopWidth") == "1px"
    assert shown.locator("mspace").count() >= 1 and shown.locator("math [href], math a").count() == 0
    page.evaluate("getSelection().selectAllChildren(document.querySelector('.prose'))")
    page.keyboard.press("Control+C")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "over $\\mathbb{R}^d$ here" in copied and "\\begin{aligned}" in copied and "$$" in copied, copied
    check_axe(page)


def test_the_contents_lead_to_the_headings(page):
    page.goto("/bob/card")
    contents = page.locator(".toc")
    assert contents.locator("a").all_inner_texts() == ["Big card", "Usage", "Details", "Limits", "Training"]
    contents.get_by_role("link", name="Limits").click()
    page.wait_for_url("**#user-content-limits")
    assert page.get_by_role("heading", name="Limits").is_visible()


def test_what_is_beside_the_card(page):
    page.goto("/bob/card")
    rail = page.get_by_label("About this repository")
    assert rail.get_by_role("link", name="bob/card-data").get_attribute("href") == "/datasets/bob/card-data"
    assert rail.get_by_role("link", name="elsewhere/unknown").get_attribute("href").startswith("/datasets?search=")
    assert rail.get_by_role("link", name="bob/card-base").get_attribute("href") == "/bob/card-base"
    assert rail.get_by_role("link", name="bob/card-space").count() == 1
    assert "parameters" in rail.inner_text() and rail.locator("svg.share rect").count() >= 1
    assert "apache-2.0" in rail.inner_text()


def test_private_children_are_not_counted_for_others(open_page):
    visitor, owner = open_page(), open_page("bob")
    visitor.goto("/bob/card")
    assert visitor.get_by_role("link", name="Fine-tunes").count() == 0
    owner.goto("/bob/card")
    assert owner.get_by_role("link", name="Fine-tunes").count() == 1


def test_snippets_name_this_host(page, hub, crossed_words):
    page.goto("/bob/card")
    box = page.locator("section.box", has=page.get_by_role("heading", name="Use this model"))
    for way, text in (("transformers", "pipeline(\"text-generation\", model=\"bob/card\")"), ("hf", "hf download bob/card"),
                      ("git", f"git clone {hub.url}/bob/card"), ("curl", f"{hub.url}/bob/card/resolve/main/model.safetensors"), ("JavaScript", f'hubUrl: "{hub.url}"')):
        box.locator(".choose").get_by_text(way, exact=True).click()
        shown = box.locator(".panel:visible")
        assert shown.count() == 1 and text in shown.inner_text()
    assert crossed_words(page) == []


def test_a_like_is_given_and_taken_back(open_page):
    visitor, owner = open_page(), open_page("bob")
    owner.goto("/bob/card")
    button = owner.locator(".likes button")
    button.click()
    owner.locator('.likes button[aria-pressed="true"]').wait_for()
    assert button.inner_text().split() == ["1", "like"]
    owner.reload()
    owner.locator('.likes button[aria-pressed="true"]').click()
    owner.locator('.likes button[aria-pressed="false"]').wait_for()
    visitor.goto("/bob/card")
    visitor.locator(".likes button").click()
    visitor.wait_for_url("**/login?next=*")


def test_the_name_is_copied(open_page):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto("/bob/card")
    page.get_by_role("button", name="Copy the name").click()
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "bob/card"


def test_all_of_it_can_be_read_without_scripts(no_script):
    no_script.goto("/bob/card")
    assert no_script.get_by_text("a_i * b_i").is_visible()
    no_script.locator(".choose").get_by_text("git", exact=True).click()
    assert no_script.get_by_text("git lfs install").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/bob/card", "/bob/card-base", "/datasets/bob/card-data", "/spaces/bob/card-space", "/bob", "/acme"])
def test_repositories_and_people_are_accessible(open_page, check_axe, path, scheme):
    page = open_page(color_scheme=scheme)
    page.goto(path)
    page.wait_for_load_state("networkidle")
    check_axe(page)


def test_nothing_is_cut_off_on_a_phone(phone):
    for path in ("/bob/card", "/bob", "/spaces/bob/card-space"):
        phone.goto(path)
        phone.wait_for_load_state("networkidle")
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
