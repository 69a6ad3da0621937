"""Where options come from, and what they do."""
import json
import re
import subprocess

import pytest

from conftest import clean_environment
from harness.hub import ADMIN_TOKEN, BINARY

BEARER = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
ANY_PORT = ("--listen", "127.0.0.1:0")


def create(ask, where, name, headers=(), **more):
    status, _, text = ask(where, "/api/repos/create", "POST", {**BEARER, "Content-Type": "application/json",
                                                              **dict(headers)}, json.dumps({"name": name}), **more)
    assert status == 200, text
    return json.loads(text)["url"]


def test_every_option_has_its_environment_variable():
    text = subprocess.run([str(BINARY), "serve", "--help"], capture_output=True, text=True, check=True,
                          env=clean_environment()).stdout
    options = re.findall(r"^\s+(?:-\w,)?--([\w-]+)(.*)$", text, re.M)
    assert len(options) > 10
    for name, rest in options:
        if name != "help":
            assert f"(Env:HEARTH_{name.upper().replace('-', '_')})" in rest, name


def test_options_from_the_environment(serve, ask, folder):
    hub = serve(HEARTH_DATA="elsewhere", HEARTH_LISTEN=f"127.0.0.1:0,unix:{folder}/hub.sock",
                HEARTH_BASE_URL="https://hub.example", HEARTH_LOG_FILE="hub.log", HEARTH_LOG_FORMAT="json",
                HEARTH_IO_THREADS="1", HEARTH_WORKER_THREADS="2", HEARTH_DRAIN_SECONDS="3", HEARTH_ALLOW_SIGN_UP="true")
    where = hub.address()
    assert create(ask, where, "one") == "https://hub.example/alice/one"
    assert (folder / "elsewhere" / "hearth.db").exists() and not (folder / "data").exists()
    assert ask(f"{folder}/hub.sock", "/healthz")[0] == 200
    hub.stop()
    assert all(json.loads(line) for line in (folder / "hub.log").read_text().splitlines())


def test_a_config_file_gives_any_option(serve, ask, folder):
    (folder / "hub.yaml").write_text("data: kept\n"
                                     "listen: [127.0.0.1:0, 'unix:./hub.sock']\n"
                                     "base-url: https://file.example\n"
                                     "access-log: false\n"
                                     "drain-seconds: 5\n")
    hub = serve("--config", "hub.yaml")
    where = hub.address()
    assert hub.address().endswith("hub.sock")
    assert create(ask, where, "one") == "https://file.example/alice/one"
    assert (folder / "kept" / "hearth.db").exists()
    hub.stop()
    assert "/api/repos/create" not in hub.log.read_text()


def test_the_command_line_goes_before_the_environment_and_that_before_the_file(serve, ask, folder):
    (folder / "hub.yaml").write_text("base-url: https://file.example\ndata: from-file\n")
    hub = serve("--data", "from-line", *ANY_PORT, HEARTH_CONFIG="hub.yaml", HEARTH_DATA="from-environment",
                HEARTH_BASE_URL="https://environment.example")
    assert create(ask, hub.address(), "one") == "https://environment.example/alice/one"
    assert [path.name for path in folder.glob("from-*")] == ["from-line"]
    hub.stop()


@pytest.mark.parametrize("text, word", [
    ("lisen: 127.0.0.1:0\n", "lisen"),
    ("- data\n", "map"),
    ("data: [\n", "YAML"),
    ("io-threads: many\n", "io-threads"),
])
def test_a_config_file_with_a_mistake_is_named(refuse, folder, text, word):
    (folder / "hub.yaml").write_text(text)
    assert word in refuse("--config", "hub.yaml", *ANY_PORT)
    assert not (folder / "data").exists()


