"""Download of a 1 GB LFS file against nginx serving the same file, with 1 and 16 connections; memory under slow readers."""
import hashlib
import os
import socket
import subprocess
import time

from harness import TOKEN, Hub, interleave, ratios, save, temp_folder
from peers.nginx import Nginx

SIZE = 1 << 30


def fetch(url, connections):
    """Seconds until `connections` parallel readers have the whole file (16: a sixteenth of the bytes each, by range)."""
    start = time.perf_counter()
    part = SIZE // connections
    readers = [subprocess.Popen(["curl", "-sSf", "-o", "/dev/null", "-H", "Authorization: Bearer " + TOKEN,
                                 "-r", f"{i * part}-{(i + 1) * part - 1}", url]) for i in range(connections)]
    for reader in readers:
        if reader.wait() != 0:
            raise RuntimeError("curl failed for " + url)
    return time.perf_counter() - start


def slow_readers(hub, path, count=1000):
    """Resident memory growth in MB while `count` clients have asked for the file and read almost nothing."""
    before = hub.rss_bytes()
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{hub.port}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    sockets = []
    try:
        for _ in range(count):
            sock = socket.create_connection(("127.0.0.1", hub.port))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall(request)
            sockets.append(sock)
        for sock in sockets:
            sock.recv(100)
        return (hub.rss_bytes() - before) / 1e6
    finally:
        for sock in sockets:
            sock.close()


def main():
    with temp_folder() as folder:
        static = folder / "static"
        static.mkdir()
        file = static / "big.bin"
        digest = hashlib.sha256()
        with open(file, "wb") as out:
            for _ in range(SIZE >> 20):
                block = os.urandom(1 << 20)
                digest.update(block)
                out.write(block)
        with Hub(folder / "data") as hub, Nginx(folder / "nginx", static) as nginx:
            hub.create_repo("big")
            hub.upload_lfs("big", file, digest.hexdigest(), SIZE)
            hub.commit("big", [{"key": "header", "value": {"summary": "big"}},
                               {"key": "lfsFile", "value": {"path": "big.bin", "algo": "sha256", "oid": digest.hexdigest(), "size": SIZE}}])
            path = "/bench/big/resolve/main/big.bin"
            rows, detail = [], {}
            for connections in (1, 16):
                times = interleave(7, hearth=lambda: fetch(hub.base + path, connections),
                                   nginx=lambda: fetch(nginx.base + "/big.bin", connections))
                # A rate ratio: their time over ours.
                speed = ratios(times["nginx"], times["hearth"])
                rows.append({"what": f"1 GB download, {connections} connection(s), rate against nginx", "goal": ">= 0.95 x",
                             "unit": "x", "value": speed["median"], "spread": speed})
                detail[str(connections)] = times
            growth = slow_readers(hub, path)
            rows.append({"what": "memory growth with 1,000 slow readers", "goal": "< 60 MB", "unit": "MB", "value": growth})
    save("download", rows, detail)


if __name__ == "__main__":
    main()
