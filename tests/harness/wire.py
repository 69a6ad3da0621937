"""Requests exactly as written: raw targets, repeated headers, answers with nothing folded away."""
import http.client
import json
import socket
import urllib.parse


class Headers:
    """The answer's header lines in order; lookup ignores case."""

    def __init__(self, pairs):
        self.pairs = list(pairs)

    def all(self, name):
        return [value for key, value in self.pairs if key.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        return ", ".join(values) if values else default

    def __getitem__(self, name):
        value = self.get(name)
        if value is None:
            raise KeyError(f"{name} is missing in {self.pairs}")
        return value

    def __contains__(self, name):
        return bool(self.all(name))


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def code(self):
        return self.headers.get("X-Error-Code")

    @property
    def message(self):
        return self.headers.get("X-Error-Message")

    def __repr__(self):
        return f"<{self.status} {self.headers.pairs} {self.body[:300]!r}>"


class Wire:
    """A client of one hub acting as one person (or as nobody). A new connection for every request."""

    def __init__(self, url, token=None, timeout=60):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port, self.token, self.timeout = parts.hostname, parts.port, token, timeout

    def as_(self, token):
        return Wire(f"http://{self.host}:{self.port}", token, self.timeout)

    def request(self, method, target, body=None, headers=()):
        """target goes out as it is; headers is a mapping or a list of pairs; a dict body is sent as JSON."""
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
        names = {name.lower() for name, _ in pairs}
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            if "content-type" not in names:
                pairs.append(("Content-Type", "application/json"))
        elif isinstance(body, str):
            body = body.encode()
        if self.token and "authorization" not in names:
            pairs.append(("Authorization", f"Bearer {self.token}"))
        connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in pairs:
                connection.putheader(name, value)
            if body is not None and not ({"content-length", "transfer-encoding"} & names):
                connection.putheader("Content-Length", str(len(body)))
            elif body is None and method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", "0")
            connection.endheaders()
            if body:
                try:
                    connection.send(body)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # refused early: the answer is already on its way
            answer = connection.getresponse()
            return Answer(answer.status, Headers(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def get(self, target, headers=()):
        return self.request("GET", target, headers=headers)

    def head(self, target, headers=()):
        return self.request("HEAD", target, headers=headers)

    def post(self, target, body=None, headers=()):
        return self.request("POST", target, body, headers)

    def put(self, target, body=None, headers=()):
        return self.request("PUT", target, body, headers)

    def delete(self, target, body=None, headers=()):
        return self.request("DELETE", target, body, headers)

    def raw(self, data, timeout=10, half_close=False):
        """Sends bytes on a fresh connection and returns all that comes back until the peer closes.

        A peer that keeps the connection open is read until nothing has come for `timeout` seconds.
        """
        received = b""
        with socket.create_connection((self.host, self.port), timeout=timeout) as connection:
            try:
                connection.sendall(data)
                if half_close:
                    connection.shutdown(socket.SHUT_WR)
                while True:
                    block = connection.recv(65536)
                    if not block:
                        break
                    received += block
            except (TimeoutError, ConnectionResetError, BrokenPipeError):
                pass
        return received


def ndjson(*rows):
    """The commit body: rows are (key, value)."""
    return "\n".join(json.dumps({"key": key, "value": value}) for key, value in rows)
