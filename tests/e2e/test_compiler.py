"""sglc: check, compile, explain, fmt."""
import concurrent.futures
import json
import os

import carried
from support import (EXAMPLES, check, equal, example_names, fails, folder, model, ok, one_sentence, run, test)

BROKEN = """program main(question: string) -> string {
  user "{qestion}"
  assistant { gen answer: string }
  return answer
}
"""


@test("compiler/check_examples")
def check_examples():
    files = sorted(EXAMPLES.rglob("*.sgl"))
    result = ok("sglc", "check", *files)
    equal(result.out, "", "output of a check without findings")


@test("compiler/compile_examples")
def compile_examples():
    with folder() as tmp:
        for name in example_names():
            source, plan = EXAMPLES / f"{name}.sgl", tmp / f"{name}.sglp"
            ok("sglc", "compile", source, "-o", plan)
            first = plan.read_bytes()
            ok("sglc", "compile", source, "-o", plan)
            equal(plan.read_bytes(), first, f"{name}: compiled twice")
            equal(ok("sglc", "compile", plan, "--emit=plan").out, ok("sglc", "compile", source, "--emit=plan").out,
                  f"{name}: the plan read back")
            equal(ok("sglc", "explain", plan).out, ok("sglc", "explain", source).out, f"{name}: explained from the plan")


@test("compiler/emit")
def emit():
    for name in example_names():
        source = EXAMPLES / f"{name}.sgl"
        for kind in ("ast", "plan", "llvm"):
            check(ok("sglc", "compile", source, f"--emit={kind}").out.strip(), f"{name}: --emit={kind} is empty")
        for schema in json.loads(ok("sglc", "compile", source, "--emit=schema").out):
            check(set(schema) == {"program", "description", "parameters", "result"}, f"{name}: {schema}")


@test("compiler/explain")
def explain():
    text = ok("sglc", "explain", EXAMPLES / "judge.sgl").out
    for part in ("program judge(essay: string", "static prefix", "parallel for", "select verdict", "gen report: Report"):
        check(part in text, f"explain does not say {part!r}:\n{text}")
    for name in example_names():
        graph = ok("sglc", "explain", "--dot", EXAMPLES / f"{name}.sgl").out
        check(graph.startswith("digraph") and graph.count("{") >= 2, f"{name}: {graph[:200]}")


@test("compiler/default_output")
def default_output():
    with folder() as tmp:
        (tmp / "story.sgl").write_bytes((EXAMPLES / "story.sgl").read_bytes())
        ok("sglc", "compile", tmp / "story.sgl")
        check((tmp / "story.sglp").read_bytes().startswith(b"SGLPLAN\n"), "story.sglp is not a plan")


LETTERS = """program letters() -> string {
  user "Letters:"
  assistant { gen it: regex(/[a-c]{4}/) with temperature = 0 }
  return it
}
"""


@test("compiler/carried_constraints")
def carried_constraints():
    with folder() as tmp:
        source, plan, plain, other = (tmp / name for name in ("letters.sgl", "letters.sglp", "plain.sglp", "other.sglp"))
        source.write_text(LETTERS)
        ok("sglc", "compile", source, "-o", plan)
        ok("sglc", "compile", source, "--no-constraints", "-o", plain)
        equal((len(carried.places(plan.read_bytes())), len(carried.places(plain.read_bytes()))), (1, 0), "constraints")
        for first, second, options in ((plan, plain, ("--no-constraints",)), (plain, plan, ()), (plan, plan, ())):
            ok("sglc", "compile", first, "-o", other, *options)
            equal(other.read_bytes(), second.read_bytes(), f"{first.name} compiled again with {options}")
        for file, options, lines in ((source, (), 1), (source, ("--no-constraints",), 0), (plan, (), 1), (plain, (), 0)):
            text = ok("sglc", "compile", file, "--emit=plan", *options).out
            equal(text.count("\nconstraint "), lines, f"constraints in the text of {file.name} {options}")
        # Results do not depend on them; what is not this engine's is compiled, and that is said.
        wanted = ok("sgl", "run", source, "--model", model(), "--quiet").out
        foreign = "another version of the constraint engine made it"
        for change, loaded, why in (({}, True, ""), ({12: 1}, False, foreign), ({44: 1}, False, "of another specification"),
                                    ({80: 1}, False, "its checksum does not match")):
            other.write_bytes(carried.flipped(plan.read_bytes(), change))
            result = ok("sgl", "run", other, "--model", model(), "--quiet", "--stats")
            equal(result.out, wanted, f"result with {change}")
            line = f"constraints:      {int(loaded)} loaded from the plan, {int(not loaded)} compiled\n"
            check(line in result.err and why in result.err, f"{change}: {result!r}")


