"""`git clone` against `git http-backend` behind nginx, on the same bare repository."""
import os
import shutil
import subprocess
import time

from harness import Hub, interleave, ratios, save, temp_folder
from peers.nginx import Nginx
from scenarios.commits import lines


def main():
    with temp_folder() as folder:
        static = folder / "static"
        (static / "git").mkdir(parents=True)
        with Hub(folder / "data") as hub:
            hub.create_repo("clone")
            for part in range(20):
                # Text that compresses like text: 500 files of about 8 KB in each of 20 commits.
                files = {f"p{part:02d}/f{i:04d}.txt": "".join(f"line {j} of {i * j % 977} in part {part}\n" for j in range(300)) for i in range(500)}
                hub.commit("clone", lines(files, f"part {part}"))
            bare = next((folder / "data/git").glob("*/*.git"))
            shutil.copytree(bare, static / "git/clone.git")
            with Nginx(folder / "nginx", static) as nginx:
                def clone(url):
                    target = folder / "out"
                    shutil.rmtree(target, ignore_errors=True)
                    env = dict(os.environ, GIT_TERMINAL_PROMPT="0", GIT_CONFIG_GLOBAL="/dev/null")
                    start = time.perf_counter()
                    subprocess.run(["git", "clone", "-q", "--no-checkout", url, target], check=True, env=env)
                    return time.perf_counter() - start

                times = interleave(7, hearth=lambda: clone(hub.base + "/bench/clone"), backend=lambda: clone(nginx.base + "/git/clone.git"))
    speed = ratios(times["backend"], times["hearth"])
    save("clone", [{"what": "git clone of 10,000 files, rate against git http-backend behind nginx", "goal": ">= 0.9 x", "unit": "x",
                    "value": speed["median"], "spread": speed}], times)


if __name__ == "__main__":
    main()
