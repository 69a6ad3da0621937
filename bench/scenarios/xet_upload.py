"""1 GB through the stock Xet client: CPU of the server for an upload that it checks fully, and the client's time against its own work.

The client alone is `hash_files` (cut and hash the file) and the same upload into a sink that keeps nothing. Client and server
get half of the cores each, as if on machines of their own; a second ratio lets them share all cores.
"""
import shutil

from harness import TOKEN, Hub, apart, memory_folder, ratios, save, spread, wait_for_quiet, warm_memory
from peers.xet_sink import XetSink
from xet import KINDS, ROUNDS, SIZE, Client, make_data, per_gb, row, token_route, upload

# The stored xorbs, and the client's copies on their way.
WARM_BYTES = 2 * SIZE


def one_round(folder, file, client_cores, server_cores):
    """Seconds and server CPU of the three, one after the other."""
    client = Client(folder, client_cores)
    result = {"load": wait_for_quiet(), "hash": client.act("hash_files", file=file)["seconds"]}
    with XetSink(server_cores) as sink:
        sent = client.act("upload", file=file, route=token_route(sink, "up", "write"), token=TOKEN)
    result |= {"sink": sent["seconds"], "sink_client_cpu": sent["cpu_seconds"]}
    client.new_machine()
    data = folder / "data"
    with Hub(data, server_cores) as hub:
        hub.create_repo("up")
        warm_memory(WARM_BYTES, folder)
        before = hub.cpu_seconds()
        sent = upload(hub, client, "up", "model.bin", file)
        result |= {"hearth": sent["seconds"], "client_cpu": sent["cpu_seconds"], "server_cpu": hub.cpu_seconds() - before}
    shutil.rmtree(data)
    return result


def whole_client(folder, file):
    """`upload_file` of huggingface_hub, which also computes the SHA-256 before it starts."""
    data = folder / "data"
    with Hub(data) as hub:
        hub.create_repo("up")
        warm_memory(WARM_BYTES, folder)
        before = hub.cpu_seconds()
        client = Client(folder)
        seconds = client.act("hub_upload", hub, file=file, repo="bench/up", path="model.bin", token=TOKEN)["seconds"]
        result = {"seconds": seconds, "server_cpu": hub.cpu_seconds() - before}
    shutil.rmtree(data)
    return result


def main():
    rows, detail = [], {}
    client_cores, server_cores = apart()
    for kind in KINDS:
        with memory_folder(large_folios=True) as folder:
            file = make_data(kind, folder)
            one_round(folder, file, client_cores, server_cores)  # warm-up
            split, shared = [], []
            for _ in range(ROUNDS):
                split.append(one_round(folder, file, client_cores, server_cores))
                shared.append(one_round(folder, file, None, None))
            whole = [whole_client(folder, file) for _ in range(ROUNDS)]
        detail[kind] = {"apart": split, "shared": shared, "upload_file": whole}
        cpu = [per_gb(each["server_cpu"]) for each in split + shared]
        rows.append(row(f"{kind}: server CPU per uploaded GB, fully verified", "<= 1.3 s", "s", spread(cpu)))
        for name, runs in (("a core each", split), ("all cores shared", shared)):
            ratio = ratios([each["hearth"] for each in runs], [max(each["hash"], each["sink"]) for each in runs])
            rows.append(row(f"{kind}: upload time against the client's own work, {name}",
                            "<= 1.1 x" if runs is split else "reported", "x", ratio))
        rows.append(row(f"{kind}: upload_file of 1 GB", "reported", "s", spread([each["seconds"] for each in whole])))
    save("xet_upload", rows, {"bytes": SIZE, **detail})


if __name__ == "__main__":
    main()
