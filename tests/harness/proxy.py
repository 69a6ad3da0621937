"""A TCP relay on loopback that loses a peer in the middle of an answer, for clients that must resume."""
import re
import socket
import threading


class StallingProxy:
    """Relays to a port; the first answer longer than `after` bytes stops there and its connection hangs.

    Every later connection is relayed whole. `ranges` collects the Range headers that clients sent.
    Use as a context manager; threads end with their sockets.
    """

    def __init__(self, port, after):
        self.port, self.after = port, after
        self.stalled = threading.Event()
        self.ranges = []
        self.sockets = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        for one in (self.listener, *self.sockets):
            try:
                one.close()
            except OSError:
                pass

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            upstream = socket.create_connection(("127.0.0.1", self.port))
            self.sockets += [client, upstream]
            threading.Thread(target=self._requests, args=(client, upstream), daemon=True).start()
            threading.Thread(target=self._answers, args=(upstream, client), daemon=True).start()

    def _requests(self, client, upstream):
        try:
            while block := client.recv(65536):
                self.ranges += re.findall(rb"(?im)^range: *(\S+)", block)
                upstream.sendall(block)
            upstream.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _answers(self, upstream, client):
        sent = 0
        try:
            while block := upstream.recv(65536):
                sent += len(block)
                if sent > self.after and not self.stalled.is_set():
                    self.stalled.set()
                    return
                client.sendall(block)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass
