"""An administrator in the browser: people, storage, jobs, health."""
import random
import re

import pytest


def test_the_health_page_says_how_the_hub_is(administrator):
    administrator.goto("/")
    administrator.locator("summary", has_text="alice").click()
    administrator.get_by_role("link", name="Administration").click()
    main = administrator.locator("main")
    for text in ("Program", "Disk", "Memory", "Database", "answers", "Requests a second", "Mean time of an answer"):
        assert text in main.inner_text(), text
    assert administrator.locator("polyline").count() == 3
    assert len(administrator.locator("polyline").first.get_attribute("points").split()) == 360


def test_a_user_is_made_used_disabled_and_let_in_again(administrator, open_page):
    administrator.goto("/administration/users")
    administrator.get_by_label("User name").fill("made-by-admin")
    administrator.get_by_label("E-mail address").fill("made@example.com")
    administrator.get_by_role("button", name="Make the user").click()
    password = administrator.locator(".fresh code").inner_text()
    assert re.fullmatch(r"[A-Za-z0-9]{20}", password)
    page = open_page()
    page.expected.append("401")
    page.goto("/login")
    page.get_by_label("User name").fill("made-by-admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.locator("summary", has_text="made-by-admin").wait_for()

    def act(action):
        administrator.goto("/administration/users?q=made-by")
        administrator.locator("summary", has_text="Change").click()
        administrator.get_by_role("button", name=f"{action}: made-by-admin").click()
    act("Disable")
    administrator.get_by_role("status").wait_for()
    page.goto("/settings")
    page.wait_for_url("**/login?next=**")
    act("Enable")
    act("Make administrator")
    administrator.goto("/administration/users?q=made-by")
    assert "admin" in administrator.get_by_role("row").filter(has_text="made@example.com").inner_text()
    act("Take administration away")
    act("New password")
    fresh = administrator.locator(".fresh code").inner_text()
    page.get_by_label("User name").fill("made-by-admin")
    page.get_by_label("Password").fill(fresh)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/settings")
    act("Sign out everywhere")
    page.goto("/settings")
    page.wait_for_url("**/login?next=**")


def test_a_taken_name_is_said_and_what_was_typed_stays(administrator):
    administrator.expected.append("409")
    administrator.goto("/administration/users")
    administrator.get_by_label("User name").fill("bob")
    administrator.get_by_label("E-mail address").fill("other@example.com")
    administrator.get_by_role("button", name="Make the user").click()
    administrator.get_by_role("alert").get_by_text("already taken").wait_for()
    assert administrator.get_by_label("E-mail address").input_value() == "other@example.com"


def test_nobody_locks_themselves_out(administrator):
    administrator.goto("/administration/users?q=alice")
    row = administrator.get_by_role("row").filter(has_text="alice").last
    assert row.get_by_role("button").count() == 0
    answer = administrator.evaluate("""async () => {
        const token = document.querySelector('meta[name="csrf-token"]').content;
        const answer = await fetch("/administration/users/alice/make-ordinary", {method: "POST", headers: {"X-CSRF-Token": token}});
        return answer.status;
    }""")
    assert answer == 409
    administrator.expected.append("409")


def test_storage_shows_who_holds_what(administrator, api):
    api.create_repo("bob/storage-heavy")
    api.upload_file(repo_id="bob/storage-heavy", path_in_repo="w.bin", path_or_fileobj=random.Random(11).randbytes(3_000_000))
    administrator.goto("/administration/storage")
    assert "3.0 MB" in administrator.get_by_role("row").filter(has_text="bob/storage-heavy").inner_text()
    administrator.goto("/administration/organizations")
    assert "acme-admin" in administrator.get_by_role("row").filter(has_text="acme").first.inner_text()


def test_jobs_run_beside_the_hub_and_report(administrator):
    administrator.goto("/administration/jobs")
    administrator.get_by_role("button", name="Start: Look for garbage").click()
    administrator.get_by_text("Would give back").wait_for(timeout=30_000)
    administrator.get_by_role("button", name="Start: Scrub the store").click()
    administrator.get_by_text(re.compile(r"Read \d+ objects? and \d+ xorbs?.*: 0 damaged")).wait_for(timeout=30_000)
    administrator.get_by_role("button", name="Start: Collect garbage").click()
    administrator.get_by_text("Moved to the trash").wait_for(timeout=30_000)
    administrator.goto("/administration/storage")
    assert administrator.get_by_role("row").filter(has_text="done").count() >= 1


def test_only_administrators_get_in(bob, page):
    bob.expected.append("403")
    for path in ("/administration", "/administration/users", "/administration/organizations", "/administration/storage", "/administration/scans", "/administration/jobs"):
        assert bob.goto(path).status == 403, path
        page.goto(path)
        assert "/login" in page.url


@pytest.mark.parametrize("path", ["/administration", "/administration/users", "/administration/organizations", "/administration/storage", "/administration/scans", "/administration/jobs"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_administration_is_accessible_and_fits_a_phone(open_page, check_axe, path, scheme):
    page = open_page("alice", color_scheme=scheme)
    page.goto(path)
    check_axe(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
