"""Start of an empty hub to its first 200, and its memory when idle."""
import time

from harness import Hub, save, spread, temp_folder


def main():
    starts, resident = [], []
    for _ in range(7):
        with temp_folder() as folder:
            hub = Hub(folder / "data")
            (folder / "data").mkdir()
            begin = time.perf_counter()
            hub.start()
            starts.append(time.perf_counter() - begin)
            for _ in range(50):
                hub.call("GET", "/api/models")
            resident.append(hub.rss_bytes() / 1e6)
            hub.stop()
    save("startup", [
        {"what": "start of an empty hub to its first 200", "goal": "< 0.3 s", "unit": "s", "value": spread(starts)["median"], "spread": spread(starts)},
        {"what": "resident memory when idle", "goal": "< 60 MB", "unit": "MB", "value": spread(resident)["median"], "spread": spread(resident)},
    ])


if __name__ == "__main__":
    main()
