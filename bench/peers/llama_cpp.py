"""llama.cpp and its driver (llama_cpp.cc): built once from the sources inside the llama-cpp-python source package.

HEARTH_LLAMA_SOURCE and HEARTH_LLAMA_BUILD name sources and a build of them that are there already. HEARTH_IK_LLAMA_SOURCE and
HEARTH_IK_LLAMA_BUILD do so for ik_llama.cpp, which no package has: without them it takes no part.
"""
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = "llama-cpp-python==0.3.36"
OPTIONS = ["-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=ON", "-DBUILD_SHARED_LIBS=OFF", "-DLLAMA_CURL=OFF", "-DLLAMA_OPENSSL=OFF",
           "-DLLAMA_BUILD_SERVER=OFF", "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_EXAMPLES=OFF", "-DLLAMA_BUILD_TOOLS=OFF"]
LIBRARIES = ["src/libllama.a", "ggml/src/libggml.a", "ggml/src/libggml-cpu.a", "ggml/src/libggml-base.a"]

IK_LIBRARIES = ["src/libllama.a", "ggml/src/libggml.a"]


def build_library():
    if "HEARTH_LLAMA_BUILD" in os.environ:
        return pathlib.Path(os.environ["HEARTH_LLAMA_SOURCE"]), pathlib.Path(os.environ["HEARTH_LLAMA_BUILD"])
    folder = ROOT / "build/bench/llama"
    folder.mkdir(parents=True, exist_ok=True)
    found = list(folder.glob("*/vendor/llama.cpp"))
    if not found:
        with tempfile.TemporaryDirectory() as work:
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "llama-cpp-python",
                            "--no-build-isolation", "-d", work, PACKAGE], check=True)
            with tarfile.open(next(pathlib.Path(work).glob("*.tar.gz"))) as package:
                package.extractall(folder, filter="data")
        found = list(folder.glob("*/vendor/llama.cpp"))
    build = folder / "build"
    subprocess.run(["cmake", "-G", "Ninja", "-S", found[0], "-B", build, *OPTIONS], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", build, "llama"], check=True, stdout=subprocess.DEVNULL)
    return found[0], build


def compile_driver(target, source_folder, libraries, *flags):
    source = ROOT / "bench/peers/llama_cpp.cc"
    if target.exists() and target.stat().st_mtime > source.stat().st_mtime:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["g++", "-O2", "-std=c++17", *flags, f"-I{source_folder}/include", f"-I{source_folder}/ggml/include", source, "-o", target,
                    *libraries, "-fopenmp", "-lpthread", "-ldl"], check=True)
    return target


def driver():
    llama, build = build_library()
    return compile_driver(ROOT / "build/bench/llama_cpp", llama, [build / name for name in LIBRARIES])


def ik_driver():
    """None where ik_llama.cpp is not there."""
    if "HEARTH_IK_LLAMA_BUILD" not in os.environ:
        return None
    build = pathlib.Path(os.environ["HEARTH_IK_LLAMA_BUILD"])
    return compile_driver(ROOT / "build/bench/ik_llama_cpp", os.environ["HEARTH_IK_LLAMA_SOURCE"],
                          [build / name for name in IK_LIBRARIES], "-DHEARTH_IK_LLAMA")
