"""A file that is held as Xet chunks, read by curl through /resolve, against the same content held whole."""
import subprocess
import time

from harness import TOKEN, Hub, apart, interleave, memory_folder, on_cores, ratios, save, spread, temp_folder, wait_for_quiet
from xet import ROUNDS, SIZE, Client, commit_object, make_data, per_gb, row, upload

# Large uploads stay as they came.
KEEP_WHOLE = ["--xet-convert-after", "off"]


def fetch(hub, cores):
    """Seconds and server CPU of one read of the whole file."""
    before, start = hub.cpu_seconds(), time.perf_counter()
    subprocess.run(on_cores(cores, ["curl", "-sSf", "-o", "/dev/null", "-H", "Authorization: Bearer " + TOKEN,
                                    hub.base + "/bench/big/resolve/main/big.bin"]), check=True)
    return {"seconds": time.perf_counter() - start, "server_cpu": hub.cpu_seconds() - before}


# Where the stores lie; everything is read from the page cache.
PLACES = {"large folios": lambda: memory_folder(True), "4 KiB pages": lambda: memory_folder(False), "the disk": temp_folder}


def measure(kind, place, client_cores, server_cores):
    """Interleaved reads of the same content from two hubs: one holds it as chunks, the other whole."""
    with PLACES[place]() as folder, Hub(folder / "chunks", server_cores) as chunks, \
            Hub(folder / "whole", server_cores, KEEP_WHOLE) as whole:
        file = make_data(kind, folder)
        chunks.create_repo("big")
        uploaded = upload(chunks, Client(folder), "big", "big.bin", file)
        whole.create_repo("big")
        whole.upload_lfs("big", file, uploaded["sha256"], SIZE)
        commit_object(whole, "big", "big.bin", uploaded)
        file.unlink()
        runs = {"chunks": [], "whole": []}

        def read(name, hub):
            runs[name].append({"load": wait_for_quiet(), **fetch(hub, client_cores)})
            return runs[name][-1]["seconds"]

        times = interleave(2 * ROUNDS + 1, chunks=lambda: read("chunks", chunks), whole=lambda: read("whole", whole))
    return runs, ratios(times["whole"], times["chunks"])


def main():
    rows, detail = [], {}
    # A core each leaves a hub no second one to decode on while it sends. Small pages make reading chunks dearer.
    cases = {"a core each": ("large folios", *apart()), "all cores shared": ("large folios", None, None),
             "a core each, 4 KiB pages": ("4 KiB pages", *apart()), "a core each, the machine's disk": ("the disk", *apart())}
    for kind in ("random", "bf16"):
        for case, settings in cases.items():
            runs, ratio = measure(kind, *settings)
            detail[f"{kind}, {case}"] = runs
            rows.append(row(f"{kind}: rate of a file held as chunks against the same file held whole, {case}", ">= 0.7 x", "x", ratio))
            for name in runs:
                rows.append(row(f"{kind}: server CPU per GB, held {'as chunks' if name == 'chunks' else 'whole'}, {case}", "reported",
                                "s", spread([per_gb(each["server_cpu"]) for each in runs[name][1:]])))
    save("xet_resolve", rows, {"bytes": SIZE, **detail})


if __name__ == "__main__":
    main()
