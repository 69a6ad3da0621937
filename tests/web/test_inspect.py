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
    api.create_repo("bob/inspected-nothing")


def filled(page, what):
    section = page.locator(f"#{what}[data-filled]")
    page.locator(f"#{what}").scroll_into_view_if_needed()
    section.wait_for()
    return section


def test_a_licence_is_shown_with_the_place_where_it_stands(page):
    page.goto("/bob/inspected")
    page.get_by_role("link", name="Inspect", exact=True).click()
    section = filled(page, "licence")
    assert "apache-2.0" in section.inner_text() and "declared" in section.inner_text()
    section.locator(".evidence summary").first.click()
    link = section.locator(".evidence a", has_text="README.md").first
    assert "/bob/inspected/blob/" in link.get_attribute("href")
    link.click()
    page.wait_for_url("**/bob/inspected/blob/**README.md**")


def test_what_nobody_says_is_missing(page):
    page.goto("/bob/uninspected/inspect")
    assert "missing" in filled(page, "licence").inner_text()


def test_files_are_scanned(page):
    from harness.people import eventually
    page.goto("/bob/inspected/inspect")

    def scanned():
        page.reload()
        return "nothing was found" in filled(page, "safety").inner_text()
    assert eventually(scanned, 30)


def test_every_section_fills(page):
    page.goto("/bob/inspected/inspect")
    for what in page.locator("[data-what]").evaluate_all("sections => sections.map((section) => section.dataset.what)"):
        assert "The hub answered" not in filled(page, what).inner_text(), what


def test_the_short_form_stands_beside_the_card(page):
    page.goto("/bob/inspected")
    row = page.locator('[data-verdict="licence"]')
    row.get_by_text("apache-2.0").wait_for()
    page.get_by_role("link", name="all the evidence").click()
    page.wait_for_url("**/inspect")


def test_an_empty_repository_says_so(page):
    page.goto("/bob/inspected-nothing/inspect")
    if page.locator("[data-what]").count() == 0:
        assert page.get_by_text("There is no commit yet").is_visible()


def test_without_scripts_there_are_links_to_the_answers(no_script):
    no_script.goto("/bob/inspected/inspect")
    assert no_script.locator("#licence a.json").get_attribute("href").startswith("/api/hearth/models/bob/inspected/licence?revision=")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/bob/inspected/inspect", "/bob/uninspected/inspect", "/bob/inspected"])
def test_they_are_accessible(open_page, check_axe, path, scheme):
    page = open_page(color_scheme=scheme)
    page.expected.append("404")
    page.goto(path)
    page.wait_for_load_state("networkidle")
    check_axe(page)


def test_nothing_is_cut_off_on_a_phone(phone):
    phone.expected.append("404")
    phone.goto("/bob/inspected/inspect")
    phone.wait_for_load_state("networkidle")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
