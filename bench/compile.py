#!/usr/bin/env python3
"""How the compiler's time grows with the source: shapes of programs at a quarter, a half and the whole of a size, with
the ratio of the last doubling (2 is linear), and of another sglc beside it (--beside), the two taking turns."""
import argparse
import pathlib
import resource
import subprocess
import tempfile
import time

END = "  return 1\n}\n"
PROGRAM = "program main(n: int, q: string) -> int {\n"
FIELDS = "type T = {\n" + "".join(f"  f{i}: string\n" for i in range(500)) + "}\n"
FAILURES = ["did not end", "crashed"]  # then larger sources are not tried


def statements(line, head="", before=""):
    return head + PROGRAM + before, line, END


def declarations(line, head=""):
    return head, line, PROGRAM + END


# Name to beginning, what is repeated with a number, end.
SHAPES = {
    "types": declarations("type T{i} = {{a: string, b: int}}\n"),
    "nested types": declarations("type T{i} = {{a: T{j}}}\n", "type T0 = {a: string}\n"),
    "unions": declarations("type T{i} = {{a{i}: string}} | {{b{i}: int}}\n"),
    "literals": declarations('type T{i} = "a{i}" | "b"\n'),
    "one union": ('type T = "z"', ' | "a{i}"', "\n" + PROGRAM + END),
    "one record": ("type T = {\n", "  a{i}: string\n", "}\n" + PROGRAM + END),
    "sizes": declarations("type T{i} = list<string>({i}..)\n"),
    "patterns": declarations("type T{i} = string(pattern: /a{i}b*/)\n"),
    "constants": declarations("const A{i} = {i}\n"),
    "functions": declarations("fn f{i}(a: int) -> int = a + {i}\n"),
    "programs": declarations("program p{i}(a: int) -> int {{\n  return a\n}}\n"),
    "chain of functions": declarations("fn f{i}(a: int) -> int = f{j}(a)\n", "fn f0(a: int) -> int = a\n"),
    "assignments": statements("  x = x + {i}\n", before="  var x = n\n"),
    "texts": statements('  user "hello {{n}} {i}"\n'),
    "constant texts": statements('  "hello {i}"\n'),
    "generations": statements("  gen x{i}: int\n"),
    "of one type": statements("  gen x{i}: T\n", FIELDS),
    "of many types": statements("  gen x{i}: list<T>({i}..)\n", FIELDS),
    "regular expressions": statements("  gen x{i}: regex(/[a-z]{{{i}}}x/)\n"),
    "choices": statements('  select s{i} from ["a", "b{i}"]\n'),
    "forks": statements("  let r{i} = parallel for d in [1, 2] {{\n    gen k: int\n    yield k\n  }}\n"),
    "calls": statements("  let a{i} = z({i})\n", "prompt z(a: int) -> int { gen g: int; return g }\n"),
    "branches": statements("  if n > {i} {{\n    x = {i}\n  }}\n", before="  var x = n\n"),
    "loops": statements("  for y in [1, 2] {{\n    x = x + y\n  }}\n", before="  var x = n\n"),
    "one list": (PROGRAM + "  let x = [", ' "s{i}",', "]\n" + END),
    "one text": (PROGRAM + '  let x = "', "{{n}} ", '"\n' + END),
    "one line": ("const A = [", ' "é",', "]\n" + PROGRAM + END),
    "spreads": statements("  r = {{...r, f{k}: q}}\n", FIELDS.replace("T", "R"),
                          "  var r: R = {" + ", ".join(f"f{i}: q" for i in range(500)) + "}\n"),
    "growing text": statements('  x = x + "b"\n', before='  var x = "a"\n'),
    "large constant": statements('  "{{A}}{i}"\n', 'const A = "' + "x" * 50000 + '"\n'),
    "constant of 8 MB": declarations("type T{i} = int(0..len(A10))\n",
                                     'const A0 = "' + "x" * 8192 + '"\n' +
                                     "".join(f"const A{i + 1} = A{i} + A{i}\n" for i in range(10))),
    "unknown names": declarations("const A{i} = b{i}\n"),
    "unknown types": declarations("type A{i} = B{i}\n"),
}


def source(shape, size):
    head, line, end = SHAPES[shape]
    parts, length, i = [head], len(head), 0
    while length < size:
        i += 1
        parts.append(line.format(i=i, j=i - 1, k=i % 500))
        length += len(parts[-1].encode())
    return "".join(parts) + end


def seconds(sglc, text, folder, limit):
    """Of one compilation, and how it ended."""
    path = pathlib.Path(folder) / "program.sgl"
    path.write_text(text)
    memory = 8 << 30
    start = time.perf_counter()
    try:
        done = subprocess.run([sglc, "compile", path, "-o", path.with_suffix(".sglp")], capture_output=True, text=True,
                              timeout=limit, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory)))
    except subprocess.TimeoutExpired:
        return limit, FAILURES[0]
    spent = time.perf_counter() - start
    if done.returncode < 0:
        return spent, FAILURES[1]
    first = next((line for line in done.stderr.splitlines() if "error[" in line), "")
    return spent, first[first.find("error[") :][6:11]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sglc", default="build/bin/sglc")
    parser.add_argument("--beside", help="another sglc")
    parser.add_argument("--size", type=int, default=1 << 20, help="bytes of the largest sources (1 MiB, as servers take)")
    parser.add_argument("--limit", type=float, default=60, help="seconds after which a compilation is ended")
    parser.add_argument("shapes", nargs="*", help="default: all")
    options = parser.parse_args()
    tools = [options.sglc] + ([options.beside] if options.beside else [])
    sizes = [options.size // 4, options.size // 2, options.size]
    print(f"seconds at {', '.join(f'{s >> 10} KiB' for s in sizes)}; ratio of the last two; how it ended")
    slowest = [0.0] * len(tools)
    with tempfile.TemporaryDirectory() as folder:
        for shape in options.shapes or SHAPES:
            row = f"{shape:22}"
            for n, tool in enumerate(tools):
                runs = []
                for size in sizes:
                    if not runs or runs[-1][1] not in FAILURES:
                        runs.append(seconds(tool, source(shape, size), folder, options.limit))
                slowest[n] = max(slowest[n], runs[-1][0])
                times = "".join(f"{spent:8.2f}" for spent, _ in runs)
                ratio = f"{runs[-1][0] / runs[-2][0]:6.2f}" if runs[-1][1] not in FAILURES else ""
                row += f" {times:24}  {ratio:6}  {runs[-1][1] or 'fine':11}"
            print(row.rstrip(), flush=True)
    print("slowest: " + ", ".join(f"{spent:.2f} s" for spent in slowest))


if __name__ == "__main__":
    main()
