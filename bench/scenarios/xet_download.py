"""1 GB through the stock Xet client: CPU of the server, and the client's time against reading its own `local://` store."""
from harness import TOKEN, Hub, apart, memory_folder, ratios, save, spread, wait_for_quiet
from xet import KINDS, ROUNDS, SIZE, Client, make_data, per_gb, row, token_route, upload


def timed_download(client, folder, what, **source):
    target = folder / "out.bin"
    got = client.act("download", xet_hash=what["xet_hash"], size=what["size"], target=target, **source)
    if target.stat().st_size != SIZE:
        raise RuntimeError("a download is short")
    target.unlink()
    return got["seconds"]


def one_round(hub, folder, what, cores):
    client = Client(folder, cores)
    load = wait_for_quiet()
    before = hub.cpu_seconds()
    seconds = timed_download(client, folder, what, route=token_route(hub, "down", "read"), token=TOKEN)
    result = {"load": load, "hearth": seconds, "server_cpu": hub.cpu_seconds() - before}
    client.new_machine()
    return result | {"local": timed_download(client, folder, what, endpoint=f"local://{folder}/store")}


def main():
    rows, detail = [], {}
    client_cores, server_cores = apart()
    for kind in KINDS:
        with memory_folder(large_folios=True) as folder, Hub(folder / "data", server_cores) as hub:
            hub.create_repo("down")
            file = make_data(kind, folder)
            what = upload(hub, Client(folder), "down", "model.bin", file)
            Client(folder).act("upload", file=file, endpoint=f"local://{folder}/store")
            file.unlink()
            one_round(hub, folder, what, client_cores)  # warm-up
            split, shared = [], []
            for _ in range(ROUNDS):
                split.append(one_round(hub, folder, what, client_cores))
                shared.append(one_round(hub, folder, what, None))
            whole = []
            for _ in range(ROUNDS):
                whole.append(Client(folder).act("hub_download", hub, repo="bench/down", path="model.bin", folder=folder / "whole",
                                                token=TOKEN)["seconds"])
                (folder / "whole/model.bin").unlink()
        detail[kind] = {"apart": split, "shared": shared, "hf_hub_download": whole}
        cpu = [per_gb(each["server_cpu"]) for each in split + shared]
        rows.append(row(f"{kind}: server CPU per downloaded GB", "<= 0.15 s", "s", spread(cpu)))
        for name, runs in (("a core each", split), ("client on all cores", shared)):
            ratio = ratios([each["hearth"] for each in runs], [each["local"] for each in runs])
            rows.append(row(f"{kind}: download time against the client's own local store, {name}",
                            "<= 1.1 x" if runs is split else "reported", "x", ratio))
        rows.append(row(f"{kind}: hf_hub_download of 1 GB", "reported", "s", spread(whole)))
    save("xet_download", rows, {"bytes": SIZE, **detail})


if __name__ == "__main__":
    main()
