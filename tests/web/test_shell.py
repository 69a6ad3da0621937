"""The frame of every page: search, keys, menus, theme, phone, no scripts."""
import re

import pytest


@pytest.fixture(scope="module", autouse=True)
def repositories(api):
    api.create_repo("bob/shell-lamp")
    api.upload_file(repo_id="bob/shell-lamp", path_in_repo="README.md", path_or_fileobj=b"---\nlicense: mit\n---\n# Lamp\n\nA small lamp.\n")
    api.create_repo("bob/shell-lamp-data", repo_type="dataset")


def test_a_slash_goes_to_the_search_field_which_suggests(page):
    page.goto("/models")
    page.keyboard.press("/")
    page.keyboard.type("shell-lam")
    options = page.get_by_role("option")
    options.filter(has_text="bob/shell-lamp-data").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/bob/shell-lamp")
    page.get_by_text("A small lamp.").wait_for()


def test_escape_closes_what_is_open(bob):
    bob.goto("/")
    bob.get_by_text("+ New").click()
    assert bob.get_by_role("link", name="Model", exact=True).is_visible()
    bob.keyboard.press("Escape")
    assert not bob.get_by_role("link", name="Model", exact=True).is_visible()


def test_the_theme_is_kept_and_nothing_flashes(page):
    page.goto("/")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="dark").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light
    page.goto("/models")
    assert 'data-theme="dark"' in page.content()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    page.get_by_role("button", name="system").click()
    page.goto("/")
    assert "data-theme" not in page.content().split("<body>")[0]


def test_a_system_that_is_dark_gets_dark(open_page):
    page = open_page(color_scheme="dark")
    page.goto("/")
    red, green, blue = map(int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))[:3])
    assert max(red, green, blue) < 60


def test_on_a_phone_the_menu_unfolds_and_nothing_is_cut_off(phone):
    for path in ("/", "/models", "/bob/shell-lamp"):
        phone.goto(path)
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert not phone.get_by_role("link", name="Datasets", exact=True).first.is_visible()
    phone.locator("label.fold").tap()
    phone.get_by_role("link", name="Datasets", exact=True).first.tap()
    phone.wait_for_url("**/datasets")


def test_pages_can_be_read_without_scripts(no_script):
    no_script.goto("/")
    no_script.get_by_role("link", name="Models", exact=True).first.click()
    no_script.get_by_role("link", name="bob/shell-lamp", exact=True).click()
    assert no_script.get_by_text("A small lamp.").is_visible()


@pytest.mark.parametrize("path", ["/", "/models", "/login", "/bob/shell-lamp", "/nobody/nothing"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible(open_page, check_axe, path, scheme):
    page = open_page(color_scheme=scheme)
    page.expected.append("404")
    page.goto(path)
    check_axe(page)
