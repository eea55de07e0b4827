"""sgl serve and clients that ask for odd things: members of wrong types, huge objects, runs that end before they begin."""
import json
import signal
import time

from serving import ADMIN, KEY, PROGRAM, serving
from support import LONG, check, equal, eventually, folder, patient, test

LONG_ANSWER = {"messages": [{"role": "user", "content": "Tell me a story."}], "max_tokens": 1500, "min_tokens": 1500, "stream": True}


@test("server/types")
def types():
    # A member of a wrong type is the client's mistake, wherever it stands.
    user = {"role": "user", "content": "Hi"}
    with serving() as s:
        s.good("POST", "/v1/programs", {"source": PROGRAM, "name": "greet"})
        for wrong in (
            {"messages": [user], "response_format": {"type": None}},
            {"messages": [{"role": "user", "content": [{"type": 1, "text": "x"}]}]},
            {"messages": [user], "tools": [{"type": 1, "function": {"name": "f"}}]},
            {"messages": [user], "model": "program:greet", "stream": 1},
            {"messages": [user], "stop": "x" * 100_000},
            {"messages": [user], "logit_bias": {str(i): 1 for i in range(1100)}},
        ):
            answer = s.ask("POST", "/v1/chat/completions", wrong)
            equal(answer.status, 400, f"{wrong} {answer!r}")
            check(answer.json()["error"]["message"], f"{answer!r}")
        equal(s.ask("POST", "/v1/completions", {"prompt": ["a"] * 100, "n": 100}).status, 400, "ten thousand generations")
        equal(s.ask("POST", "/generate", {"text": ["a"] * 100, "sampling_params": {"n": 100}}).status, 400, "ten thousand generations")
        tools = [{"type": "function", "function": {"name": f"f{i}"}} for i in range(1100)]
        equal(s.ask("POST", "/v1/chat/completions", {"messages": [user], "tools": tools}).status, 400, "too many tools")
        equal(s.ask("POST", "/v1/programs", {"source": PROGRAM, "name": "ab" * 32}).status, 400, "a name like an id")
        # Many members of one object: read in one go, not each looked for among all before it.
        many = {"messages": [user], "max_tokens": 1, "metadata": {f"k{i}": 0 for i in range(300_000)}}
        s.good("POST", "/v1/chat/completions", many)
        s.good("POST", "/v1/chat/completions", {"model": "program:greet", "stream": None, "messages": [user]})


@test("server/charged")
def charged():
    # What a client used is charged also when it goes away before the end.
    def used(s):
        return sum(u["generated_tokens"] for u in s.good("GET", "/v1/admin/usage", key=ADMIN).json()["since_start"])

    with serving() as s:
        connection = s.connect()
        connection.request("POST", "/v1/chat/completions", body=json.dumps(LONG_ANSWER), headers={"Authorization": f"Bearer {KEY}"})
        connection.getresponse().read(3000)
        connection.close()
        check(eventually(lambda: used(s) > 0), "nothing was charged")
    with serving("--request-timeout", 1) as s:
        many = {**LONG_ANSWER, "stream": False, "n": 40}
        equal(s.ask("POST", "/v1/chat/completions", many).status, 408, "a request that takes too long")
        check(used(s) > 0, "nothing was charged")


@test("server/cancelled")
def cancelled():
    # A run that is cancelled while it waits has ended, also for the store; its key says so when it is repeated.
    with folder() as path:
        options = ("--state-dir", path / "state", "--background-runs", 1)
        waiting = {"source": PROGRAM, "args": {"name": "Cy"}, "background": True}
        with serving(*options) as s:
            first = s.good("POST", "/v1/run", {"source": LONG, "background": True}).json()["run"]
            second = s.good("POST", "/v1/run", waiting, headers={"Idempotency-Key": "k"}).json()["run"]
            equal(s.good("DELETE", f"/v1/runs/{second}").json()["status"], "cancelled", "a run that waited")
            # Beyond the last event there is nothing to read, and it is waited for without spinning.
            stream = s.connect()
            stream.request("GET", f"/v1/runs/{first}/events", headers={"Authorization": f"Bearer {KEY}", "Last-Event-ID": str(2**64 - 1)})
            reply = stream.getresponse()
            time.sleep(0.5)
            s.good("DELETE", f"/v1/runs/{first}")
            check(len(reply.read()) < 1000, "the stream of events spins")
            check(eventually(lambda: s.good("GET", f"/v1/runs/{first}").json()["status"] == "cancelled"), "the run was not cancelled")
        with serving(*options) as s:
            equal(s.good("GET", f"/v1/runs/{second}").json()["status"], "cancelled", "after a restart")
            repeated = s.good("POST", "/v1/run", waiting, headers={"Idempotency-Key": "k"}).json()
            equal((repeated["run"], repeated["status"], repeated["repeated"]), (second, "cancelled", True), "a repeated key")


