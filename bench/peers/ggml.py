"""ggml's own quantisers as a library: built once from the sources inside the llama-cpp-python source package."""
import pathlib
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = "llama-cpp-python==0.3.36"
FLAGS = ["-O3", "-fPIC", "-DNDEBUG", "-D_GNU_SOURCE", "-DGGML_BUILD", "-DGGML_SHARED", "-w"]  # as ggml's build sets them for this part
SOURCES = ["ggml.c", "ggml-alloc.c", "ggml-quants.c", "ggml.cpp", "ggml-threading.cpp", "gguf.cpp", "ggml-backend.cpp", "ggml-backend-meta.cpp",
           "ggml-opt.cpp"]


def library():
    target = ROOT / "build/bench/libggml-base.so"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "llama-cpp-python", "--no-build-isolation",
                        "-d", work, PACKAGE], check=True)
        with tarfile.open(next(work.glob("*.tar.gz"))) as package:
            package.extractall(work, filter="data")
        ggml = next(work.glob("*/vendor/llama.cpp/ggml"))
        (work / "ggml-version.h").write_text('#define GGML_VERSION "0"\n#define GGML_COMMIT "0"\n')
        objects = []
        for name in SOURCES:
            built = work / (name + ".o")
            compiler = ["gcc", "-std=gnu11"] if name.endswith(".c") else ["g++", "-std=gnu++17"]
            subprocess.run([*compiler, *FLAGS, f"-I{work}", f"-I{ggml}/include", f"-I{ggml}/src", f"-I{ggml}/src/ggml-cpu", "-c",
                            ggml / "src" / name, "-o", built], check=True)
            objects.append(built)
        subprocess.run(["g++", "-shared", "-o", target, *objects, "-lm", "-lpthread"], check=True)
    return target
