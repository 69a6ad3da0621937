"""One's own hardware: listed in the settings, judged on the pages of models, offered first by the list of them."""
import pytest
import requests
import test_data

from harness.people import eventually

PHONE_WIDTH = 390


@pytest.fixture(scope="module", autouse=True)
def model(api, hub):
    test_data.ensure()
    api.create_repo("bob/own-minilm")
    api.upload_folder(repo_id="bob/own-minilm", folder_path=str(test_data.DATA / "minilm"))
    fits = f"{hub.url}/api/models?search=own-minilm&fits=T4"
    assert eventually(lambda: len(requests.get(fits).json()) == 1, 60)


@pytest.fixture(autouse=True)
def empty_list(hub, tokens):
    """Every test begins with nothing listed."""
    def put(devices, user="bob"):
        answer = requests.put(f"{hub.url}/api/hearth/settings/hardware", json={"devices": devices}, headers={"Authorization": f"Bearer {tokens[user]}"})
        assert answer.status_code == 200, answer.text
    put([])
    return put


def records(page):
    return page.locator(".records strong").all_inner_texts()


def test_devices_are_listed_judged_and_taken_away(bob, check_axe):
    bob.goto("/settings")
    bob.get_by_role("navigation", name="Settings").get_by_role("link", name="My hardware").click()
    bob.get_by_label("Device", exact=True).fill("rtx 4090")
    bob.get_by_role("button", name="Add device").click()
    bob.get_by_role("status").get_by_text("Added.").wait_for()
    bob.get_by_label("Name", exact=True).fill("pocket calculator")
    bob.get_by_label("Memory, GiB").fill("0.01")
    bob.get_by_role("button", name="Add my device").click()
    bob.get_by_text("pocket calculator").wait_for()
    assert records(bob) == ["RTX 4090", "pocket calculator", "This hub’s machine"]
    check_axe(bob)
    # The model says it where it is taken home, and the inspector in full.
    bob.goto("/bob/own-minilm")
    bob.get_by_text("RTX 4090: fits").wait_for()
    bob.get_by_text("pocket calculator: too small").wait_for()
    bob.get_by_role("link", name="what it needs").click()
    section = bob.locator("#fit")
    section.scroll_into_view_if_needed()
    section.get_by_label("Devices").wait_for()
    assert section.get_by_label("Devices").input_value() == "mine"
    rows = section.locator("tbody tr")
    assert [rows.nth(at).locator("td").first.inner_text().split("\n")[0].strip() for at in range(3)] == ["this node", "RTX 4090 yours", "pocket calculator yours"]
    assert "no" in rows.nth(2).inner_text()
    section.get_by_label("Devices").select_option("Apple")
    section.get_by_text("M1 8GB").first.wait_for()
    # The list of models offers them first.
    bob.goto("/models?search=own-minilm")
    facet = bob.locator("[data-facet=fits]")
    assert facet.locator("h4").all_text_contents() == ["Your hardware", "Other memories"]
    assert facet.locator("li").first.inner_text().split() == ["RTX", "4090", "1"]
    facet.get_by_role("link", name="pocket calculator").click()
    bob.get_by_text("No models fit all of this.").wait_for()
    bob.goto("/settings/hardware")
    bob.get_by_role("button", name="Take away pocket calculator").click()
    bob.get_by_role("status").get_by_text("Taken away.").wait_for()
    assert records(bob) == ["RTX 4090", "This hub’s machine"]


