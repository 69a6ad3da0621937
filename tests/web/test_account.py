"""A person's account in the browser: signing in and up, sessions, password, tokens, organisations."""
import re
import urllib.error
import urllib.parse
import urllib.request

import pytest

from harness.hub import PASSWORD, Hub
from harness.people import whoami


def sign_in(page, name, password=PASSWORD):
    page.goto("/login")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


@pytest.fixture
def person(hub, tokens):
    """A fresh user, known to the running hub."""
    numbers = iter(range(1000))

    def make(prefix):
        import harness.people
        name = f"{prefix}-{next(numbers)}"
        hub.make_user(name)
        token = hub.make_token(name)
        assert harness.people.eventually(lambda: whoami(hub, token))
        return name, token
    return make


def test_signing_in_leads_back_and_signing_out_ends_the_session(page, person):
    name, _ = person("sina")
    page.goto("/settings/tokens")
    page.wait_for_url("**/login?next=**")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill("wrong password")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("Invalid username or password").wait_for()
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings/tokens")
    page.locator("summary", has_text=name).click()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/settings")
    page.wait_for_url("**/login?next=**")


def test_another_site_is_no_place_to_go_on_to(page, person):
    name, _ = person("opal")
    page.goto("/login?next=https://evil.example/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"^http://127\.0\.0\.1:\d+/$"))


def test_the_profile_is_kept_and_shown_to_the_api(open_page, hub, person):
    name, token = person("petra")
    page = open_page(name)
    page.goto("/settings")
    page.get_by_label("Full name").fill("Petra <b>Prado</b>")
    page.get_by_label("E-mail address").fill("petra@example.com")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("status").get_by_text("Saved").wait_for()
    assert page.get_by_label("Full name").input_value() == "Petra <b>Prado</b>"
    assert whoami(hub, token)["fullname"] == "Petra <b>Prado</b>"
    page.get_by_label("E-mail address").evaluate("field => { field.type = 'text'; }")
    page.get_by_label("E-mail address").fill("no address")
    page.expected.append("400")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").get_by_text("Invalid e-mail address").wait_for()
    assert page.get_by_label("Full name").input_value() == "Petra <b>Prado</b>"


def test_the_appearance_is_chosen_in_the_settings(open_page, person):
    page = open_page(person("aria")[0])
    page.goto("/settings")
    page.get_by_role("button", name="Dark", exact=True).click()
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_changing_the_password_signs_out_everywhere_else(open_page, person):
    name, _ = person("paul")
    here, there = open_page(name), open_page(name)
    here.goto("/settings/password")
    here.expected.append("400")
    here.get_by_label("Present password").fill("not this one")
    here.get_by_label("New password", exact=True).fill("a much better one")
    here.get_by_label("New password again").fill("a much better one")
    here.get_by_role("button", name="Change the password").click()
    here.get_by_role("alert").get_by_text("Your present password is not right").wait_for()
    here.get_by_label("Present password").fill(PASSWORD)
    here.get_by_label("New password", exact=True).fill("a much better one")
    here.get_by_label("New password again").fill("a much better one")
    here.get_by_role("button", name="Change the password").click()
    here.get_by_role("status").get_by_text("Your password is changed").wait_for()
    here.goto("/settings")
    assert here.url.endswith("/settings")
    there.goto("/settings")
    there.wait_for_url("**/login?next=**")
    sign_in(there, name, "a much better one")
    there.wait_for_url(re.compile(r"/$"))


def test_sessions_are_listed_and_ended(open_page, person):
    name, _ = person("sess")
    here, there, elsewhere = open_page(name), open_page(name), open_page(name)
    here.goto("/settings/sessions")
    assert here.get_by_text("this browser").count() == 1
    assert here.get_by_role("listitem").filter(has_text="127.0.0.1").count() == 3
    here.get_by_role("button", name=re.compile("^Sign out .* since")).first.click()
    here.get_by_role("status").get_by_text("Signed out there").wait_for()
    there.goto("/settings")
    elsewhere.goto("/settings")
    assert sorted("/login" in page.url for page in (there, elsewhere)) == [False, True]
    here.get_by_role("button", name="Sign out everywhere else").click()
    here.get_by_role("status").get_by_text("Signed out everywhere else").wait_for()
    assert here.get_by_role("listitem").filter(has_text="127.0.0.1").count() == 1
    for page in (there, elsewhere):
        page.goto("/settings")
        assert "/login" in page.url


def test_a_token_is_shown_once_and_works(open_page, hub, person):
    name, _ = person("tora")
    page = open_page(name)
    page.goto("/settings/tokens")
    page.get_by_label("Name", exact=True).fill("laptop")
    page.get_by_role("radio", name=re.compile("^Write")).check()
    page.get_by_label("Expires after days").fill("30")
    page.get_by_role("button", name="Make token").click()
    token = page.locator(".fresh code").inner_text()
    assert re.fullmatch(r"hf_\w{20,}", token)
    assert whoami(hub, token)["auth"]["accessToken"]["role"] == "write"
    page.goto("/settings/tokens")
    assert token not in page.content()
    row = page.get_by_role("listitem").filter(has_text="laptop")
    assert "last used just now" in row.inner_text() and "expires 20" in row.inner_text()
    row.get_by_role("button", name="End laptop").click()
    page.get_by_role("status").get_by_text("The token is ended").wait_for()
    assert whoami(hub, token) is None


def test_a_fine_grained_token_reaches_what_it_lists_and_no_more(open_page, hub, person):
    from huggingface_hub import HfApi
    from huggingface_hub.utils import HfHubHTTPError
    name, token = person("fina")
    everything = HfApi(endpoint=hub.url, token=token)
    for repo in ("one", "two", "three"):
        everything.create_repo(f"{name}/{repo}", private=True)
        everything.upload_file(repo_id=f"{name}/{repo}", path_in_repo="a.txt", path_or_fileobj=b"a")
    page = open_page(name)
    page.goto("/settings/tokens")
    page.get_by_label("Name", exact=True).fill("robot")
    page.get_by_label("Fine-grained").check()
    page.get_by_label("Kind of line 1").select_option("model")
    page.get_by_label("Name on line 1").fill(f"{name}/one")
    page.get_by_label("Rights of line 1").select_option("write")
    page.get_by_label("Kind of line 2").select_option("model")
    page.get_by_label("Name on line 2").fill(f"{name}/two")
    page.get_by_role("button", name="Make token").click()
    fine = HfApi(endpoint=hub.url, token=page.locator(".fresh code").inner_text())
    assert fine.upload_file(repo_id=f"{name}/one", path_in_repo="b.txt", path_or_fileobj=b"b")
    assert "a.txt" in fine.list_repo_files(f"{name}/two")
    with pytest.raises(HfHubHTTPError):
        fine.upload_file(repo_id=f"{name}/two", path_in_repo="b.txt", path_or_fileobj=b"b")
    with pytest.raises(HfHubHTTPError):
        fine.list_repo_files(f"{name}/three")
    with pytest.raises(HfHubHTTPError):
        fine.create_repo(f"{name}/four")
    assert f"write model {name}/one" in re.sub(r"\s+", " ", page.get_by_role("listitem").filter(has_text="robot").first.inner_text())


def test_a_fine_grained_token_must_say_what_it_reaches(open_page, person, tokens):
    name, _ = person("fine")
    page = open_page(name)
    page.expected.append("400")
    page.goto("/settings/tokens")
    page.get_by_label("Name", exact=True).fill("robot")
    page.get_by_label("Fine-grained").check()
    page.get_by_label("Kind of line 1").select_option("model")
    page.get_by_label("Name on line 1").fill("nobody/nothing")
    page.get_by_role("button", name="Make token").click()
    page.get_by_role("alert").get_by_text("that you may see").wait_for()
    assert page.get_by_label("Name", exact=True).input_value() == "robot"
    assert page.get_by_label("Name on line 1").input_value() == "nobody/nothing"


def test_an_organisation_is_made_and_its_members_are_managed(open_page, person, api_of):
    name, _ = person("olga")
    friend, _ = person("fred")
    page = open_page(name)
    page.goto("/organizations/new")
    org = f"{name}-lab"
    page.get_by_label("Name", exact=True).fill(org)
    page.get_by_label("Full name").fill("The lab")
    page.get_by_role("button", name="Make the organisation").click()
    page.get_by_role("status").get_by_text("The organisation is made").wait_for()
    page.get_by_label("User name").fill(friend)
    page.get_by_role("radio", name=re.compile("^write")).check()
    page.get_by_role("button", name="Add").click()
    page.get_by_role("status").get_by_text("Saved").wait_for()
    assert page.get_by_label(f"Role of {friend}", exact=True).input_value() == "write"
    page.get_by_label(f"Role of {friend}", exact=True).select_option("read")
    page.get_by_role("button", name=f"Change the role of {friend}").click()
    page.get_by_role("status").get_by_text("Saved").wait_for()
    assert page.get_by_label(f"Role of {friend}", exact=True).input_value() == "read"
    page.expected.append("409")
    page.get_by_role("button", name="Leave").click()
    page.get_by_role("alert").get_by_text("at least one admin").wait_for()
    page.get_by_role("button", name=f"Remove {friend}").click()
    page.get_by_role("status").get_by_text("Removed").wait_for()
    assert page.get_by_label(f"Role of {friend}", exact=True).count() == 0


def test_only_its_admins_see_an_organisations_settings(open_page):
    page = open_page("acme-writer")
    page.expected.append("403")
    page.goto("/organizations/acme/settings")
    page.get_by_text("Only an admin of this organisation may do this").wait_for()


def test_everything_works_without_scripts(open_page, hub, person):
    name, _ = person("nils")
    page = open_page(java_script_enabled=False)
    sign_in(page, name)
    page.goto("/settings/tokens")
    page.get_by_label("Name", exact=True).fill("plain")
    page.get_by_label("Fine-grained").check()
    page.get_by_label("Kind of line 1").select_option("user")
    page.get_by_label("Name on line 1").fill(name)
    page.get_by_role("button", name="Make token").click()
    assert whoami(hub, page.locator(".fresh code").inner_text())["auth"]["accessToken"]["role"] == "fineGrained"
    page.goto("/settings")
    page.get_by_label("Full name").fill("Nils")
    page.get_by_role("button", name="Save").click()
    assert page.get_by_label("Full name").input_value() == "Nils"


@pytest.mark.parametrize("path", ["/settings", "/settings/password", "/settings/sessions", "/settings/tokens",
                                  "/organizations/acme/settings", "/organizations/new", "/new?type=space"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_settings_are_accessible_and_fit_a_phone(open_page, check_axe, path, scheme):
    page = open_page("acme-admin", color_scheme=scheme)
    page.goto(path)
    check_axe(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_visitors_may_not_make_accounts_by_default(page):
    page.expected.append("404")
    page.goto("/signup")
    page.get_by_text("Accounts of this hub are made by its administrator").wait_for()


@pytest.fixture(scope="module")
def open_hub(tmp_path_factory):
    hub = Hub(tmp_path_factory.mktemp("open") / "data", environment={"HEARTH_ALLOW_SIGN_UP": "true"}).start()
    yield hub
    hub.stop()


def test_where_they_may_a_visitor_signs_up_and_is_signed_in(open_hub, chromium, check_axe):
    context = chromium.new_context(base_url=open_hub.url)
    page = context.new_page()
    page.goto("/login")
    page.get_by_role("link", name="Make an account").click()
    check_axe(page)
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Make the account").click()
    page.get_by_role("alert").get_by_text("already taken").wait_for()
    page.get_by_label("User name").fill("newcomer")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Make the account").click()
    page.wait_for_url(re.compile(r"/$"))
    assert page.locator("summary", has_text="newcomer").is_visible()
    context.close()


def test_sign_ups_and_failed_logins_are_throttled(open_hub):
    def post(path, fields):
        body = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(open_hub.url + path, data=body, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.headers
    answers = [post("/login", {"username": "nobody-here", "password": f"guess {i}"}) for i in range(11)]
    assert answers[-1][0] == 429 and int(answers[-1][1]["Retry-After"]) > 0
    answers = [post("/signup", {"username": f"flood-{i}", "password": "x"}) for i in range(12)]
    assert answers[-1][0] == 429 and int(answers[-1][1]["Retry-After"]) > 0
