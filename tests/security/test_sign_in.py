"""The sign-in page must not send people to other sites; the pages of a web session are not for tokens."""
import pytest

from harness.hub import PASSWORD


@pytest.fixture(scope="module")
def session(wire):
    answer = wire.post("/api/login", {"username": "alice", "password": PASSWORD})
    assert answer.status == 200, answer
    return {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}


@pytest.mark.parametrize("target", ["%2F%09%2Fevil.example", "%2F%0A%2Fevil.example", "%2F%0D%2Fevil.example", "%2F%2Fevil.example",
                                    "%2F%5Cevil.example", "https:%2F%2Fevil.example", "%2Fa%0D%0AX-Injected:%201"])
def test_a_sign_in_leads_to_this_site_only(wire, session, target):
    answer = wire.get(f"/login?next={target}", session)
    assert answer.status == 303
    assert answer.headers["Location"] == "/"
    assert "X-Injected" not in answer.headers


def test_a_path_of_this_site_is_kept(wire, session):
    assert wire.get("/login?next=%2Fmodels%3Fsearch%3Da", session).headers["Location"] == "/models?search=a"


def test_a_token_does_not_list_the_tokens_of_its_owner(wire, tokens):
    """The API refuses this to read tokens; the page must, too."""
    answer = wire.as_(tokens["bob-read"]).get("/settings/tokens")
    assert answer.status == 403
    assert b"hf_..." not in answer.body
