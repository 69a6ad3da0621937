"""A Xet server that takes everything and keeps nothing (xet_sink.cc): what is left is the client's own work."""
import subprocess

from harness import ROOT, compiled, free_port, on_cores, wait_until_answers


class XetSink:
    def __init__(self, cores=None):
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.cores = cores

    def __enter__(self):
        tool = compiled(ROOT / "bench/peers/xet_sink.cc")
        self.process = subprocess.Popen(on_cores(self.cores, [tool, str(self.port)]))
        wait_until_answers(self.base + "/")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
