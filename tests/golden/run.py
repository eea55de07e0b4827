#!/usr/bin/env python3
"""Golden tests: source, command and expected output in one file.

    // RUN: sglc check %s
    // EXIT: 2                  (only where a failure does not exit with 1)
    ...source...
    // CHECK-OUT: what the command prints, standard output and error together

%s is the file itself. Commands run in a copy of the folder from which the expectations are cut, so what is expected
does not change line numbers. Names that start with fail_ are exactly those whose command fails. The first line says the
command; a file without one is read by a test: imported by it, directly or not, or named in its command.

    run.py --bin build/bin [filter…]            compares
    run.py --bin build/bin --update [filter…]   rewrites the expectations
    run.py --coverage                           every diagnostic kind has a golden that shows its code
    run.py --self-test                          planted files are judged rightly
"""
import argparse
import difflib
import pathlib
import posixpath
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent
MARK = "// CHECK-OUT:"


def read(path):
    # Some sources are not UTF-8 on purpose.
    return path.read_bytes().decode("utf-8", "surrogateescape")


def command_of(text):
    """What the first line says to run; "" for none."""
    run = re.match(r"// RUN: (.+)", text)
    return run.group(1).strip() if run else ""


def read_by(name, text):
    """The files that a test or module reads besides itself, by their names from the root."""
    imports = re.findall(r'^\s*import\s+"([^"\n]+)"', text, re.MULTILINE)
    return ([posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) for path in imports]
            + [posixpath.normpath(word) for word in shlex.split(command_of(text))])


def strays(texts):
    """Names of the files that are no test and that no test reads: whatever they expect is never looked at."""
    open_names = [name for name, text in texts.items() if command_of(text)]
    known = set(open_names)
    while open_names:
        name = open_names.pop()
        for other in read_by(name, texts[name]):
            if other in texts and other not in known:
                known.add(other)
                open_names.append(other)
    return sorted(set(texts) - known)


# Text by name, and whether it is a stray.
PLANTED = {
    "run/test.sgl": ('// RUN: sglc check %s --with run/named.sgl\nimport "./lib/a.sgl" as a\nimport std.text\n', False),
    "run/lib/a.sgl": ('import "../b.sgl" as b\n', False),
    "run/b.sgl": ("type B = int\n", False),
    "run/named.sgl": ("type N = int\n", False),
    "run/late.sgl": ("// What it is about.\n// RUN: sglc check %s\n// CHECK-OUT: never seen\n", True),
    "run/misspelt.sgl": ("//RUN: sglc check %s\n", True),
    "run/empty.sgl": ("// RUN:  \n", True),
    "run/each_other.sgl": ('import "./late.sgl" as late\n', True),
    "run/commented.sgl": ("type C = int\n", True),
    "run/other.sgl": ('// RUN: sglc check %s\n// import "./commented.sgl" as c\n', False),
}


def self_test():
    found = strays({name: text for name, (text, _) in PLANTED.items()})
    wrong = [name for name, (_, stray) in PLANTED.items() if (name in found) != stray]
    for name in wrong:
        print(f"{name} is judged wrongly")
    print(f"{len(PLANTED) - len(wrong)} of {len(PLANTED)} planted files judged rightly")
    return 1 if wrong else 0


