"""Loads the kernels of native/: compiled once per source and processor into the build folder, called through ctypes."""

import ctypes
import hashlib
import os
import platform
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / "build" / "model-data"
FLAGS = ["-O3", "-march=native", "-ffast-math", "-mprefer-vector-width=512", "-shared", "-fPIC", "-Wno-psabi"]


def library() -> ctypes.CDLL:
    """The compiled kernels. Needs a C compiler, `cc` or the one in the variable CC."""
    sources = sorted((HERE / "native").glob("*.c"))
    source = b"".join(path.read_bytes() for path in (*sources, HERE / "native" / "bf16.h"))
    key = hashlib.sha256(source + " ".join(FLAGS).encode() + platform.processor().encode()).hexdigest()[:12]
    target = CACHE / f"kernels-{key}.so"
    if not target.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        command = [os.environ.get("CC", "cc"), *FLAGS, *map(str, sources), "-o", str(target), "-lmvec", "-lm"]
        subprocess.run(command, check=True)
    lib = ctypes.CDLL(str(target))
    lib.cross_entropy.restype = ctypes.c_double
    return lib


LIB = library()


def call(name: str, *arguments):
    """Calls a kernel; tensors become pointers to their (contiguous) data, floats C floats, ints 64-bit ints."""
    converted = []
    for a in arguments:
        if a is None:
            converted.append(ctypes.c_void_p(None))
        elif isinstance(a, float):
            converted.append(ctypes.c_float(a))
        elif isinstance(a, int):
            converted.append(ctypes.c_int64(a))
        else:
            assert a.is_contiguous(), name
            converted.append(ctypes.c_void_p(a.data_ptr()))
    return getattr(LIB, name)(*converted)
