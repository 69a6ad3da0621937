"""llama.cpp's peak of memory: llama_memory.cc, built against the library that llama_cpp.py finds or makes."""
import pathlib
import subprocess

import llama_cpp

ROOT = pathlib.Path(__file__).resolve().parents[2]


def driver():
    source = ROOT / "bench/peers/llama_memory.cc"
    target = ROOT / "build/bench/llama_memory"
    if target.exists() and target.stat().st_mtime > source.stat().st_mtime:
        return target
    llama, build = llama_cpp.build_library()
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["g++", "-O2", "-std=c++17", f"-I{llama}/include", f"-I{llama}/ggml/include", source, "-o", target,
                    *[build / name for name in llama_cpp.LIBRARIES], "-fopenmp", "-lpthread", "-ldl"], check=True)
    return target
