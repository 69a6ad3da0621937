"""The home page, signed out and in, and the pages of people."""
import pytest


@pytest.fixture(scope="module", autouse=True)
def repositories(api, api_of):
    api.create_repo("bob/home-lamp")
    api.create_repo("bob/home-private", private=True)
    writer = api_of("acme-writer")
    writer.create_repo("acme/home-org-model")
    writer.create_repo("acme/README", repo_type="space", space_sdk="static")
    writer.upload_file(repo_id="acme/README", repo_type="space", path_in_repo="README.md",
                       path_or_fileobj=b"---\ntitle: README\nsdk: static\n---\n# We make anvils\n")


def test_a_visitor_learns_what_this_is(page):
    page.goto("/")
    assert page.get_by_role("heading", name="Models, datasets and Spaces, at home.").is_visible()
    assert "home-private" not in page.content()
    page.get_by_placeholder("What are you looking for?").fill("lamp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=lamp")


def test_somebody_signed_in_sees_their_own(bob):
    bob.goto("/")
    own = bob.locator("section", has=bob.get_by_role("heading", name="Your repositories"))
    assert own.get_by_role("link", name="bob/home-private").is_visible()
    assert bob.get_by_role("heading", name="Models in memory").is_visible()
    assert bob.get_by_role("heading", name="Disk").count() == 0


def test_members_see_what_changed_in_their_organisations(open_page):
    page = open_page("acme-reader")
    page.goto("/")
    lately = page.locator("section", has=page.get_by_role("heading", name="Lately in your organisations"))
    assert lately.get_by_role("link", name="acme/home-org-model").is_visible()


def test_administrators_see_the_disk(administrator, check_axe):
    administrator.goto("/")
    assert administrator.get_by_role("meter", name="Disk in use").is_visible()
    check_axe(administrator)


def test_an_organisation_shows_its_members_and_its_card(page):
    page.goto("/acme")
    assert page.get_by_role("link", name="acme-writer", exact=True).is_visible()
    assert page.get_by_role("heading", name="We make anvils").is_visible()
    page.get_by_role("link", name="Newest").click()
    page.wait_for_url("**/acme?sort=createdAt")
    assert page.get_by_role("link", name="acme/home-org-model").is_visible()


def test_a_missing_name_and_a_private_one_look_alike(page):
    page.expected.append("404")
    texts = []
    for path in ("/bob/home-private", "/bob/home-nothing"):
        assert page.goto(path).status == 404
        texts.append(page.locator("main").inner_text())
    assert texts[0] == texts[1]
