"""Waiting for the scanner, which works behind the requests."""
import time

DEADLINE_SECONDS = 180


def until_scanned(admin):
    """Asks until nothing waits; `admin` acts as a site administrator. Returns the queue's last answer."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    queue = None
    while time.monotonic() < deadline:
        queue = admin.get("/api/hearth/scan-queue").json()
        if queue["queued"] + queue["scanning"] + queue["refsWaiting"] == 0:
            return queue
    raise AssertionError(f"scans did not end: {queue}")
