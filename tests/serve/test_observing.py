"""What a running hub tells its operator: access log and metrics."""
import json
import re

from harness.hub import ADMIN_TOKEN
from harness.people import eventually

BEARER = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


def test_the_access_log_is_one_json_object_per_request(serve, ask, folder):
    hub = serve("--listen", "127.0.0.1:0", "--log-format", "json", "--log-file", "hub.log")
    where = hub.address()
    _, plain, _ = ask(where, "/api/whoami-v2?secret=in-a-query", headers=BEARER)
    _, named, _ = ask(where, "/api/models/no/body", headers={"X-Amzn-Trace-Id": "trace-7", "User-Agent": 'a "b"\\ \xe9'})
    assert named["X-Request-Id"] == "trace-7"
    hub.stop()
    raw = (folder / "hub.log").read_bytes()
    rows = {row["request_id"]: row for row in map(json.loads, raw.decode("utf-8").splitlines())
            if row["message"] == "request"}
    row = rows[plain["X-Request-Id"]]
    assert (row["method"], row["path"], row["status"], row["peer"]) == ("GET", "/api/whoami-v2", 200, "127.0.0.1")
    assert row["level"] == "info" and row["bytes"] > 100 and row["ms"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row["time"])
    assert rows["trace-7"]["status"] == 401 and rows["trace-7"]["user_agent"].startswith('a "b"\\ ')
    assert ADMIN_TOKEN.encode() not in raw and b"in-a-query" not in raw


def test_metrics_are_prometheus_text(serve, ask):
    hub = serve("--listen", "127.0.0.1:0")
    where = hub.address()
    for name in ("one", "two"):
        assert ask(where, "/api/repos/create", "POST", {**BEARER, "Content-Type": "application/json"},
                   json.dumps({"name": name, "private": name == "two"}))[0] == 200
    assert ask(where, "/api/models/alice/one")[0] == 200
    assert ask(where, "/api/models/alice/none")[0] == 401
    # A request is counted when its answer is on its way, which may be after the answer's arrival.
    refused = 'hearth_http_requests_total{route="/api/models/{ns}/{name}",class="4xx"} 1\n'
    assert eventually(lambda: refused in ask(where, "/metrics")[2])
    status, headers, text = ask(where, "/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain")
    values, kinds = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in kinds
            kinds[name] = kind
        elif not line.startswith("# HELP "):
            name, value = re.fullmatch(r'([a-z_]+(?:\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})?) (\S+)', line).groups()
            assert name not in values
            values[name] = float(value)
            family = re.sub(r"_(bucket|sum|count)$", "", name.split("{")[0])
            assert name.split("{")[0] in kinds or kinds[family] == "histogram", name
    assert values['hearth_repositories{type="model"}'] == 2 and values["hearth_users"] == 1
    assert values['hearth_http_requests_total{route="/api/models/{ns}/{name}",class="2xx"}'] == 1
    assert values["hearth_http_connections_open"] >= 1 and values["process_resident_memory_bytes"] > 1 << 20
    assert 0 < values["hearth_data_disk_free_bytes"] <= values["hearth_data_disk_bytes"]
    assert "hearth_jobs_waiting" in values and values["hearth_object_bytes"] == 0
    hub.stop()