class Golden:
    def __init__(self, path):
        self.path = path
        self.name = str(path.relative_to(ROOT))
        lines = read(path).split("\n")
        end = len(lines)
        while end > 0 and (lines[end - 1].startswith(MARK) or not lines[end - 1].strip()):
            end -= 1
        self.source = "\n".join(lines[:end]) + "\n"
        self.expected = [line[len(MARK):].removeprefix(" ").rstrip() for line in lines[end:] if line.startswith(MARK)]
        self.command = command_of(lines[0])
        exit_line = re.match(r"// EXIT: (\d+)", lines[1]) if len(lines) > 1 else None
        self.fails = path.name.startswith("fail_")
        self.exit = int(exit_line.group(1)) if exit_line else (1 if self.fails else 0)

    def run(self, bin_dir, copy):
        words = [word.replace("%s", self.name) for word in shlex.split(self.command)]
        words[0] = str(bin_dir / words[0])
        try:
            done = subprocess.run(words, cwd=copy, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=60)
        except subprocess.TimeoutExpired:
            return None, ["(no answer within 60 seconds)"]
        text = done.stdout.decode("utf-8", "surrogateescape")
        return done.returncode, [line.rstrip() for line in text.rstrip("\n").split("\n")] if text else []

    def write(self, output):
        body = self.source.rstrip("\n") + "\n\n" + "".join((MARK + " " + line).rstrip() + "\n" for line in output)
        self.path.write_bytes(body.encode("utf-8", "surrogateescape"))


def make_copy(goldens, folder):
    """The folder's files without expectations, so that imports between them work."""
    shutil.copytree(ROOT, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "CMakeLists.txt"))
    for golden in goldens:
        (folder / golden.name).write_bytes(golden.source.encode("utf-8", "surrogateescape"))


def check(golden, bin_dir, copy, update):
    """A list of complaints, empty when all is well."""
    code, output = golden.run(bin_dir, copy)
    faults = []
    if code != golden.exit:
        faults.append(f"exit code {code}, expected {golden.exit}")
    if output != golden.expected:
        if update:
            golden.write(output)
        else:
            faults += difflib.unified_diff(golden.expected, output, "expected", "found", lineterm="")
    return faults


def coverage(goldens):
    kinds = ROOT.parent.parent / "compiler" / "diag" / "kinds.h"
    codes = dict(re.findall(r'X\(k\w+, "(\w+)", "([^"]+)"\)', kinds.read_text()))
    shown = set()
    for golden in goldens:
        shown.update(re.findall(r"\[([EW]\d{4})\]", "\n".join(golden.expected)))
    missing = [f"{code} ({title})" for code, title in codes.items() if code not in shown]
    unknown = sorted(shown - set(codes))
    for text in missing:
        print(f"no golden shows {text}")
    for code in unknown:
        print(f"a golden shows {code}, which compiler/diag/kinds.h does not have")
    print(f"{len(codes) - len(missing)} of {len(codes)} diagnostic kinds have a golden")
    return 1 if missing or unknown else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/bin"))
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--coverage", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("filter", nargs="*")
    options = parser.parse_args()

    if options.self_test:
        return self_test()
    files = list(map(Golden, sorted(ROOT.rglob("*.sgl"))))
    goldens = [golden for golden in files if golden.command]
    if options.coverage:
        return coverage(goldens)

    def is_wanted(name):
        return not options.filter or any(word in name for word in options.filter)

    wanted = [golden for golden in goldens if is_wanted(golden.name)]
    stray = [name for name in strays({golden.name: golden.source for golden in files}) if is_wanted(name)]
    for name in stray:
        print(f"FAIL {name}\n  no test: its first line is not '// RUN: …', and no test imports it or names it in its "
              "command;\n  write the command into the first line, or delete the file")
    if not wanted and not stray:
        print("no test's name has " + " or ".join(options.filter))
        return 1
    bin_dir = options.bin.resolve()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder)
        make_copy(goldens, copy)
        for golden in wanted:
            faults = check(golden, bin_dir, copy, options.update)
            if golden.fails != (golden.exit != 0):
                faults.append("names that start with fail_ are exactly those that expect failure")
            if faults:
                failed += 1
                print(f"FAIL {golden.name}")
                print("\n".join("  " + fault for fault in faults).encode("utf-8", "backslashreplace").decode())
    print(f"{len(wanted) - failed} of {len(wanted)} passed" + (f", {len(stray)} files are no tests" if stray else ""))
    return 1 if failed or stray else 0


if __name__ == "__main__":
    sys.exit(main())
