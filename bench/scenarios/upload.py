"""Upload of a 1 GB LFS file against `sha256sum` + `cp` + `fsync` of it."""
import hashlib
import os
import subprocess
import time

from harness import Hub, interleave, ratios, save, temp_folder

SIZE = 1 << 30


def main():
    with temp_folder() as folder, Hub(folder / "data") as hub:
        hub.create_repo("up")
        number = 0
        base = os.urandom(1 << 20)

        def fresh():
            """A new file each time: content that the hub knows needs no upload."""
            nonlocal number
            number += 1
            file = folder / "file.bin"
            digest = hashlib.sha256()
            with open(file, "wb") as out:
                for i in range(SIZE >> 20):
                    block = number.to_bytes(8, "big") + i.to_bytes(8, "big") + base[16:]
                    digest.update(block)
                    out.write(block)
                out.flush()
                os.fsync(out.fileno())
            return file, digest.hexdigest()

        def hearth():
            file, digest = fresh()
            start = time.perf_counter()
            hub.upload_lfs("up", file, digest, SIZE)
            return time.perf_counter() - start

        def plain():
            file, _ = fresh()
            start = time.perf_counter()
            subprocess.run(["sha256sum", file], check=True, stdout=subprocess.DEVNULL)
            subprocess.run(["cp", file, folder / "copy.bin"], check=True)
            subprocess.run(["sync", folder / "copy.bin"], check=True)
            seconds = time.perf_counter() - start
            (folder / "copy.bin").unlink()
            return seconds

        times = interleave(5, hearth=hearth, plain=plain)
    speed = ratios(times["plain"], times["hearth"])
    save("upload", [{"what": "1 GB LFS upload, rate against sha256sum + cp + fsync", "goal": ">= 0.8 x", "unit": "x",
                     "value": speed["median"], "spread": speed}], times)


if __name__ == "__main__":
    main()