@test("compiler/fmt")
def fmt():
    files = sorted(EXAMPLES.rglob("*.sgl"))
    result = run("sglc", "fmt", "--check", *files)
    equal((result.code, result.out), (0, ""), "the examples are formatted")
    messy = b'program main(  a:int )->int{\n      return   a+1\n}\n'
    once = ok("sglc", "fmt", "-", stdin=messy).out
    equal(ok("sglc", "fmt", "-", stdin=once.encode()).out, once, "formatted twice")
    with folder() as tmp:
        file = tmp / "messy.sgl"
        file.write_bytes(messy)
        equal(run("sglc", "fmt", "--check", file).code, 1, "exit code of --check on a messy file")
        ok("sglc", "fmt", "--write", file)
        equal(file.read_text(), once, "the file after --write")
        equal(run("sglc", "fmt", "--check", file).code, 0, "exit code of --check after --write")
        fails(1, "E0", "sglc", "fmt", "-", stdin=b"program main( {")


@test("compiler/files")
def files():
    """Pipes and standard input are read once; links, modes and devices stay what they are."""
    source = 'program main() -> int { return 1 }\n'
    with folder() as tmp:
        file, link, pipe = tmp / "a.sgl", tmp / "link.sgl", tmp / "pipe"
        for where in ("-", "/dev/stdin"):
            equal(ok("sgl", "run", where, "--model", model(), "--quiet", stdin=source.encode()).out, "1\n", f"run {where}")
            check("return 1" in ok("sglc", "compile", where, "--emit=ast", stdin=source.encode()).out, f"ast {where}")
            check("return 1" in ok("sglc", "explain", where, stdin=source.encode()).out, f"explain {where}")
        file.write_text(source.replace(" main", "   main"))
        file.chmod(0o600)
        link.symlink_to(file)
        ok("sglc", "fmt", "-w", link)
        equal((link.is_symlink(), file.read_text(), file.stat().st_mode & 0o777), (True, source, 0o600), "a link")
        os.mkfifo(pipe)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            plan = pool.submit(pipe.read_bytes)
            ok("sglc", "compile", file, "-o", pipe)
            check(plan.result().startswith(b"SGLPLAN"), "what came through the pipe")
        check(pipe.is_fifo(), "the pipe")


@test("compiler/diagnostics")
def diagnostics():
    with folder() as tmp:
        file = tmp / "broken.sgl"
        file.write_text(BROKEN)
        result = fails(1, r"broken\.sgl:2:\d+: error\[E0101\]", "sglc", "check", file)
        check("\x1b[" not in result.err, "colours without a terminal")
        check("did you mean 'question'?" in result.err, f"no mend: {result!r}")
        result = run("sglc", "check", "--format", "json", file)
        equal(result.code, 1, "exit code with --format json")
        rows = [json.loads(line) for line in result.out.splitlines()]
        check(rows and rows[0]["code"] == "E0101" and rows[0]["line"] == 2, f"{rows}")
        for key in ("severity", "message", "file", "column", "end_line", "end_column", "begin", "end"):
            check(key in rows[0], f"no {key} in {rows[0]}")
        fails(1, "E0101", "sglc", "compile", file, "-o", tmp / "out.sglp")
        check(not (tmp / "out.sglp").exists(), "a plan was written in spite of errors")
        fails(2, "E0101", "sgl", "run", file)


@test("compiler/exit_codes")
def exit_codes():
    for tool in ("sglc", "sgl"):
        equal(run(tool, "--help").code, 0, f"{tool} --help")
        equal(run(tool).code, 2, f"{tool} alone")
        check(ok(tool, "version").out.startswith(f"{tool} "), f"{tool} version")
        fails(2, "unknown command 'vresion'; did you mean 'version'", tool, "vresion")
    for sub in (("check",), ("compile",), ("explain",), ("fmt",)):
        check("Examples:" in ok("sglc", *sub, "--help").out, f"no examples in sglc {sub} --help")
    for sub in (("run",), ("tokenize",), ("model",), ("model", "info"), ("model", "logits")):
        check("Examples:" in ok("sgl", *sub, "--help").out, f"no examples in sgl {sub} --help")
    equal(run("sglc", "check").code, 2, "sglc check without a file")
    equal(run("sglc", "compile", EXAMPLES / "story.sgl", "--emit=nonsense").code, 2, "an unknown --emit")
    fails(2, "no_such_file", "sglc", "check", "no_such_file.sgl")
    one_sentence(fails(2, "no_such_file", "sglc", "compile", "no_such_file.sgl"))
    one_sentence(fails(2, "no_such_file", "sgl", "run", "no_such_file.sgl"))
    one_sentence(fails(2, "folder", "sgl", "run", EXAMPLES))


@test("compiler/hostile_plans")
def hostile_plans():
    with folder() as tmp:
        plan = tmp / "story.sglp"
        ok("sglc", "compile", EXAMPLES / "story.sgl", "-o", plan)
        whole = plan.read_bytes()
        for size in (0, 4, 8, 20, 60, len(whole) // 2, len(whole) - 1):
            plan.write_bytes(whole[:size])
            one_sentence(fails(2, r"story\.sglp", "sgl", "run", plan))
        for at in range(0, len(whole), max(1, len(whole) // 40)):
            plan.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1:])
            one_sentence(fails(2, r"story\.sglp", "sglc", "explain", plan))