@pytest.mark.parametrize("arguments, word", [
    (("--config", "absent.yaml"), "absent.yaml"),
    (("--listen", "nowhere"), "nowhere"),
    (("--log-level", "loud"), "loud"),
    (("--trusted-proxy", "10.0.0.0/64", *ANY_PORT), "10.0.0.0/64"),
    (("--tls-certificate", "absent.pem", "--tls-key", "absent.pem", *ANY_PORT), "absent.pem"),
    (("--no-such-option",), "no-such-option"),
])
def test_an_option_that_cannot_be_is_named(refuse, arguments, word):
    assert word in refuse(*arguments)


def test_two_servers_on_one_folder_or_one_port(serve, refuse):
    hub = serve(*ANY_PORT)
    where = hub.address()
    assert "data" in refuse(*ANY_PORT)
    assert where.split(":")[1] in refuse("--data", "other", "--listen", where)
    hub.stop()


def test_the_first_administrator_is_made_up_and_shown_once(serve, ask, folder):
    hub = serve(*ANY_PORT, admin=False)
    where = hub.address()
    hub.wait_for("export HF_TOKEN")
    printed = "\n".join(hub.lines)
    token = re.search(r"^  token     (hf_\w{20,})$", printed, re.M).group(1)
    assert re.search(r"^  user      admin$", printed, re.M) and re.search(r"^  password  \w{16,}$", printed, re.M)
    assert f"export HF_ENDPOINT=http://{where}" in printed and f"export HF_TOKEN={token}" in printed
    status, _, text = ask(where, "/api/whoami-v2", headers={"Authorization": f"Bearer {token}"})
    assert status == 200 and json.loads(text)["name"] == "admin"
    hub.stop()
    assert token not in hub.log.read_text()
    again = serve(*ANY_PORT, admin=False)
    where = again.address()
    assert ask(where, "/api/whoami-v2", headers={"Authorization": f"Bearer {token}"})[0] == 200
    assert "password" not in again.stop()


def test_a_unix_socket(serve, ask, folder):
    path = folder / "hub.sock"
    hub = serve("--listen", f"unix:{path}")
    hub.address()
    assert ask(path, "/healthz")[0] == 200
    assert create(ask, path, "one", {"Host": "hub.example"}) == "http://hub.example/alice/one"
    hub.stop()
    again = serve("--listen", f"unix:{path}")  # what the last one left does not stand in the way
    again.address()
    assert ask(path, "/readyz")[0] == 200
    again.stop()


def test_tls(serve, ask, certificate):
    cert, key = certificate
    hub = serve(*ANY_PORT, "--tls-certificate", cert, "--tls-key", key)
    line = hub.wait_for("listening on ")
    assert "https://127.0.0.1:" in line
    where = line.split("://")[-1].strip()
    url = create(ask, where, "one", certificate=cert)
    assert url == f"https://{where}/alice/one"
    big = "x" * 300_000
    status, _, text = ask(where, "/api/validate-yaml", "POST", {"Content-Type": "application/json"},
                          json.dumps({"content": big, "repoType": "model"}), certificate=cert)
    assert status == 200, text
    hub.stop()


@pytest.mark.parametrize("header, value", [
    ("Forwarded", "for=203.0.113.9;proto=https;host=hub.example"),
    ("X-Forwarded", None),
])
def test_forwarded_headers_count_only_from_trusted_proxies(serve, ask, header, value):
    sent = {header: value} if value else {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https",
                                          "X-Forwarded-Host": "hub.example"}
    hub = serve(*ANY_PORT, "--trusted-proxy", "127.0.0.0/8")
    where = hub.address()
    create(ask, where, "one")
    assert create(ask, where, "two", sent) == "https://hub.example/alice/two"
    _, headers, _ = ask(where, "/api/models?limit=1", headers=sent)
    assert headers["Link"].startswith("<https://hub.example/api/models?limit=1&cursor=")
    hub.stop()
    assert 'peer="203.0.113.9"' in hub.log.read_text()
    plain = serve(*ANY_PORT)
    where = plain.address()
    _, headers, _ = ask(where, "/api/models?limit=1", headers=sent)
    assert headers["Link"].startswith(f"<http://{where}/api/models")
    plain.stop()
