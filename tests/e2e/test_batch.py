"""sgl run --batch: order, errors, resuming after kills, refusals."""
import json
import random
import signal
import subprocess
import time

from support import check, command, environment, equal, fails, folder, model, ok, patient, run, takes, test

PROGRAM = """program main(name: string, mode: string = "ok") -> { name: string, line: string } {
  if mode == "fail" { fail "asked to" }
  "Once upon a time, {name} "
  gen line: string with temperature = 1, max_tokens = 12, stop = "\\n"
  return { name: name, line: line }
}
"""
COUNT = 120


def write_inputs(tmp, count=COUNT):
    rows = []
    for i in range(count):
        row = {"name": f"Tim {i}"}
        if i % 17 == 5:
            row["mode"] = "fail"
        rows.append(json.dumps(row))
    rows[3] = "this is not JSON"
    rows[4] = '{"nme": "x"}'
    (tmp / "inputs.jsonl").write_text("\n".join(rows) + "\n\n")
    (tmp / "batch.sgl").write_text(PROGRAM)


def words(tmp, output, *options):
    return ("run", tmp / "batch.sgl", "--model", model(), "--batch", tmp / "inputs.jsonl", "-o", tmp / output, "--seed", 5,
            *options)


def reference(tmp):
    write_inputs(tmp)
    result = run("sgl", *words(tmp, "reference.jsonl", "--concurrency", 16))
    equal(result.code, 1, f"exit code when some inputs fail: {result!r}")
    check(f"{COUNT}/{COUNT}" in result.err, f"no progress: {result!r}")
    check(not (tmp / "reference.jsonl.state").exists(), "the state file was left behind")
    return (tmp / "reference.jsonl").read_bytes()


@test("batch/order_and_errors")
def order_and_errors():
    with folder() as tmp:
        rows = [json.loads(line) for line in reference(tmp).splitlines()]
        equal([row["index"] for row in rows], list(range(COUNT)), "indices")
        for i, row in enumerate(rows):
            if i in (3, 4):
                equal(row["error"]["kind"], "invalid", f"input {i}")
            elif i % 17 == 5:
                equal(row["error"]["kind"], "failed", f"input {i}")
                check("batch.sgl:2:" in row["error"]["position"], f"{row}")
            else:
                equal(row["value"]["name"], f"Tim {i}", f"input {i}")
                check(row["usage"]["generated_tokens"] > 0, f"{row}")
        # Neither the number of inputs at a time nor the executor changes a byte.
        for options in (("--concurrency", 1), ("--concurrency", 50, "--exec", "interp", "--threads", 2)):
            run("sgl", *words(tmp, "other.jsonl", "--restart", "--quiet", *options))
            equal((tmp / "other.jsonl").read_bytes(), (tmp / "reference.jsonl").read_bytes(), f"results with {options}")


def kill_after(tmp, lines):
    """Starts the batch and kills it when at least `lines` results are there. True: it was still running."""
    process = subprocess.Popen(command("sgl", *words(tmp, "results.jsonl", "--concurrency", 3, "--quiet")),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
    path = tmp / "results.jsonl"
    deadline = time.monotonic() + patient(60)
    while process.poll() is None and time.monotonic() < deadline:
        if path.exists() and path.read_bytes().count(b"\n") >= lines:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.002)
    process.kill()
    process.wait()
    return False


@test("batch/kill_and_resume")
def kill_and_resume():
    with folder() as tmp:
        expected = reference(tmp)
        killed = 0
        for lines in (10, 45, 80):
            if not kill_after(tmp, lines):
                break
            killed += 1
            found = (tmp / "results.jsonl").read_bytes()
            whole = found[:found.rfind(b"\n") + 1]
            check(expected.startswith(whole), "what was written before the kill is not a beginning of the whole")
            # What a kill in the middle of a write leaves behind.
            cut = expected[len(whole):len(whole) + random.randrange(1, 20)]
            with open(tmp / "results.jsonl", "ab") as file:
                file.write(cut if found == whole else b"")
        check(killed > 0, "the batch was over before it could be killed")
        if (tmp / "results.jsonl.state").exists():
            result = run("sgl", *words(tmp, "results.jsonl", "--concurrency", 8))
            equal(result.code, 1, f"{result!r}")
            check("continuing after" in result.err, f"{result!r}")
        equal((tmp / "results.jsonl").read_bytes(), expected, "results after kills and resuming")


