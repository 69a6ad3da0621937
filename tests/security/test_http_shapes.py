"""Request smuggling shapes, malformed requests and header floods on raw sockets."""
import re
import socket
import threading
import time

import pytest

from harness.wire import Wire


def statuses(received):
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def send(wire, text, **options):
    data = text if isinstance(text, bytes) else text.encode("latin-1")
    return statuses(wire.raw(data, timeout=3, **options))


SMUGGLED = "GET /healthz?smuggled HTTP/1.1\r\nHost: x\r\n\r\n"

# Each could be read as one request by one server and as two by another. The rule: refuse and close.
AMBIGUOUS = {
    "length and chunked": "POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": "POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\n12345",
    "a list of lengths": "POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nContent-Length: 0, 5\r\n\r\n",
    "a signed length": "POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n",
    "a negative length": "POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a hexadecimal length": "POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nContent-Length: 0x0\r\n\r\n",
    "a length too large for 64 bits": "POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "chunked twice": "POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked not last": "POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "an unknown coding": "POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked with a tab": "POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "space before the colon": "POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a folded header": "POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nX: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
    "a bare carriage return": "GET /healthz HTTP/1.1\r\nHost: x\rX: y\r\n\r\n",
    "a NUL in a header": "GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
    "chunked in HTTP/1.0": "POST /api/validate-yaml HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk size with a sign": "POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n0\r\n\r\n",
    "a chunk size of 17 digits": "POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n0\r\n\r\n",
    "a chunk longer than said": "POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("shape", AMBIGUOUS, ids=lambda shape: shape.replace(" ", "-"))
def test_an_ambiguous_request_is_refused_and_what_follows_is_not_served(wire, shape):
    answered = send(wire, AMBIGUOUS[shape] + SMUGGLED)
    assert answered, shape
    assert 400 <= answered[0] < 502, (shape, answered)
    assert 200 not in answered, (shape, answered)


MALFORMED = {
    "no method": " / HTTP/1.1\r\nHost: x\r\n\r\n",
    "garbage": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "A" * 200 + "\r\n\r\n",
    "no version": "GET /healthz\r\n\r\n",
    "version 3": "GET /healthz HTTP/3.0\r\nHost: x\r\n\r\n",
    "spaces in the target": "GET /health z HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host": "GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a bad header name": "GET /healthz HTTP/1.1\r\nHost: x\r\nX(: y\r\n\r\n",
    "a header without a colon": "GET /healthz HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n",
    "an unknown method": "STEAL /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "HTTP/2 preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a long request line": "GET /" + "a" * 200_000 + " HTTP/1.1\r\nHost: x\r\n\r\n",
    "a host with a path": "GET /healthz HTTP/1.1\r\nHost: a/b@c\r\n\r\n",
}


@pytest.mark.parametrize("shape", MALFORMED, ids=lambda shape: shape.replace(" ", "-"))
def test_a_malformed_request_is_a_client_error(wire, shape):
    answered = send(wire, MALFORMED[shape])
    assert len(answered) <= 1
    assert all(400 <= code < 600 and code != 500 for code in answered), (shape, answered)


def test_a_header_too_large(wire):
    answered = send(wire, "GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + "a" * 1_000_000 + "\r\n\r\n")
    assert all(code in (400, 413, 431) for code in answered), answered


def test_too_many_headers(wire):
    answered = send(wire, "GET /healthz HTTP/1.1\r\nHost: x\r\n" + "".join(f"X-{n}: y\r\n" for n in range(50_000)) + "\r\n")
    assert all(code in (400, 413, 431) for code in answered), answered


def test_headers_without_end_use_bounded_memory(wire, hub):
    before = hub.resident_bytes()
    with socket.create_connection((wire.host, wire.port), timeout=10) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        try:
            for number in range(2000):
                connection.sendall(b"X-Flood-%d: " % number + b"y" * 10_000 + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert hub.resident_bytes() - before < 50 * 1024 * 1024


def test_a_long_query_and_a_long_path(wire):
    assert 400 <= wire.get("/api/models?search=" + "a" * 60_000).status < 500
    assert 400 <= wire.get("/api/models/bob/" + "a" * 20_000).status < 500


def test_slow_senders_do_not_stop_others(wire):
    """Two hundred half-sent requests are held open while an ordinary one is answered."""
    held = []
    try:
        for _ in range(200):
            connection = socket.create_connection((wire.host, wire.port), timeout=10)
            connection.sendall(b"POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
            held.append(connection)
        started = time.monotonic()
        assert wire.get("/healthz").status == 200
        assert wire.get("/api/models").status == 200
        assert time.monotonic() - started < 20
    finally:
        for connection in held:
            connection.close()


def test_pipelined_requests_are_answered_in_order(wire):
    text = "".join(f"GET {target} HTTP/1.1\r\nHost: x\r\n{extra}\r\n" for target, extra in (
        ("/healthz", ""), ("/api/no-such-route", ""), ("/healthz", "Connection: close\r\n")))
    assert send(wire, text) == [200, 404, 200]


def test_a_client_that_goes_away_early(hub, bob, repo):
    """Aborted uploads leave no file behind in the data folder's spool."""
    for _ in range(20):
        with socket.create_connection((bob.host, bob.port), timeout=10) as connection:
            connection.sendall(f"POST /api/models/{repo}/commit/main HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                               f"{bob.token}\r\nContent-Type: application/x-ndjson\r\nContent-Length: 50000000\r\n\r\n".encode()
                               + b"x" * 2_000_000)
    deadline = time.monotonic() + 15
    spool = hub.data / "tmp"

    def left():
        return [path for path in spool.rglob("*") if path.is_file()]
    while time.monotonic() < deadline and left():
        threading.Event().wait(0.05)
    assert not left()


def test_head_has_no_body(wire, bob, repo):
    for target in ("/healthz", "/api/models", f"/{repo}/resolve/main/.gitattributes", "/api/no-such-route"):
        received = wire.raw(f"HEAD {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode(), timeout=5)
        assert received.endswith(b"\r\n\r\n"), target


def test_header_values_cannot_be_injected(wire, bob, repo):
    """What a client sends must not come back as a header line of its own."""
    for target in (f"/{repo}/resolve/main/a%0d%0aX-Evil:%20yes", "/api/models?search=%0d%0aX-Evil:%20yes",
                   f"/{repo}/resolve/%0d%0aX-Evil:%20yes/a", f"/api/models/{repo}/tree/main/a%0d%0aX-Evil:%20yes"):
        answer = wire.get(target)
        assert "X-Evil" not in answer.headers, target
        assert all("\r" not in value and "\n" not in value for _, value in answer.headers.pairs)
    answer = wire.get("/healthz", {"X-Amzn-Trace-Id": "a" * 5000})
    assert len(answer.headers.get("X-Request-Id", "")) <= 300


def test_the_host_header_is_not_believed_in_links(hub, wire, bob):
    for name in ("one", "two"):
        bob.post("/api/repos/create", {"name": f"host-{name}", "organization": "bob", "type": "model"})
    for headers in ({"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}, {"X-Forwarded-Proto": "gopher"},
                    {"Forwarded": "host=evil.example;proto=https"}):
        answer = wire.get("/api/models?search=bob/host-&limit=1", headers)
        if "Host" in headers and answer.status in (400, 421):
            continue
        if "Host" not in headers:
            assert answer.headers["Link"].startswith(f"<http://{wire.host}:{wire.port}/"), (headers, answer.headers["Link"])


def test_expect_continue(wire, bob):
    received = b""
    with socket.create_connection((wire.host, wire.port), timeout=10) as connection:
        connection.sendall(b"POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 33\r\n"
                           b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
        received = connection.recv(1000)
        assert received.startswith(b"HTTP/1.1 100"), received
        connection.sendall(b'{"content":"","repoType":"model"}')
        received = b""
        while block := connection.recv(10000):
            received += block
    assert statuses(received)[-1] == 200, received


def test_a_request_after_an_error_is_its_own(wire):
    """A refused body must not be read as the next request."""
    body = "GET /healthz?smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    answered = send(wire, f"POST /api/no-such-route HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}"
                          "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answered in ([404, 200], [404]), answered


def test_connections_are_not_leaked(wire, hub):
    import os
    before = len(os.listdir(f"/proc/{hub.process.pid}/fd"))
    for _ in range(300):
        Wire(f"http://{wire.host}:{wire.port}").get("/healthz")
    deadline = time.monotonic() + 10
    while len(os.listdir(f"/proc/{hub.process.pid}/fd")) > before + 20 and time.monotonic() < deadline:
        threading.Event().wait(0.05)
    assert len(os.listdir(f"/proc/{hub.process.pid}/fd")) <= before + 20
