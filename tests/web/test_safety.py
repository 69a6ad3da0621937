"""What scans found, on the pages of files and of the administration; and files that a strict hub withholds."""
import pytest
from huggingface_hub import HfApi

from harness.hub import ADMIN_TOKEN, PASSWORD, Hub
from harness.people import settle
from harness.scans import until_scanned
from harness.wire import Wire

# Calls os.system when it is loaded; nothing here loads it.
PICKLE = b"cos\nsystem\n(S'<b>id</b>'\ntR."


def upload(api, repo_id):
    api.create_repo(repo_id)
    api.upload_file(repo_id=repo_id, path_in_repo="README.md", path_or_fileobj=b"---\nlicense: mit\n---\n# Model\n")
    api.upload_file(repo_id=repo_id, path_in_repo="weights/bad.pkl", path_or_fileobj=PICKLE)
    api.upload_file(repo_id=repo_id, path_in_repo="evil.yaml", path_or_fileobj=b"a: !!python/object/apply:os.system ['id']\n")
    api.upload_file(repo_id=repo_id, path_in_repo="fine.json", path_or_fileobj=b'{"fine": true}\n')


@pytest.fixture(scope="module", autouse=True)
def repository(hub, api):
    upload(api, "bob/warned")
    until_scanned(Wire(hub.url).as_(ADMIN_TOKEN))


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    hub = Hub(tmp_path_factory.mktemp("strict") / "data", environment={"HEARTH_QUARANTINE": "block"}).start()
    upload(HfApi(endpoint=hub.url, token=settle(hub)["bob"]), "bob/withheld")
    until_scanned(Wire(hub.url).as_(ADMIN_TOKEN))
    yield hub
    hub.stop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_files_that_scans_warn_of_are_marked_where_they_are_shown(open_page, check_axe, scheme):
    page = open_page(color_scheme=scheme)
    page.goto("/bob/warned/tree/main")
    assert page.get_by_role("row").filter(has_text="evil.yaml").locator(".badge.bad").inner_text() == "unsafe"
    assert page.get_by_role("row").filter(has_text="fine.json").locator(".badge").count() == 0
    check_axe(page)
    page.goto("/bob/warned/blob/main/weights/bad.pkl")
    notice = page.locator(".notice.bad")
    assert "unsafe" in notice.inner_text() and "os.system" in notice.inner_text()
    check_axe(page)
    page.goto("/bob/warned/blob/main/fine.json")
    assert page.locator(".notice").count() == 0


def test_the_administrator_sees_what_scans_found_and_scans_again(administrator, check_axe):
    administrator.goto("/administration/scans")
    row = administrator.get_by_role("row").filter(has_text="weights/bad.pkl")
    assert "os.system" in row.inner_text() and "unsafe" in row.inner_text()
    administrator.set_viewport_size({"width": 1200, "height": 800})
    assert administrator.get_by_role("region", name="What scans warn of").evaluate("region => region.scrollWidth <= region.clientWidth"), "the last column is cut off"
    check_axe(administrator)
    row.get_by_role("link", name="weights/bad.pkl").click()
    administrator.locator(".notice.bad").wait_for()


def test_a_withheld_file_is_shown_to_nobody_and_had_by_its_writer(chromium, strict, check_axe):
    context = chromium.new_context(base_url=strict.url)
    page = context.new_page()
    page.goto("/bob/withheld/blob/main/evil.yaml")
    main = page.locator("main")
    assert "judged unsafe" in main.inner_text().lower() and "Who may write" in main.inner_text()
    assert page.locator("table.source").count() == 0 and page.get_by_role("link", name="all the same").count() == 0
    check_axe(page)
    page.goto("/bob/withheld/blob/main/fine.json")
    assert page.locator("table.source").count() == 1
    context.request.post("/api/login", data={"username": "bob", "password": PASSWORD}, headers={"Origin": strict.url})
    page.goto("/bob/withheld/blob/main/weights/bad.pkl")
    with page.expect_download() as download:
        page.get_by_role("link", name="download it all the same").click()
    with open(download.value.path(), "rb") as file:
        assert file.read() == PICKLE
    context.close()
