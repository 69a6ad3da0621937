"""The inspector's page and its short form beside a card."""
import pytest

import test_data


@pytest.fixture(scope="module", autouse=True)
def repositories(api):
    test_data.ensure()
    api.create_repo("bob/inspected")
    api.upload_folder(repo_id="bob/inspected", folder_path=str(test_data.DATA / "minilm"))
    api.create_repo("bob/uninspected")
    api.upload_file(repo_id="bob/uninspected", path_in_repo="README.md", path_or_fileobj=b"# Nothing said\n")


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


def test_nothing_moves_while_the_answers_arrive(page):
    page.goto("/bob/inspected/inspect")
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
@pytest.mark.parametrize("path", ["/bob/inspected/inspect", "/bob/uninspected/inspect", "/bob/inspected"])
def test_they_are_accessible(open_page, check_axe, path, scheme):
    page = open_page(color_scheme=scheme)
    page.goto(path)
    page.wait_for_load_state("networkidle")
    check_axe(page)


def test_nothing_is_cut_off_on_a_phone(phone):
    phone.goto("/bob/inspected/inspect")
    phone.wait_for_load_state("networkidle")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
