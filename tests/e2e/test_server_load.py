"""sgl serve with clients nobody here wrote, with many clients at once, and between tenants."""
import asyncio
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import time

from serving import ADMIN, KEY, certificate, serving
from support import ROOT, Skip, check, environment, equal, fails, folder, model, ok, patient, sanitized, test

CLIENTS = pathlib.Path(os.environ.get("SGL_TEST_CLIENTS", ROOT / "build" / "test-clients"))


@test("server/clients")
def clients():
    if not (CLIENTS / "node_modules" / "openai").exists() or not shutil.which("node"):
        raise Skip("the JavaScript clients are not here: scripts/fetch_test_clients.sh")
    with folder() as path:
        cert, key = certificate(path)
        with serving("--ssl-certfile", cert, "--ssl-keyfile", key, "--served-model-name", "default", cafile=cert) as s:
            env = environment({"BASE": f"https://localhost:{s.port}", "KEY": KEY, "CLIENTS": str(CLIENTS), "NODE_EXTRA_CA_CERTS": cert})
            done = subprocess.run(["node", str(ROOT / "tests/e2e/clients/clients.mjs")], env=env, capture_output=True, timeout=patient(300), check=False)
            check(done.returncode == 0, f"{done.stdout.decode()}\n{done.stderr.decode()[:2000]}")
            check(done.stdout.decode().count("ok ") >= 9, done.stdout.decode())


@test("server/curl")
def curl():
    if not shutil.which("curl"):
        raise Skip("curl is not installed")
    with folder() as path:
        cert, key = certificate(path)
        with serving("--ssl-certfile", cert, "--ssl-keyfile", key, cafile=cert) as s:
            base = ["curl", "-sS", "--fail-with-body", "--cacert", cert, "-H", f"Authorization: Bearer {KEY}"]
            url = f"https://localhost:{s.port}"

            def get(*words):
                done = subprocess.run([*base, *words], capture_output=True, timeout=patient(60), check=False)
                return done.returncode, done.stdout.decode()

            code, out = get(f"{url}/generate", "-d", '{"text":"Once upon a time","sampling_params":{"max_new_tokens":4}}')
            check(code == 0 and json.loads(out)["meta_info"]["completion_tokens"] <= 4, out)
            code, out = get("-N", f"{url}/generate", "-d", '{"text":"Once","stream":true,"sampling_params":{"max_new_tokens":4}}')
            check(code == 0 and out.endswith("data: [DONE]\n\n"), out)
            # A chunked body, and one that waits for 100 Continue.
            (path / "body.json").write_text(json.dumps({"prompt": "word " * 50_000}))
            code, out = get(f"{url}/tokenize", "-H", "Transfer-Encoding: chunked", "-d", f"@{path}/body.json")
            check(code == 0 and json.loads(out)["count"] > 50_000, out[:200])
            code, out = get(f"{url}/tokenize", "-H", "Expect: 100-continue", "-d", f"@{path}/body.json")
            check(code == 0, out[:200])
            done = subprocess.run(["curl", "-sS", f"{url}/health"], capture_output=True, check=False)
            equal(done.returncode, 60, "curl without the certificate")


@test("server/remote")
def remote():
    # A program on a server prints what it prints here; background runs from the command line.
    source = str(ROOT / "examples" / "judge.sgl")
    arguments = ["--args", ROOT / "examples/inputs/judge.json", "--seed", 3]
    with folder() as path:
        cert, key = certificate(path)
        (path / "token").write_text(KEY + "\n")
        with serving("--ssl-certfile", cert, "--ssl-keyfile", key, "--state-dir", path / "state", cafile=cert) as s:
            there = ["--remote", f"https://localhost:{s.port}", "--token-file", path / "token", "--cacert", cert]
            here = ok("sgl", "run", source, *arguments, "--model", model())
            away = ok("sgl", "run", source, *arguments, *there)
            equal(away.out, here.out, "result")
            equal(sorted(away.err.splitlines()), sorted(here.err.splitlines()), "streamed text")
            run_id = ok("sgl", "submit", source, *arguments, *there).out.strip()
            equal(ok("sgl", "result", run_id, "--wait", *there).out, here.out, "background result")
            equal(ok("sgl", "status", run_id, *there).out, "succeeded\n", "status")
            (path / "fail.sgl").write_text('program main() -> int { fail "no" }\n')
            fails(1, "failed: no", "sgl", "run", path / "fail.sgl", *there)
            fails(2, "not trusted", "sgl", "run", source, *arguments, *there[:-2])
            fails(2, "credentials", "sgl", "status", run_id, *there[:2], "--cacert", cert)
            fails(2, "nobody listens", "sgl", "status", run_id, "--remote", "http://127.0.0.1:9")
            fails(2, "https://", "sgl", "status", run_id, "--remote", "http://example.org")


async def connected(port, context):
    return await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost" if context else None)


