#!/usr/bin/env python3
"""Checks the house rules that a compiler does not: who may include whom, how long files are, no paths of one machine.

    run.py               checks the sources
    run.py --self-test   checks that planted violations are found

The tables below are the rules; docs/architecture.md explains them.
"""
import argparse
import pathlib
import re
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CODE_FOLDERS = ("kernels", "runtime", "compiler", "server", "tools", "tests", "bench")
CODE_ENDINGS = (".h", ".cc", ".cu", ".cuh")

# Folder -> the folders it may include besides itself and its subfolders. A path's rule is the one of its longest prefix
# here; "x" allows x and everything below it.
RUNTIME = ["runtime/base", "runtime/gguf", "runtime/plan", "runtime/tokenizer", "runtime/constraint", "runtime/model", "runtime/kv",
           "runtime/sched", "runtime/engine", "runtime/exec"]
FRONT = ["compiler/source", "compiler/diag", "compiler/ast"]
MAY_USE = {
    "kernels": ["runtime/base"],  # the thread pool
    "runtime/base": [],
    "runtime/gguf": ["runtime/base"],
    "runtime/plan": ["runtime/base"],
    "runtime/tokenizer": ["runtime/base", "runtime/gguf"],
    # plan: for the adaptors plan_types.h and plan_constraints.h, which turn a plan's types into constraints.
    "runtime/constraint": ["runtime/base", "runtime/tokenizer", "runtime/plan"],
    "runtime/model": ["runtime/base", "runtime/gguf", "kernels"],
    "runtime/kv": ["runtime/base"],
    "runtime/sched": ["runtime/base", "runtime/kv"],
    "runtime/engine": ["runtime/base", "runtime/tokenizer", "runtime/constraint", "runtime/model", "runtime/kv",
                       "runtime/sched"],
    "runtime/exec": ["runtime/base", "runtime/plan", "runtime/tokenizer", "runtime/constraint", "runtime/engine"],
    "runtime/exec/jit": ["runtime/base", "runtime/plan", "runtime/exec"],
    "compiler/source": ["runtime/base"],
    "compiler/diag": ["runtime/base", "compiler/source"],
    "compiler/ast": ["runtime/base", "runtime/plan", "compiler/source"],
    "compiler/parse": ["runtime/base", *FRONT],
    "compiler/check": ["runtime/base", "runtime/plan", "runtime/constraint", *FRONT],
    "compiler/lower": ["runtime/base", "runtime/plan", "runtime/constraint", *FRONT, "compiler/check"],
    "compiler/passes": ["runtime/base", "runtime/plan", "runtime/constraint"],
    "compiler/format": ["runtime/base", *FRONT, "compiler/parse"],
    "compiler/driver": ["runtime/base", "runtime/plan", "runtime/constraint", *FRONT, "compiler/parse", "compiler/check",
                        "compiler/lower", "compiler/passes"],
    "server": ["kernels", "compiler", *RUNTIME],
    "tools": ["kernels", "compiler", "server", *RUNTIME],
    "tests": ["kernels", "compiler", "server", "tools", *RUNTIME],
    "bench": ["kernels", "compiler", "server", "tools", "tests", *RUNTIME],
}

# Library -> how its headers begin, and the folders that may see them.
LIBRARIES = {
    "ANTLR": (r"antlr4|Sgl(Lexer|Parser)", ["compiler/parse"]),
    "LLVM": (r"llvm", ["runtime/exec/jit"]),
    "CUDA": (r"cuda|cublas|cudnn|cutlass|nccl", ["kernels/cuda"]),
    "HTTP": (r"httplib", ["server", "tools/sgl", "tests", "bench"]),
    "OpenSSL": (r"openssl/", ["server", "tools/sgl", "tests"]),
    "CLI11": (r"CLI/", ["tools"]),
    "doctest": (r"doctest", ["tests"]),
}
# The folders that build without any library but these header-only ones (the runtime-only preset).
BARE = (["kernels", "runtime"], ["runtime/exec/jit", "kernels/cuda"])
BARE_LIBRARIES = r"(fmt|nlohmann)/"
BARE_SYSTEM = {"unistd.h", "fcntl.h", "immintrin.h", "sys/auxv.h", "sys/mman.h", "sys/stat.h", "cpuid.h", "sys/syscall.h", "sched.h", "pthread.h",
               "arm_neon.h"}

