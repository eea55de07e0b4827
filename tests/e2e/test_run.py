"""sgl run: every example, arguments, streams, failures, limits, interruption."""
import json
import shlex
import signal
import subprocess
import time

from support import (EXAMPLES, LONG, check, command, environment, equal, example_arguments, example_names, fails, folder,
                     model, ok, patient, run, schema_fault, schema_of, takes, test)

TWO_PROGRAMS = """/// The first.
program first(name: string) -> string { return "first {name}" }
/// The second.
program second(
  /// How many.
  count: int
  names: list<string> = ["a", "b"]
  label: string? = null
) -> string { return "{count} {names} {label}" }
"""


def example(name):
    folder_ = model()
    source = EXAMPLES / f"{name}.sgl"
    base = ("run", source, "--model", folder_, "--args", example_arguments(name), "--quiet")
    first = ok("sgl", *base, "--seed", 7, "--threads", 1)
    equal(first.err, "", f"{name}: standard error with --quiet")
    value = json.loads(first.out)
    fault = schema_fault(schema_of(source)[name]["result"], value)
    check(fault is None, f"{name}: the result does not match the schema: {fault}\n{first.out}")
    for options in (("--threads", 1), ("--threads", 2), ("--threads", 2, "--exec", "interp"), ("--threads", 1, "--stats")):
        again = ok("sgl", *base, "--seed", 7, *options)
        equal(again.out, first.out, f"{name}: result with {options}")
    with folder() as tmp:
        ok("sglc", "compile", source, "-o", tmp / "plan.sglp")
        again = ok("sgl", "run", tmp / "plan.sglp", *base[2:], "--seed", 7)
        equal(again.out, first.out, f"{name}: result of the compiled plan")


for _name in example_names():
    test(f"run/example_{_name}")(lambda name=_name: example(name))


@test("run/streams")
def streams():
    result = ok("sgl", "run", EXAMPLES / "judge.sgl", "--model", model(), "--args", example_arguments("judge"), "--stats",
                "--trace")
    equal(result.out.count("\n"), 1, "lines on standard output")
    for part in ("verdict: ", "[0] answer: ", "[1] answer: ", "report: ", "prompt tokens:", "generated tokens:",
                 "engine steps:", "gen  report = "):
        check(part in result.err, f"no {part!r} on standard error: {result!r}")


@test("run/pipe")
def pipe():
    words = " ".join(shlex.quote(w) for w in command("sgl", "run", EXAMPLES / "story.sgl", "--model", model()))
    done = subprocess.run(f"{words} --arg hero=Mia 2>/dev/null | python3 -m json.tool", shell=True, capture_output=True,
                          timeout=patient(60), env=environment(), check=False)
    equal(done.returncode, 0, "exit code of the pipe")
    equal(set(json.loads(done.stdout)), {"place", "middle", "ending"}, "fields")


@test("run/without_model")
def without_model():
    result = ok("sgl", "run", EXAMPLES / "invoice.sgl", "--args", example_arguments("invoice"))
    check(json.loads(result.out)["gross"] > 0, f"{result!r}")
    ok("sgl", "run", EXAMPLES / "story.sgl", "--quiet", env={"SGL_MODEL": model()})


@test("run/arguments")
def arguments():
    with folder() as tmp:
        file = tmp / "two.sgl"
        file.write_text(TWO_PROGRAMS)
        fails(2, "several programs.*first, second", "sgl", "run", file, "--arg", "name=x")
        fails(2, "did you mean 'first'", "sgl", "run", file, "--program", "frist", "--arg", "name=x")
        first = ("run", file, "--program", "first")
        second = ("run", file, "--program", "second")
        equal(ok("sgl", *first, "--arg", "name=42").out, '"first 42"\n', "a number where text is expected")
        (tmp / "name.txt").write_text("from a file")
        equal(ok("sgl", *first, "--arg", f"name=@{tmp}/name.txt").out, '"first from a file"\n', "a file")
        result = fails(2, "'count'.*missing", "sgl", *second)
        check("count: int" in result.err and 'names: list<string> = ["a","b"]' in result.err, f"{result!r}")
        fails(2, "count", "sgl", *second, "--arg", "count=many")
        fails(2, "count", "sgl", *second, "--arg", "count=1.5")
        fails(2, "did you mean 'count'", "sgl", *second, "--arg", "cuont=1")
        fails(2, "no '='", "sgl", *second, "--arg", "count")
        fails(2, "not JSON", "sgl", *second, "--args", "-", stdin=b"{")
        result = ok("sgl", *second, "--args", "-", "--arg", "count=2", stdin=b'{"count": 1, "label": null}')
        equal(result.out, '"2 [\\"a\\",\\"b\\"] null"\n', "--arg wins over --args")
        equal(ok("sgl", *second, "--arg", "count=1", "--arg", "label=x", "--arg", 'names=["n"]').out,
              '"1 [\\"n\\"] x"\n', "text for an optional string")