@test("batch/refusals")
def refusals():
    with folder() as tmp:
        write_inputs(tmp)
        check(kill_after(tmp, 5), "the batch was over before it could be killed")
        before = (tmp / "results.jsonl").read_bytes()
        other_seed = [6 if word == 5 else word for word in words(tmp, "results.jsonl")]
        fails(2, "other seed.*--restart", "sgl", *other_seed)
        inputs = (tmp / "inputs.jsonl").read_text()
        (tmp / "inputs.jsonl").write_text(inputs.replace("Tim 9", "Tom 9"))
        fails(2, "other inputs.*--restart", "sgl", *words(tmp, "results.jsonl"))
        (tmp / "inputs.jsonl").write_text(inputs)
        (tmp / "batch.sgl").write_text(PROGRAM.replace("12", "11"))
        fails(2, "other program.*--restart", "sgl", *words(tmp, "results.jsonl"))
        (tmp / "batch.sgl").write_text(PROGRAM)
        equal((tmp / "results.jsonl").read_bytes(), before, "results after refusals")
        equal(run("sgl", *words(tmp, "results.jsonl", "--quiet")).code, 1, "exit code")
        fails(2, "no unfinished batch.*--restart", "sgl", *words(tmp, "results.jsonl"))
        fails(2, "no_such", "sgl", "run", tmp / "batch.sgl", "--batch", tmp / "no_such.jsonl", "-o", tmp / "x.jsonl")
        fails(2, "--arg", "sgl", *words(tmp, "x.jsonl", "--arg", "name=x"))


@test("batch/interrupt")
def interrupt():
    with folder() as tmp:
        expected = reference(tmp)
        process = subprocess.Popen(command("sgl", *words(tmp, "results.jsonl", "--concurrency", 2)),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment())
        path = tmp / "results.jsonl"
        while process.poll() is None and (not path.exists() or path.read_bytes().count(b"\n") < 8):
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=patient(30))[1]
        equal(process.returncode, 130, f"exit code: {err[-500:]!r}")
        check(b"run the same command again" in err, f"{err[-500:]!r}")
        check(expected.startswith(path.read_bytes()), "what was written is not a beginning of the whole")
        run("sgl", *words(tmp, "results.jsonl", "--quiet"))
        equal(path.read_bytes(), expected, "results after resuming")


@test("batch/interrupt_early")
def interrupt_early():
    with folder() as tmp:
        expected = reference(tmp)
        for delay in (0, 0.003, 0.01, 0.03):
            process = subprocess.Popen(command("sgl", *words(tmp, "results.jsonl", "--concurrency", 2, "--restart")),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment())
            check(takes(process, signal.SIGINT), "it ended by itself")
            time.sleep(delay)
            process.send_signal(signal.SIGINT)
            err = process.communicate(timeout=patient(30))[1]
            equal(process.returncode, 130, f"exit code after {delay} s: {err[-500:]!r}")
        run("sgl", *words(tmp, "results.jsonl", "--quiet"))
        equal((tmp / "results.jsonl").read_bytes(), expected, "results after resuming")


@test("batch/no_failures")
def no_failures():
    with folder() as tmp:
        write_inputs(tmp)
        (tmp / "inputs.jsonl").write_text('{"name": "Ann"}\n\n{"name": "Bob"}')
        ok("sgl", *words(tmp, "results.jsonl", "--quiet"))
        equal((tmp / "results.jsonl").read_bytes().count(b"\n"), 2, "results; blank lines do not count")