@test("server/hurry")
def hurry():
    # A second signal ends background runs at once; the next start takes them up.
    with folder() as path:
        with serving("--state-dir", path / "state") as s:
            run = s.good("POST", "/v1/run", {"source": LONG, "background": True}).json()["run"]
            check(eventually(lambda: s.good("GET", f"/v1/runs/{run}").json()["status"] == "running"), "the run did not begin")
            begun = time.monotonic()
            s.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            s.process.send_signal(signal.SIGTERM)
            equal(s.process.wait(patient(25)), 1, "exit code of a server that cut something off")
            check(time.monotonic() - begun < patient(25), "it waited for the end of the drain time")
        with serving("--state-dir", path / "state") as s:
            check(s.good("GET", f"/v1/runs/{run}").json()["status"] in ("queued", "running"), "the run was not taken up")


@test("server/prompts")
def prompts():
    # --log-prompts: texts stand in the audit log, of every way to ask.
    with folder() as path:
        for options in ((), ("--log-prompts",)):
            log = path / f"audit{len(options)}"
            with serving("--audit-log", log, *options) as s:
                s.good("POST", "/generate", {"text": "Once upon", "sampling_params": {"max_new_tokens": 4}})
                s.good("POST", "/v1/completions", {"prompt": "Twice upon", "max_tokens": 4})
                s.good("POST", "/v1/chat/completions", {"messages": [{"role": "user", "content": "Hello there"}], "max_tokens": 4})
                s.good("POST", "/v1/run", {"source": PROGRAM, "args": {"name": "Cy"}})
                equal(s.stop(), 0, "exit code")
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            texts = [line.get("prompts", [""])[0] for line in lines if line["method"] == "POST"]
            for text, part in zip(texts, ("Once upon", "Twice upon", "Hello there", "Cy")):
                equal(part in text, bool(options), f"{options} {part}: {lines}")
            equal([bool(line.get("answers")) for line in lines if line["method"] == "POST"], [bool(options)] * 4, f"{lines}")


@test("server/confined")
def confined():
    # Credentials for some programs, or for another model, reach nothing else by any way.
    with folder() as path, serving("--state-dir", path / "state") as s:
        def token(**more):
            asked = {"tenant": "acme", "scopes": ["generate", "programs:run", "programs:write"], **more}
            return s.good("POST", "/v1/admin/tokens", asked, key=ADMIN).json()["token"]

        whole, one, other = token(), token(programs=["a"]), token(models=["another"])
        for name in ("a", "b"):
            s.good("POST", "/v1/programs", {"source": PROGRAM, "name": name}, key=whole)
        equal(s.ask("POST", "/v1/programs/b/run", {"args": {"name": "Cy"}}, key=one).status, 403, "run")
        equal(s.ask("POST", "/v1/programs", {"source": PROGRAM + "// new", "name": "b"}, key=one).status, 403, "replace")
        equal(s.ask("DELETE", "/v1/programs/b", key=one).status, 404, "delete")
        equal([p["name"] for p in s.good("GET", "/v1/programs", key=whole).json()["programs"]], ["a", "b"], "programs")
        s.good("POST", "/v1/programs/a/run", {"args": {"name": "Cy"}}, key=one)
        s.good("DELETE", "/v1/programs/a", key=one)
        for route, body in (
            ("/generate", {"text": "A", "sampling_params": {"max_new_tokens": 1}}),
            ("/v1/completions", {"prompt": "A", "max_tokens": 1}),
            ("/v1/run", {"source": PROGRAM, "args": {"name": "Cy"}}),
            ("/v1/chat/completions", {"model": "program:b", "messages": [{"role": "user", "content": "Cy"}]}),
        ):
            s.good("POST", route, body, key=whole)
            equal(s.ask("POST", route, body, key=other).status, 403, route)


@test("server/background_queue")
def background_queue():
    # What waits is limited; a key that was used before is answered all the same.
    def program(n):
        return {"source": PROGRAM, "args": {"name": "x" * n}, "background": True}

    with folder() as path, serving("--state-dir", path / "state", "--background-runs", 1) as s:
        held = s.good("POST", "/v1/run", {"source": LONG, "background": True}).json()["run"]
        first = s.good("POST", "/v1/run", program(7_000_000), headers={"Idempotency-Key": "k"}).json()["run"]
        answers = [s.ask("POST", "/v1/run", program(7_000_000)).status for _ in range(22)]
        check(answers.count(202) < 20 and set(answers) == {202, 503}, f"{answers}")
        again = s.good("POST", "/v1/run", program(7_000_000), headers={"Idempotency-Key": "k"}).json()
        equal((again["run"], again["repeated"]), (first, True), "a repeated key")
        s.good("DELETE", f"/v1/runs/{held}")


@test("server/quota_of_programs")
def quota_of_programs():
    # What a run may need is judged with the tokens that the request allows to a generation.
    source = 'program p() -> string {\n  user "Hi"\n  assistant { gen a: string }\n  return a\n}\n'
    with folder() as path, serving("--state-dir", path / "state") as s:
        asked = {"tenant": "acme", "scopes": ["programs:run"], "quotas": {"max_context": 500}}
        token = s.good("POST", "/v1/admin/tokens", asked, key=ADMIN).json()["token"]
        s.good("POST", "/v1/run", {"source": source, "max_tokens": 8}, key=token)
        equal(s.ask("POST", "/v1/run", {"source": source, "max_tokens": 100_000}, key=token).status, 422, "over the quota")