@test("run/failure")
def failure():
    with folder() as tmp:
        file = tmp / "refuse.sgl"
        file.write_text('program main(n: int = 1) -> int {\n  if n > 0 { fail "n is {n}" }\n  return n / (n - n)\n}\n')
        fails(1, r"refuse\.sgl:2:\d+: failed: n is 1", "sgl", "run", file)
        fails(1, r"refuse\.sgl:3:\d+: failed: ", "sgl", "run", file, "--arg", "n=0")
        file.write_text("program main() -> int {\n  var n = 0\n  while n >= 0 { n = (n + 1) % 10 }\n  return n\n}\n")
        fails(1, r"refuse\.sgl:3:\d+: limit: ", "sgl", "run", file, "--limit", "fuel=100000")
        fails(2, "--limit", "sgl", "run", file, "--limit", "fuel=lots")
        file.write_text(LONG)
        fails(1, "limit: ", "sgl", "run", file, "--model", model(), "--limit", "tokens=50", "--quiet")
        fails(1, "limit: ", "sgl", "run", file, "--model", model(), "--limit", "time=200ms", "--quiet")


# Calls that the compiler puts side by side: they spend what they would spend one after the other.
CALLS = """
program long() -> string {
  "Once"
  gen s: string with max_tokens = 60, min_tokens = 60
  return s
}
program short() -> string {
  "Once"
  gen s: string with max_tokens = 3, min_tokens = 3
  return s
}
program narrow() -> string limits { tokens: 2 } {
  "Once"
  gen s: string with max_tokens = 9
  return s
}
program no_forks() -> int limits { forks: 0 } {
  let x = narrow()
  let y = narrow()
  return 2
}
program tight() -> int limits { tokens: 66 } {
  let x = long()
  let y = short()
  return 2
}
program callee() -> list<bool> {
  let x = narrow()
  let y = narrow()
  return [len(x) < 30, len(y) < 30]
}
program deep(n: int) -> int {
  if n == 0 { return 1 }
  let x = deep(n - 1)
  let y = deep(0)
  return x + y
}
"""


@test("run/calls_side_by_side_and_limits")
def calls_side_by_side_and_limits():
    with folder() as tmp:
        file = tmp / "calls.sgl"
        file.write_text(CALLS)
        ok("sglc", "compile", file, "-O", 0, "-o", tmp / "plain.sglp")
        for plan in (file, tmp / "plain.sglp"):
            base = ("run", plan, "--model", model(), "--quiet", "--threads", 1, "--program")
            equal(ok("sgl", *base, "no_forks").out, "2\n", f"{plan}: no forks are left")
            equal(ok("sgl", *base, "tight").out, "2\n", f"{plan}: one call needs nearly all tokens")
            equal(ok("sgl", *base, "callee", "--limit", "forks=1", "--limit", "tokens=4").out, "[true,true]\n", f"{plan}: --limit")
            equal(ok("sgl", *base, "callee").out, "[true,true]\n", f"{plan}: the limit of what is called")
            equal(ok("sgl", *base, "deep", "--arg", "n=500").out, "501\n", f"{plan}: calls in calls")
            fails(1, "limit: calls nest too deeply", "sgl", *base, "deep", "--arg", "n=100000")


def interrupted(number):
    with folder() as tmp:
        file = tmp / "long.sgl"
        file.write_text(LONG)
        process = subprocess.Popen(command("sgl", "run", file, "--model", model(), "--threads", 1),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        try:
            check(process.stderr.readline(), "nothing was generated")
            start = time.monotonic()
            process.send_signal(number)
            out, err = process.communicate(timeout=patient(30))
        finally:
            process.kill()
        equal(process.returncode, 130, "exit code")
        equal(out, b"", "standard output")
        check(b"interrupted" in err, f"{err[-500:]!r}")
        check(time.monotonic() - start < patient(10), "it took long to stop")


@test("run/interrupt")
def interrupt():
    interrupted(signal.SIGINT)
    interrupted(signal.SIGTERM)


@test("run/interrupt_before_the_model")
def interrupt_before_the_model():
    with folder() as tmp:
        file = tmp / "long.sgl"
        file.write_text(LONG)
        for number in (signal.SIGINT, signal.SIGTERM):
            # Arguments that never come keep it where the model is not loaded yet.
            process = subprocess.Popen(command("sgl", "run", file, "--model", model(), "--args", "-"), stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
            try:
                check(takes(process, number), "it ended by itself")
                process.send_signal(number)
                process.wait(timeout=patient(10))
                equal(process.returncode, 130, "exit code")
                equal(process.stdout.read(), b"", "standard output")
                equal(process.stderr.read(), b"sgl: interrupted\n", "standard error")
            finally:
                process.kill()
                process.communicate()


@test("run/interrupt_at_any_time")
def interrupt_at_any_time():
    with folder() as tmp:
        file = tmp / "long.sgl"
        file.write_text(LONG)
        # From the first moment through loading, compiling and the first tokens.
        for delay in (0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.15):
            process = subprocess.Popen(command("sgl", "run", file, "--model", model(), "--threads", 1),
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
            try:
                check(takes(process, signal.SIGINT), "it ended by itself")
                time.sleep(delay)
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=patient(30))
            finally:
                process.kill()
            equal(process.returncode, 130, f"exit code after {delay} s: {err[-300:]!r}")
            equal(out, b"", f"standard output after {delay} s")
            check(b"interrupted" in err, f"after {delay} s: {err[-500:]!r}")


@test("run/start_up")
def start_up():
    # A shell loop over a hundred files must not be slow. The bound is loose: test machines are busy.
    best = min(timed("sgl", "version") for _ in range(5))
    check(best < patient(0.5), f"sgl version takes {best:.3f} s")


def timed(*words):
    start = time.monotonic()
    equal(run(*words).code, 0, "exit code")
    return time.monotonic() - start
