"""What another site can make a signed-in person's browser do here: nothing."""
import http.server
import threading
import urllib.error
import urllib.request

import pytest

from harness.hub import PASSWORD


@pytest.fixture(scope="module")
def evil():
    """Another site on another origin, which serves whatever a test puts into `pages`."""
    pages = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = pages.get(self.path, "").encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}", pages
    server.shutdown()


FORMS = {
    "/settings": {"fullname": "Owned"},
    "/settings/password": {"password": PASSWORD, "new_password": "owned owned", "new_password_again": "owned owned"},
    "/settings/tokens": {"name": "stolen", "role": "write"},
    "/settings/sessions/end-others": {},
    "/new": {"type": "model", "owner": "bob", "name": "forged", "visibility": "public"},
    "/organizations/new": {"name": "forged-org"},
    "/bob/forgery/settings/delete": {"confirm": "bob/forgery"},
    "/bob/forgery/branches": {"what": "make-branch", "name": "forged"},
    "/bob/forgery/edit/main/a.txt": {"path": "a.txt", "content": "forged", "base": ""},
    "/logout": {},
}


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"])
def test_forms_of_another_site_change_nothing(hub, chromium, api, evil, path, kind):
    site, pages = evil
    api.create_repo("bob/forgery", exist_ok=True)
    context = chromium.new_context()
    assert context.request.post(hub.url + "/api/login", data={"username": "bob", "password": PASSWORD}, headers={"Origin": hub.url}).ok
    fields = "".join(f'<input name="{name}" value="{value}">' for name, value in FORMS[path].items())
    pages["/"] = f'<form method=post action="{hub.url}{path}" enctype="{kind}">{fields}</form><script>document.forms[0].submit()</script>'
    page = context.new_page()
    with page.expect_response(lambda answer: answer.url == hub.url + path) as answer:
        page.goto(site)
    # SameSite cookies do not come along at all: the hub sees a visitor (401, or the way to sign in).
    assert answer.value.status in (303, 400, 401, 403, 404) and "hearth_session" not in answer.value.request.headers.get("cookie", "")
    # And with the cookie, as from an old browser, the token is missing.
    cookie = next(each for each in context.cookies(hub.url) if each["name"] == "hearth_session")
    assert cookie["sameSite"] == "Lax" and cookie["httpOnly"]
    request = urllib.request.Request(hub.url + path, data=b"name=x", method="POST", headers={
        "Cookie": f"hearth_session={cookie['value']}", "Content-Type": kind + ("; boundary=x" if "multipart" in kind else ""), "Origin": site})
    with pytest.raises(urllib.error.HTTPError) as fault:
        urllib.request.urlopen(request, timeout=10)
    assert fault.value.code == 403
    assert context.request.get(hub.url + "/settings", max_redirects=0).ok, "the session is still there"
    context.close()


def test_another_site_signs_nobody_in(hub, chromium, tokens, evil):
    site, pages = evil
    context = chromium.new_context()
    pages["/login"] = (f'<form method=post action="{hub.url}/login"><input name=username value=mallory>'
                       f'<input name=password value="{PASSWORD}"></form><script>document.forms[0].submit()</script>')
    page = context.new_page()
    with page.expect_response(hub.url + "/login") as answer:
        page.goto(site + "/login")
    assert answer.value.status == 403
    assert not [cookie for cookie in context.cookies(hub.url) if cookie["name"] == "hearth_session"]
    context.close()


def test_no_page_of_another_site_frames_a_page_of_ours(hub, chromium, tokens, evil):
    site, pages = evil
    context = chromium.new_context()
    page = context.new_page()
    pages["/frame"] = f'<iframe src="{hub.url}/login"></iframe>'
    page.goto(site + "/frame")
    page.wait_for_load_state("networkidle")
    assert "Sign in" not in (page.frames[1].content() if len(page.frames) > 1 else "")
    context.close()


def test_signing_in_makes_a_session_of_its_own(hub, tokens, chromium):
    """A cookie that somebody has planted is not what a sign-in makes valid."""
    context = chromium.new_context(base_url=hub.url)
    context.add_cookies([{"name": "hearth_session", "value": "planted" * 6, "url": hub.url}])
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("User name").fill("bob")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator("summary", has_text="bob").wait_for()
    cookie = next(each for each in context.cookies() if each["name"] == "hearth_session")
    assert cookie["value"] != "planted" * 6 and len(cookie["value"]) == 43
    context.close()


@pytest.mark.parametrize("next", ["https://evil.example/", "//evil.example", "/\\evil.example", "/%09/evil.example", "javascript:alert(1)"])
def test_signing_in_leads_nowhere_else(hub, tokens, chromium, next):
    context = chromium.new_context(base_url=hub.url)
    answer = context.request.post("/login", form={"username": "bob", "password": PASSWORD, "next": next}, max_redirects=0, headers={"Origin": hub.url})
    assert answer.status == 303 and answer.headers["location"] in ("/", "/%09/evil.example")
    context.close()