def test_what_is_wrong_is_said_and_kept_in_the_form(bob, check_axe):
    bob.expected.append("400|409")
    bob.goto("/settings/hardware")
    bob.get_by_label("Device", exact=True).fill("RTX 9999 Ultra")
    bob.get_by_role("button", name="Add device").click()
    bob.get_by_role("alert").get_by_text("is not in the table").wait_for()
    assert bob.get_by_label("Device", exact=True).input_value() == "RTX 9999 Ultra"
    bob.get_by_label("Name", exact=True).fill("a:b")
    bob.get_by_label("Memory, GiB").fill("8")
    bob.get_by_role("button", name="Add my device").click()
    bob.get_by_role("alert").get_by_text("without colons").wait_for()
    assert bob.get_by_label("Memory, GiB").input_value() == "8"
    check_axe(bob)
    for _ in range(2):
        bob.get_by_label("Device", exact=True).fill("T4")
        bob.get_by_role("button", name="Add device").click()
        bob.wait_for_load_state()
    bob.get_by_role("alert").get_by_text("listed 'T4' already").wait_for()


def test_a_hostile_name_is_a_text_everywhere(bob, empty_list):
    name = "<img src=x onerror=alert(1)>\"'"
    empty_list([{"name": name, "memory_bytes": 1 << 30}])
    bob.on("dialog", lambda dialog: pytest.fail("a script ran"))
    for path in ["/settings/hardware", "/models", "/bob/own-minilm", "/bob/own-minilm/inspect", "/compare?repos=models/bob/own-minilm"]:
        bob.goto(path)
        bob.wait_for_load_state("networkidle")
        assert bob.locator("img[src=x]").count() == 0, path
        assert name in bob.locator("body").inner_text() or path.endswith("inspect"), path


def test_without_scripts_it_works_the_same(open_page):
    page = open_page("mallory", java_script_enabled=False)
    page.goto("/settings/hardware")
    page.get_by_label("Device", exact=True).fill("M1 8GB")
    page.get_by_role("button", name="Add device").click()
    page.get_by_label("Name", exact=True).fill("attic server")
    page.get_by_label("Of a processor").check()
    page.get_by_label("Memory, GiB").fill("64")
    page.get_by_label("Bandwidth, GB/s").fill("51.2")
    page.get_by_role("button", name="Add my device").click()
    assert records(page) == ["M1 8GB", "attic server", "This hub’s machine"]
    page.goto("/bob/own-minilm/inspect")
    assert page.locator("#fit dt", has_text="On attic server").count() == 1
    page.goto("/compare?repos=models/bob/own-minilm")
    assert page.locator("#comparison th", has_text="On M1 8GB").count() == 1
    page.get_by_role("link", name="M1 8GB (take away)").click()
    assert page.locator("#comparison th", has_text="On M1 8GB").count() == 0
    assert page.locator("#comparison th", has_text="On attic server").count() == 1
    page.get_by_role("link", name="Decision note").click()
    page.get_by_role("link", name="My hardware").wait_for(state="detached")
    assert "attic server" in page.get_by_label("Why").input_value() or page.locator("input[name=device]").count() == 1
    page.goto("/settings/hardware")
    for name in ("M1 8GB", "attic server"):
        page.get_by_role("button", name=f"Take away {name}").click()
    assert records(page) == ["This hub’s machine"]


def test_nobody_else_is_shown_them(open_page, empty_list, hub, tokens):
    empty_list(["secret lab machine:80GiB"])
    for user in (None, "mallory"):
        page = open_page(user)
        for path in ["/models", "/bob/own-minilm", "/bob", "/compare?repos=models/bob/own-minilm"]:
            page.goto(path)
            assert "secret lab machine" not in page.content(), path
    requests_of_others = requests.get(f"{hub.url}/api/hearth/settings/hardware", headers={"Authorization": f"Bearer {tokens['mallory']}"})
    assert requests_of_others.json()["devices"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible_and_fits_a_phone(open_page, check_axe, scheme, empty_list):
    empty_list(["RTX 4090", {"name": "a machine with quite a long name that goes on", "kind": "unified", "memory_bytes": 64 << 30, "bandwidth_gbs": 273.5}])
    page = open_page("bob", color_scheme=scheme, viewport={"width": PHONE_WIDTH, "height": 844})
    page.goto("/settings/hardware")
    check_axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE_WIDTH