async def ask(connection, path, body):
    """One request on a connection, which it ends: (status, body, seconds to the first byte of the body)."""
    reader, writer = connection
    data = json.dumps(body).encode()
    start = time.monotonic()
    writer.write(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n"
                 f"Connection: close\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
    await writer.drain()
    head = await reader.readuntil(b"\r\n\r\n")
    first = None
    out = b""
    while piece := await reader.read(65536):
        first = first or time.monotonic() - start
        out += piece
    writer.close()
    return int(head.split()[1]), out, first


@test("server/many")
def many():
    # A thousand streaming clients at once: none fails, none gets another's text.
    prompts = [f"Once upon a time there was a {word}" for word in ("cat", "dog", "bird", "king", "queen", "boy", "girl", "fox", "bear", "tree")]
    with folder() as path:
        cert, key = certificate(path)
        with serving("--ssl-certfile", cert, "--ssl-keyfile", key, "--log-level", "warning", cafile=cert) as s:
            drawn = [{"temperature": 1, "max_new_tokens": 8, "sampling_seed": i} for i in range(10)]
            expected = {p: s.good("POST", "/generate", {"text": p, "sampling_params": d}).json()["text"] for p, d in zip(prompts, drawn)}
            check(len(set(expected.values())) > 5, expected)

            async def all_of_them():
                # All are connected before the first asks: so they ask at once, however long a handshake takes.
                gate = asyncio.Semaphore(32)

                async def connect():
                    async with gate:
                        return await connected(s.port, s.context)

                connections = await asyncio.gather(*(connect() for _ in range(1000)))
                jobs = [ask(c, "/generate", {"text": prompts[i % 10], "sampling_params": drawn[i % 10], "stream": True}) for i, c in enumerate(connections)]
                return await asyncio.gather(*jobs, return_exceptions=True)

            start = time.monotonic()
            answers = asyncio.run(all_of_them())
            seconds = time.monotonic() - start
            for i, answer in enumerate(answers):
                check(not isinstance(answer, BaseException), f"client {i}: {answer!r}")
                status, body, _ = answer
                equal(status, 200, f"client {i}: {body[:300]!r}")
                lines = [line[6:] for line in re.findall(rb"data: .*", body)]
                equal(json.loads(lines[-2])["text"], expected[prompts[i % 10]], f"text of client {i}")
            print(f"     1,000 streaming clients over TLS: {seconds:.1f} s")


@test("server/idle")
def idle():
    # What an idle TLS connection costs, its thread's stack included.
    if sanitized():
        raise Skip("a sanitizer's memory is not the server's")
    with folder() as path:
        cert, key = certificate(path)
        with serving("--ssl-certfile", cert, "--ssl-keyfile", key, "--log-level", "warning", cafile=cert) as s:
            def resident():
                return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{s.process.pid}/status").read_text())[1])

            def open_one():
                c = s.context.wrap_socket(socket.create_connection(("127.0.0.1", s.port), timeout=patient(20)), server_hostname="localhost")
                c.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                check(c.recv(65536).startswith(b"HTTP/1.1 200"), "health")
                return c

            held = [open_one() for _ in range(20)]
            before = resident()
            held += [open_one() for _ in range(400)]
            each = (resident() - before) / 400
            print(f"     an idle TLS connection takes {each:.0f} KiB, stack included")
            check(each < 100, f"{each} KiB per idle connection")
            for c in held:
                c.close()


@test("server/tenants")
def tenants():
    # One tenant's prefixes are not there for another, unless the operator says so.
    prompt = {"text": "The secret of our company is that " * 8, "sampling_params": {"max_new_tokens": 1}}
    for shared in (False, True):
        with folder() as path, serving("--state-dir", path / "state", *(["--share-cache"] if shared else [])) as s:
            def token(tenant):
                return s.good("POST", "/v1/admin/tokens", {"tenant": tenant, "scopes": ["generate", "programs:run", "programs:write"]}, key=ADMIN).json()["token"]

            a, b = token("a"), token("b")

            def cached(key):
                return s.good("POST", "/generate", prompt, key=key).json()["meta_info"]["cached_tokens"]

            equal(cached(a), 0, "the first time")
            check(cached(a) > 50, "the same tenant again")
            other = cached(b)
            check(other > 50 if shared else other == 0, f"cached for another tenant, shared={shared}: {other}")
            s.good("POST", "/flush_cache", key=b)
            check(cached(a) > 50 or shared, "another tenant flushed the cache")
            # Programs and runs are apart too.
            s.good("POST", "/v1/programs", {"source": "program main() -> int { return 1 }\n", "name": "one"}, key=a)
            equal(s.ask("GET", "/v1/programs/one", key=b).status, 404, "another tenant's program")
            done = s.good("POST", "/v1/run", {"source": "program main() -> int { return 1 }\n", "background": True}, key=a).json()["run"]
            equal(s.ask("GET", f"/v1/runs/{done}", key=b).status, 404, "another tenant's run")


@test("server/replicas")
def replicas():
    # Two engines over the same weights: the answers of one, each prompt found again where it was computed.
    def answers(s):
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            def one(i):
                words = " ".join(f"word{i % 8} {j}" for j in range(20))
                return s.good("POST", "/generate", {"text": words, "sampling_params": {"max_new_tokens": 12, "temperature": 0.8, "sampling_seed": i}}).json()["text"]

            return list(pool.map(one, range(32)))

    with serving() as s:
        expected = answers(s)
    with serving("--dp", 2) as s:
        equal(answers(s), expected, "answers of two replicas")
        prompt = {"text": "A long prompt that is asked twice, " * 8, "sampling_params": {"max_new_tokens": 1}}
        first, second = (s.good("POST", "/generate", prompt).json()["meta_info"] for _ in range(2))
        check(first["cached_tokens"] < 3, "cached at first: the token that begins every text, at most")
        check(second["cached_tokens"] > first["prompt_tokens"] * 0.8, f"{second}")
        s.good("POST", "/flush_cache")
        equal(s.good("POST", "/generate", prompt).json()["meta_info"]["cached_tokens"], 0, "cached after a flush")
    fails(2, r"--dp", "sgl", "serve", "--dp", 0)


@test("server/slow")
def slow():
    # A client that dribbles its request does not hold a connection for ever, nor do idle ones when the server ends.
    with serving("--log-level", "warning") as s:
        c = socket.create_connection(("127.0.0.1", s.port), timeout=patient(30))
        start = time.monotonic()
        c.sendall(b"GET /health HTTP/1.1\r\n")
        out = b""
        try:
            for _ in range(40):
                c.sendall(b"X: 1\r\n")
                c.settimeout(0.4)
                try:
                    out = c.recv(65536)
                    break
                except socket.timeout:
                    pass
        except ConnectionError:
            pass
        check(b" 408 " in out, f"{out!r} after {time.monotonic() - start:.1f} s")
        idle_one = socket.create_connection(("127.0.0.1", s.port), timeout=patient(30))
        start = time.monotonic()
        equal(s.stop(), 0, "exit code")
        check(time.monotonic() - start < min(patient(5), 30), "an idle connection holds the server")
        idle_one.close()


@test("server/overhead")
def overhead():
    # What HTTP adds to the time to the first token: a request for no token at all does everything but decode.
    with serving("--log-level", "warning") as s:
        body = {"text": "Hi", "sampling_params": {"max_new_tokens": 0}}

        async def one_by_one():
            return [await ask(await connected(s.port, None), "/generate", body) for _ in range(200)]

        answers = asyncio.run(one_by_one())
        equal({status for status, _, _ in answers}, {200}, "answers")
        times = [seconds for _, _, seconds in answers]
        print(f"     a request for no token takes {statistics.median(times) * 1e3:.2f} ms (median), connection and model step included")


@test("server/wrk")
def wrk():
    """A load generator that nobody here wrote: every answer is a 200, on kept connections, with the server's own count."""
    if not shutil.which("wrk"):
        raise Skip("the command wrk is not installed")
    with folder() as path, serving() as s:
        script = path / "post.lua"
        body = json.dumps({"text": "Once upon a time", "sampling_params": {"max_new_tokens": 2, "ignore_eos": True}})
        script.write_text(f"wrk.method='POST'\nwrk.body=[[{body}]]\nwrk.headers['Content-Type']='application/json'\nwrk.headers['Authorization']='Bearer {KEY}'\n")
        out = subprocess.run(["wrk", "-t", "1", "-c", "16", "-d", "2s", "-s", script, f"http://127.0.0.1:{s.port}/generate"], check=True, capture_output=True, text=True).stdout
        count = re.search(r"(\d+) requests in", out)
        check(count and int(count[1]) >= 16, out)
        check("Non-2xx" not in out and "Socket errors" not in out, out)
        served = re.search(r'^sgl_requests_total\{[^}]*route="/generate"[^}]*\} (\d+)', s.good("GET", "/metrics").body.decode(), re.M)
        check(served and int(served[1]) >= int(count[1]), (served, out))


@test("server/dashboard")
def dashboard():
    # Every metric that the dashboard shows is one that the server has.
    with serving("--log-level", "warning") as s:
        s.good("POST", "/generate", {"text": "Hi", "sampling_params": {"max_new_tokens": 2}})
        s.ask("POST", "/generate", {"text": 1})
        have = set(re.findall(r"^# TYPE (\S+)", s.good("GET", "/metrics").body.decode(), re.M)) | {"sgl_certificate_days_left"}
        shown = set(re.findall(r"sgl_[a-z_]+", (ROOT / "docs" / "grafana.json").read_text()))
        missing = {name for name in shown if name not in have and re.sub(r"_bucket$", "", name) not in have}
        equal(missing, set(), "metrics of the dashboard that the server does not have")
