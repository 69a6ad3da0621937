"""A file of 1 GB with 1 MB replaced in its middle, uploaded again: by Xet and by git-lfs. Bytes on the wire, bytes on disk, seconds.

Runs in a network namespace of its own, whose loopback counters see every byte between client and hub, protocol included.
"""
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import time

from harness import TOKEN, Hub, memory_folder, ratios, save, spread, wait_for_quiet
from xet import KINDS, ROUNDS, SIZE, Client, make_data, row

EDIT_BYTES = 1_000_000


def raise_loopback():
    get_flags, set_flags, up = 0x8913, 0x8914, 1
    with socket.socket() as sock:
        flags = struct.unpack("16sH14x", fcntl.ioctl(sock, get_flags, struct.pack("16sH14x", b"lo", 0)))[1]
        fcntl.ioctl(sock, set_flags, struct.pack("16sH14x", b"lo", flags | up))


def wire_bytes():
    line = next(line for line in open("/proc/net/dev") if line.strip().startswith("lo:"))
    return int(line.split()[1])


def disk_bytes(folder):
    return sum(file.lstat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


def edit(file):
    with open(file, "r+b") as out:
        out.seek(SIZE // 2)
        out.write(os.urandom(EDIT_BYTES))


def measured(hub, action):
    load, wire, disk, cpu, start = wait_for_quiet(), wire_bytes(), disk_bytes(hub.folder), hub.cpu_seconds(), time.perf_counter()
    action()
    return {"load": load, "seconds": time.perf_counter() - start, "wire": wire_bytes() - wire, "disk": disk_bytes(hub.folder) - disk,
            "server_cpu": hub.cpu_seconds() - cpu}


def by_xet(folder, file, same_machine):
    with Hub(folder / "data") as hub:
        hub.create_repo("edit")
        client = Client(folder)

        def push():
            client.act("hub_upload", hub, file=file, repo="bench/edit", path="model.bin", token=TOKEN)

        first = measured(hub, push)
        edit(file)
        if not same_machine:
            client.new_machine()
        return {"first": first, "again": measured(hub, push)}


def by_git_lfs(folder, file):
    work = folder / "work"
    env = dict(os.environ, GIT_CONFIG_GLOBAL=str(folder / "gitconfig"), GIT_CONFIG_NOSYSTEM="1", GIT_TERMINAL_PROMPT="0")
    for part in ("NAME", "EMAIL"):
        env |= {f"GIT_AUTHOR_{part}": "b@b", f"GIT_COMMITTER_{part}": "b@b"}

    def git(*arguments):
        done = subprocess.run(["git", *arguments], env=env, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"git {arguments}: {done.stderr}")

    with Hub(folder / "data") as hub:
        hub.create_repo("edit")
        git("lfs", "install")
        git("clone", "-q", hub.base.replace("://", f"://bench:{TOKEN}@") + "/bench/edit", str(work))
        git("-C", str(work), "lfs", "track", "*.bin")
        os.link(file, work / "model.bin")

        def push():
            git("-C", str(work), "add", ".")
            git("-C", str(work), "commit", "-q", "-m", "model")
            git("-C", str(work), "push", "-q", "origin", "HEAD")
            shutil.rmtree(work / ".git/lfs/objects", ignore_errors=True)

        first = measured(hub, push)
        edit(file)
        return {"first": first, "again": measured(hub, push)}


def one_round(kind, seed, act):
    with memory_folder() as folder:
        return act(folder, make_data(kind, folder, seed))


def main():
    if "HEARTH_BENCH_NAMESPACE" not in os.environ:
        own = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
        os.execvpe(own[0], [*own, sys.executable, "-m", "scenarios.xet_edit"], dict(os.environ, HEARTH_BENCH_NAMESPACE="1"))
    raise_loopback()
    rows, detail = [], {}
    for kind in KINDS:
        runs = {"xet": [], "elsewhere": [], "lfs": []}
        for seed in range(ROUNDS):
            runs["xet"].append(one_round(kind, seed, lambda folder, file: by_xet(folder, file, True)))
            runs["elsewhere"].append(one_round(kind, seed, lambda folder, file: by_xet(folder, file, False)))
            runs["lfs"].append(one_round(kind, seed, by_git_lfs))
        detail[kind] = runs

        def again(name, key, scale=1.0):
            return [each["again"][key] / scale for each in runs[name]]

        for name, who in (("xet", "Xet, same machine"), ("elsewhere", "Xet, a machine with empty caches"), ("lfs", "git-lfs")):
            goal = "reported" if name == "lfs" else "< 3 MB"
            rows.append(row(f"{kind}: bytes on the wire, {who}", goal, "MB", spread(again(name, "wire", 1e6))))
            rows.append(row(f"{kind}: bytes on disk, {who}", goal, "MB", spread(again(name, "disk", 1e6))))
            rows.append(row(f"{kind}: seconds, {who}", "reported", "s", spread(again(name, "seconds"))))
        rows.append(row(f"{kind}: time against git-lfs", "reported", "x", ratios(again("xet", "seconds"), again("lfs", "seconds"))))
    save("xet_edit", rows, {"bytes": SIZE, **detail})


if __name__ == "__main__":
    main()
