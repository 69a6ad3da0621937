"""Search, the page of the API, and pages that are not there."""
import pytest


@pytest.fixture(scope="module", autouse=True)
def repositories(api):
    api.create_repo("bob/find-kettle")
    api.create_repo("bob/find-kettle-data", repo_type="dataset")
    api.create_repo("bob/find-kettle-secret", private=True)


def test_search_finds_names_in_groups(page):
    page.goto("/search?q=find-kettle")
    assert page.get_by_role("link", name="bob/find-kettle", exact=True).get_attribute("href") == "/bob/find-kettle"
    assert page.get_by_role("link", name="bob/find-kettle-data").get_attribute("href") == "/datasets/bob/find-kettle-data"
    assert "secret" not in page.locator("main").inner_text()
    page.goto("/search?q=bob")
    assert page.get_by_role("link", name="bob", exact=True).get_attribute("href") == "/bob"


def test_search_that_finds_nothing_says_where_to_go_on(page):
    page.goto("/search?q=%3Cb%3Exyzzy")
    assert "“<b>xyzzy”" in page.locator("main").inner_text()
    assert page.locator("main").get_by_role("link", name="models", exact=True).is_visible()


def test_the_page_of_the_api_can_be_searched(page):
    page.goto("/docs/api")
    rows = page.locator("[data-row]:visible")
    before = rows.count()
    assert before > 80
    page.get_by_label("Find a route").fill("card-score")
    page.get_by_label("Find a route").fill("whoami")
    assert 0 < rows.count() < 5 and "whoami" in rows.first.inner_text()
    page.get_by_label("Find a route").fill("no such route")
    page.get_by_text("No route has these words.").wait_for()


def test_the_page_of_the_api_names_each_route_once(no_script):
    no_script.goto("/docs/api")
    rows = no_script.locator("[data-row]").all_inner_texts()
    assert len(rows) == len(set(rows))
    assert any("/api/{models|datasets|spaces}/{ns}/{name}/like" in row for row in rows)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/search", "/search?q=find-kettle", "/search?q=xyzzy", "/docs/api", "/bob/nothing"])
def test_they_are_accessible(open_page, check_axe, path, scheme):
    page = open_page(color_scheme=scheme)
    page.expected.append("404")
    page.goto(path)
    check_axe(page)


def test_nothing_is_cut_off_on_a_phone(phone):
    for path in ("/search?q=find-kettle", "/docs/api"):
        phone.goto(path)
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
