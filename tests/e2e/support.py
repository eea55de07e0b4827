"""What the end-to-end tests share: running the real binaries, checking results, registering tests."""
import contextlib
import json
import mmap
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples"
# How many times slower than usual what is tested may be: every time that a test allows is multiplied by it.
SLOWNESS = float(os.environ.get("SGL_TEST_SLOWNESS", "1"))
# A program of forks one after another, so that it takes long and never fills the context.
LONG = """program main(rounds: int = 9000) -> int {
  limits { tokens: 900_000 }
  let sizes = parallel for i in range(rounds) up to 1 {
    "Once upon a time there was"
    gen line: string with temperature = 1, seed = i, max_tokens = 40
    yield len(line)
  }
  return len(sizes)
}
"""
TESTS = {}  # name -> function


class Skip(Exception):
    """The machine lacks what the test needs."""


class Setup:
    """Where the binaries are; filled by run.py."""
    bin = pathlib.Path("build/bin")


def test(name):
    def register(function):
        TESTS[name] = function
        return function
    return register


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def equal(found, expected, what):
    if found != expected:
        raise AssertionError(f"{what}: found {found!r}, expected {expected!r}")


def patient(seconds):
    """A time that a test allows, on this machine with this build."""
    return seconds * SLOWNESS


def eventually(condition, seconds=10):
    """Waits until `condition` gives something true; what it gave at last."""
    deadline = time.monotonic() + patient(seconds)
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return value


def sanitized():
    """The binaries are instrumented, so that their memory tells nothing about the product's."""
    with open(Setup.bin / "sgl", "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(b"__asan_init") >= 0 or data.find(b"__tsan_init") >= 0


def bundled_model():
    """The model that ships with the project."""
    folder = ROOT / "models" / "default"
    if not (folder / "config.json").exists():
        raise Skip("models/default is not here")
    return str(folder)


def model():
    """The model of the tests that would do with any: SGL_TEST_MODEL, else the bundled one."""
    folder = os.environ.get("SGL_TEST_MODEL")
    if not folder:
        return bundled_model()
    if not pathlib.Path(folder, "config.json").exists():
        raise Skip(f"SGL_TEST_MODEL={folder} is no model")
    return folder


def command(tool, *arguments):
    """`tool`: a name in the folder of the binaries, or a path."""
    return [str(Setup.bin / tool), *map(str, arguments)]


def environment(extra=None):
    # The tests say what they use; what the caller has set must not change them.
    env = {k: v for k, v in os.environ.items() if k not in ("SGL_MODEL", "NO_COLOR")}
    env.update(extra or {})
    return env


class Result:
    def __init__(self, done):
        self.code = done.returncode
        self.out = done.stdout.decode("utf-8", "replace")
        self.err = done.stderr.decode("utf-8", "replace")

    def __repr__(self):
        return f"exit {self.code}\nstdout: {self.out[:2000]}\nstderr: {self.err[:2000]}"


def run(tool, *arguments, stdin=b"", timeout=120, env=None, cwd=ROOT):
    done = subprocess.run(command(tool, *arguments), input=stdin, capture_output=True, timeout=patient(timeout), cwd=cwd,
                          env=environment(env), check=False)
    return Result(done)


def ok(tool, *arguments, **options):
    result = run(tool, *arguments, **options)
    check(result.code == 0, f"{tool} {' '.join(map(str, arguments))}: {result!r}")
    return result


def fails(code, pattern, tool, *arguments, **options):
    """The command exits with `code` and says something that matches `pattern` on standard error."""
    result = run(tool, *arguments, **options)
    what = f"{tool} {' '.join(map(str, arguments))}"
    check(result.code == code, f"{what}: expected exit code {code}: {result!r}")
    check(re.search(pattern, result.err), f"{what}: expected a message with {pattern!r}: {result!r}")
    return result


def one_sentence(result):
    lines = result.err.strip().split("\n")
    check(len(lines) == 1, f"expected one sentence on standard error: {result!r}")


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory() as path:
        yield pathlib.Path(path)


@contextlib.contextmanager
def relocated(*layouts):
    """A folder with a copy of sgl as build/bin/sgl, and the bundled model as each of `layouts`; gives both."""
    with folder() as path:
        (path / "build" / "bin").mkdir(parents=True)
        program = path / "build" / "bin" / "sgl"
        try:
            os.link(Setup.bin / "sgl", program)
        except OSError:  # another file system
            shutil.copy2(Setup.bin / "sgl", program)
        for layout in layouts:
            (path / layout).parent.mkdir(parents=True, exist_ok=True)
            (path / layout).symlink_to(bundled_model())
        yield path, program


def takes(process, number):
    """Waits until the process has a handler for the signal. False: it ended before."""
    while process.poll() is None:
        try:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            return False
        caught = re.search(r"^SigCgt:\s*([0-9a-f]+)$", status, re.M)
        if caught and int(caught[1], 16) >> (number - 1) & 1:
            return True
        time.sleep(0.001)
    return False


def example_names():
    return sorted(path.stem for path in EXAMPLES.glob("*.sgl"))


def example_arguments(name):
    return EXAMPLES / "inputs" / f"{name}.json"


def schema_of(path):
    """Program schemas by name."""
    return {s["program"]: s for s in json.loads(ok("sglc", "compile", path, "--emit=schema").out)}


TYPES = {
    "null": lambda v: v is None,
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "string": lambda v: isinstance(v, str),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}


def schema_fault(schema, value, root=None, path="result"):
    """Why `value` is not what `schema` says, or None. The part of JSON Schema that sglc writes."""
    root = schema if "$id" in schema else root or schema  # references go out from the nearest identifier
    if "$ref" in schema:
        return schema_fault(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], value, root, path)
    if "anyOf" in schema:
        faults = [schema_fault(s, value, root, path) for s in schema["anyOf"]]
        return None if None in faults else f"{path}: no alternative fits: {faults}"
    if "const" in schema and value != schema["const"]:
        return f"{path}: {value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{path}: {value!r} is not one of {schema['enum']}"
    kind = schema.get("type")
    if kind and not TYPES[kind](value):
        return f"{path}: {value!r} is no {kind}"
    bounds = (("minimum", lambda b: value >= b), ("maximum", lambda b: value <= b),
              ("minLength", lambda b: len(value) >= b), ("maxLength", lambda b: len(value) <= b),
              ("minItems", lambda b: len(value) >= b), ("maxItems", lambda b: len(value) <= b))
    for key, holds in bounds:
        if key in schema and not holds(schema[key]):
            return f"{path}: {value!r} breaks {key} {schema[key]}"
    if kind == "array":
        faults = [schema_fault(schema["items"], v, root, f"{path}[{i}]") for i, v in enumerate(value)]
        return next((f for f in faults if f), None)
    if kind == "object":
        return object_fault(schema, value, root, path)
    return None


def object_fault(schema, value, root, path):
    known = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            return f"{path}: field {name!r} is missing"
    for name, item in value.items():
        if name not in known:
            return f"{path}: field {name!r} is not in the schema"
        fault = schema_fault(known[name], item, root, f"{path}.{name}")
        if fault:
            return fault
    return None