MAX_LINES = 400
# Files that may be longer, each with its reason. A table or a state machine may; a mixture of concerns may not.
LONG_FILES = {
    "compiler/ast/ast.h": "one list of the kinds of nodes, which refer to each other",
    "runtime/base/unicode_tables.cc": "generated tables",
    "runtime/tokenizer/jinja/interpreter.cc": "one state machine: a case per kind of node",
    "kernels/cpu/vector_kernels.h": "one template per kernel, compiled once for each instruction set",
    "tests/unit/engine/engine_test.cc": "a list of test cases",
}

# Paths of one machine and of the people on it; a public file has no use for them.
MACHINE_PATHS = [r"(?<![\w.])/(home|Users|root|work)/\w+", r"(?<![\w.])/tmp/\w+_jobs", r"[A-Z]:\\+Users"]
TEXT_ENDINGS = CODE_ENDINGS + (".py", ".sh", ".md", ".txt", ".cmake", ".json", ".g4", ".sgl", ".yml", ".yaml", "")
SKIPPED_FOLDERS = {".git", "node_modules", ".cache", "__pycache__"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def under(path, folder):
    return path == folder or path.startswith(folder + "/")


def rule_of(path):
    """The longest prefix of `path` that has a rule, or None."""
    folders = [folder for folder in MAY_USE if under(path, folder)]
    return max(folders, key=len) if folders else None


def include_fault(path, quote, target):
    """Why the file `path` (relative) may not include `target`; None if it may."""
    for library, (pattern, folders) in LIBRARIES.items():
        if re.match(pattern, target) and not any(under(path, folder) for folder in folders):
            return f"{library} may be used only in {', '.join(folders)}"
    first = target.split("/")[0]
    if quote == '"' and first in CODE_FOLDERS:
        own = rule_of(path)
        if own is None:
            return "this folder has no rule in tests/lint/run.py"
        used = rule_of(target)
        allowed = [own, *MAY_USE[own]]
        # jit is the one subfolder that its parent's users do not get with it.
        if used == "runtime/exec/jit" and own not in ("runtime/exec/jit", "tools", "server", "tests", "bench"):
            return f"{own} may not use runtime/exec/jit"
        if not any(under(target, folder) for folder in allowed):
            return f"{own} may use only {', '.join(allowed[1:]) or 'itself'}"
    inside, outside = BARE
    if quote == "<" and any(under(path, f) for f in inside) and not any(under(path, f) for f in outside):
        standard = re.fullmatch(r"[a-z_0-9]+", target)
        if not standard and target not in BARE_SYSTEM and not re.match(BARE_LIBRARIES, target):
            return "kernels and runtime build with fmt and nlohmann_json alone (the runtime-only preset)"
    return None


def files(root):
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if path.is_symlink() or not path.is_file():
            continue
        if parts[0].startswith("build") or any(part in SKIPPED_FOLDERS for part in parts):
            continue
        yield path, "/".join(parts)


def check(root):
    faults = []
    for path, name in files(root):
        if path.suffix not in TEXT_ENDINGS or "/corpus/" in name:
            continue
        lines = path.read_bytes().decode("utf-8", "replace").split("\n")
        if not name.startswith("tests/lint/"):
            for number, line in enumerate(lines, 1):
                for pattern in MACHINE_PATHS:
                    found = re.search(pattern, line)
                    if found:
                        faults.append(f"{name}:{number}: names a path of one machine: {found.group()}")
        if path.suffix not in CODE_ENDINGS or name.split("/")[0] not in CODE_FOLDERS:
            continue
        if len(lines) - 1 > MAX_LINES and name not in LONG_FILES:
            faults.append(f"{name}: {len(lines) - 1} lines, at most {MAX_LINES}; divide it by concern, or give the "
                          "reason in LONG_FILES of tests/lint/run.py")
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            fault = include_fault(name, match.group(1), match.group(2)) if match else None
            if fault:
                faults.append(f"{name}:{number}: includes {match.group(2)}: {fault}")
    return faults


# File, content, what the fault must say (None: no fault).
PLANTED = [
    ("compiler/check/a.cc", '#include "antlr4-runtime.h"\n', "ANTLR may be used only in compiler/parse"),
    ("compiler/parse/a.cc", '#include "antlr4-runtime.h"\n#include <SglLexer.h>\n', None),
    ("runtime/exec/a.cc", "#include <llvm/IR/Module.h>\n", "LLVM may be used only in runtime/exec/jit"),
    ("runtime/exec/jit/a.cc", "#include <llvm/IR/Module.h>\n", None),
    ("kernels/cpu/a.cc", "#include <cuda_runtime.h>\n", "CUDA may be used only in kernels/cuda"),
    ("runtime/engine/a.cc", "#include <httplib.h>\n", "HTTP may be used only in server"),
    ("tools/sglc/a.cc", "#include <openssl/ssl.h>\n", "OpenSSL may be used only in server"),
    ("tools/sgl/a.cc", "#include <openssl/ssl.h>\n", None),
    ("runtime/base/a.h", '#include "runtime/plan/plan.h"\n', "runtime/base may use only itself"),
    ("runtime/kv/a.h", '# include "runtime/tokenizer/tokenizer.h"\n', "runtime/kv may use only runtime/base"),
    ("runtime/plan/a.h", '#include "compiler/ast/ast.h"\n', "runtime/plan may use only runtime/base"),
    ("compiler/parse/b.h", '#include "compiler/check/check.h"\n', "compiler/parse may use only"),
    ("compiler/check/b.h", '#include "runtime/exec/value.h"\n', "compiler/check may use only"),
    ("runtime/exec/b.h", '#include "runtime/exec/jit/jit.h"\n', "may not use runtime/exec/jit"),
    ("runtime/planner/a.h", '#include "runtime/base/ids.h"\n', "this folder has no rule"),
    ("runtime/kv/b.h", "#include <boost/any.hpp>\n", "build with fmt and nlohmann_json alone"),
    ("runtime/kv/c.h", '#include <vector>\n#include <fmt/format.h>\n#include "runtime/base/ids.h"\n', None),
    ("tools/sgl/b.cc", '#include "compiler/driver/driver.h"\n#include "runtime/exec/jit/jit.h"\n', None),
    ("runtime/sched/a.cc", "\n" * 401, "401 lines, at most 400"),
    ("runtime/sched/b.cc", "\n" * 400, None),
    ("docs/a.md", "see /home/" + "someone/notes\n", "names a path of one machine"),
    ("scripts/a.sh", "cd /wo" + "rk/area\n", "names a path of one machine"),
    ("docs/b.md", "see docs/language.md and https://example.org/work/home\n", None),
    ("build-dev/a.cc", "#include <llvm/IR/Module.h>\n", None),
]


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, content, _ in PLANTED:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content)
        faults = check(root)
    wrong = []
    for name, _, expected in PLANTED:
        found = [fault for fault in faults if fault.startswith(name + ":")]
        if expected is None and found:
            wrong.append(f"{name}: found a fault where there is none: {found[0]}")
        elif expected is not None and (len(found) != 1 or expected not in found[0]):
            wrong.append(f"{name}: expected one fault with '{expected}', found {found or 'none'}")
    for text in wrong:
        print(text)
    print(f"{len(PLANTED) - len(wrong)} of {len(PLANTED)} planted files judged rightly")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        return self_test()
    faults = check(ROOT)
    gone = [name for name in LONG_FILES if not (ROOT / name).exists()]
    faults += [f"tests/lint/run.py: LONG_FILES has {name}, which is not there" for name in gone]
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
