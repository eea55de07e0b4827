"""sgl serve when things go wrong: full disks, locked databases, slow models, clients that leave, crashes; JWTs and client
certificates."""
import base64
import concurrent.futures
import hashlib
import hmac
import http.client
import json
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import time

from serving import KEY, PROGRAM, certificate, serving
from support import Skip, check, equal, eventually, fails, folder, ok, patient, run, test

ONE = "program main() -> int { return 1 }\n"


@test("server/disk")
def disk():
    # The audit log is on a full disk: requests go on, and it is said.
    with serving("--audit-log", "/dev/full") as s:
        s.good("POST", "/generate", {"text": "Hi", "sampling_params": {"max_new_tokens": 2}})
        def lost():
            return int(re.search(r"^sgl_audit_lines_lost_total (\d+)", s.good("GET", "/metrics").body.decode(), re.M)[1])

        check(eventually(lambda: lost() >= 1), "no line was lost")
        check(eventually(lambda: "audit log cannot be written" in "".join(s.log)), s.log)
    # Somebody else holds the database: nothing is acknowledged that is not stored, everything else goes on.
    with folder() as path, serving("--state-dir", path / "state") as s:
        other = sqlite3.connect(path / "state" / "runs.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        refused = s.ask("POST", "/v1/run", {"source": ONE, "background": True})
        equal(refused.status, 503, f"{refused!r}")
        check("retry-after" in refused.headers, f"{refused!r}")
        equal(s.good("POST", "/v1/run", {"source": ONE}).json()["result"], 1, "a run that needs no store")
        other.execute("ROLLBACK")
        run = s.good("POST", "/v1/run", {"source": ONE, "background": True}).json()["run"]
        eventually(lambda: s.good("GET", f"/v1/runs/{run}").json()["status"] == "succeeded", 5)
        equal(s.good("GET", f"/v1/runs/{run}").json()["result"], 1, "the run after the lock is gone")


@test("server/lost")
def lost():
    # The database is deleted under the server: nothing more is acknowledged, and what needs no store goes on.
    with folder() as path, serving("--state-dir", path / "state") as s:
        s.good("POST", "/v1/run", {"source": ONE, "background": True})
        for file in (path / "state").glob("runs.db*"):
            file.unlink()
        refused = s.ask("POST", "/v1/run", {"source": ONE, "background": True})
        equal(refused.status, 503, f"{refused!r}")
        check("deleted or replaced" in "".join(s.log) or "deleted or replaced" in refused.body.decode(), f"{refused!r} {s.log}")
        equal(s.good("POST", "/v1/run", {"source": ONE}).json()["result"], 1, "a run that needs no store")
        s.good("POST", "/generate", {"text": "Hi", "sampling_params": {"max_new_tokens": 2}})


@test("server/timeout")
def timeout():
    with serving("--request-timeout", 1, "--context-length", 2000) as s:
        long = {"text": ["Once"] * 40, "sampling_params": {"max_new_tokens": 1900, "ignore_eos": True}}
        answer = s.ask("POST", "/generate", long)
        equal(answer.status, 408, f"{answer!r}")
        equal(s.good("GET", "/get_server_info").json()["requests_in_work"], 1, "requests in work")


def jwt(secret, claims, alg="HS256"):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    text = part({"alg": alg}) + b"." + part(claims)
    signature = hmac.new(secret.encode(), text, hashlib.sha256).digest() if alg == "HS256" else b""
    return (text + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


@test("server/jwt")
def jwts():
    secret = "a shared secret of thirty-two bytes or more"
    with folder() as path:
        (path / "keys.secret").write_text(secret + "\n")
        with serving("--jwt-keys", path / "keys.secret", "--jwt-audience", "sgl") as s:
            claims = {"sub": "anna", "aud": "sgl", "exp": time.time() + 60, "tenant": "acme", "scope": "generate other"}
            good = jwt(secret, claims)
            s.good("GET", "/v1/models", key=good)
            equal(s.ask("POST", "/v1/run", {"source": ONE}, key=good).status, 403, "a scope that it lacks")
            for bad, why in ((jwt("another secret of thirty-two bytes or more", claims), "signature"), (jwt(secret, claims, "none"), "algorithm"),
                             (jwt(secret, {**claims, "exp": time.time() - 60}), "expired"), (jwt(secret, {**claims, "aud": "x"}), "audience")):
                answer = s.ask("GET", "/v1/models", key=bad)
                equal(answer.status, 401, why)
                check(why in answer.json()["error"]["message"], f"{answer!r}")
            usage = s.good("GET", "/v1/admin/usage", key="e2e-admin-0123456789abcdef").json()
            check(isinstance(usage["since_start"], list), usage)


@test("server/mtls")
def mtls():
    if not shutil.which("openssl"):
        raise Skip("the command openssl is not installed")
    with folder() as path:
        cert, key = certificate(path)

        def run(*words):
            subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, cwd=path)

        run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA", "-days", "2")
        for name in ("ci", "stranger"):
            run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/O=Acme/CN={name}")
            run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.pem", "-days", "2")
        rule = "CN=ci,O=Acme=builds:generate"
        tls = ("--ssl-certfile", cert, "--ssl-keyfile", key, "--ssl-ca-certs", path / "ca.pem")
        with serving(*tls, "--ssl-cert-reqs", "required", "--client-cert", rule, cafile=cert) as s:
            def status(name):
                context = ssl.create_default_context(cafile=cert)
                if name:
                    context.load_cert_chain(path / f"{name}.pem", path / f"{name}.key")
                connection = http.client.HTTPSConnection("localhost", s.port, context=context, timeout=patient(20))
                try:
                    connection.request("GET", "/v1/models")
                    return connection.getresponse().status
                except (ssl.SSLError, ConnectionError, http.client.HTTPException):
                    return 0
                finally:
                    connection.close()

            equal(status("ci"), 200, "the certificate that a rule names")
            equal(status("stranger"), 401, "a certificate that no rule names")
            equal(status(None), 0, "no certificate")


@test("server/doctor")
def doctor():
    with folder() as path:
        out = ok("sgl", "doctor", "--state-dir", path / "state").out
        check("no problem found" in out, out)
        config = ok("sgl", "serve", "--state-dir", path / "state", "--print-config").out
        (path / "serve.toml").write_text(config)
        check("state" in ok("sgl", "serve", "--config", path / "serve.toml", "--print-config").out, "a printed configuration reads back")


@test("server/doctor_tools")
def doctor_tools():
    with folder() as path:
        secret, tools = path / "weather.key", path / "tools.toml"
        secret.write_text("open sesame\n")
        secret.chmod(0o600)

        def doctor_says(text, problem, mode=0o600):
            """Whether the doctor of `text` as tools.toml finds `problem`, or none where that is None."""
            tools.write_text(text)
            tools.chmod(mode)
            done = run("sgl", "doctor", "--tools", tools)
            check("sesame" not in done.out + done.err, f"a secret is shown: {done!r}")
            if problem is None:
                return done.code == 0 and "no problem found" in done.out and "binds 1 tools" in done.out
            return done.code == 1 and re.search(r"PROBLEM  .*" + problem, done.out)

        good = '[tools.weather]\nurl = "https://api.example.com/v1"\nheaders = { Authorization = "Bearer ${file:weather.key}", Accept = "text/plain" }\n'
        for text, problem in (
            (good, None),
            (good.replace("${file:weather.key}", "sesame"), "tool 'weather' has its header 'Authorization' written out"),
            (good.replace("${file:weather.key}", "${env:SGL_NO_SUCH_SECRET}"), "the environment has no variable 'SGL_NO_SUCH_SECRET'"),
            (good.replace("weather.key", "other.key"), "other.key"),
            (good.replace("https", "http"), "http:// only for this machine"),
            (good + 'hosts = ["api.example.com", "*.com"]\n', "redirected to any host below 'com'"),
            (good + 'hosts = ["other.example.com"]\n', "a list that has the URL's own host"),
            (good + 'hots = []\n', "there is no key 'hots'"),
            (good.replace("https://api.example.com", "http://127.0.0.1:9"), "every call of the tool 'weather' will be refused"),
            ('[tools.sh]\ncommand = ["sh"]\n', "can be bound only in `sgl run --allow-exec`"),
        ):
            check(doctor_says(text, problem), f"{problem}: {text}\n{run('sgl', 'doctor', '--tools', tools)!r}")
        check("advice   the tool 'weather' may reach private addresses" in run_doctor(tools, good + "allow_private = true\n"), "allow_private is advised against")
        check(doctor_says(good, "can be changed by others \\(mode 622\\)", 0o622), "a file that others can write")
        secret.chmod(0o644)
        check(doctor_says(good, "a secret of the tool 'weather', '.*weather.key' can be read or written by others"), "a secret that others can read")
        fails(1, "", "sgl", "doctor", "--tools", path / "nothing.toml")


def run_doctor(tools, text):
    tools.write_text(text)
    return ok("sgl", "doctor", "--tools", tools).out


@test("server/endings")
def endings():
    # A client that goes away frees its sequence; SIGTERM drains; SIGTERM twice ends.
    with serving() as s:
        connection = s.connect()
        body = json.dumps({"text": "Once", "sampling_params": {"max_new_tokens": 1900, "ignore_eos": True}, "stream": True})
        connection.request("POST", "/generate", body=body, headers={"Authorization": f"Bearer {KEY}"})
        connection.getresponse().read(200)
        connection.sock.shutdown(socket.SHUT_RDWR)
        connection.close()
        alone = eventually(lambda: s.good("GET", "/get_server_info").json()["requests_in_work"] == 1, 5)
        check(alone, "the request is still in work after its client has gone")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            running = pool.submit(s.ask, "POST", "/generate", {"text": "Once", "sampling_params": {"max_new_tokens": 300, "ignore_eos": True}})
            time.sleep(0.2)
            s.process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
            equal(s.ask("GET", "/ready", key=None).status, 503, "ready while draining")
            equal(running.result().json()["meta_info"]["completion_tokens"], 300, "a request in work when the server drains")
        equal(s.process.wait(patient(30)), 0, "exit code after draining")


@test("server/crash")
def crash():
    # Background runs survive kill -9: after a restart each has exactly one result.
    with folder() as path:
        ids = []
        with serving("--state-dir", path / "state", "--background-runs", 4) as s:
            for i in range(200):
                ids.append(s.good("POST", "/v1/run", {"source": PROGRAM, "args": {"name": f"n{i}"}, "background": True}).json()["run"])
            s.process.send_signal(signal.SIGKILL)
            s.process.wait()
        with serving("--state-dir", path / "state") as s:
            results = {}

            def all_done():
                for run in ids:
                    if run not in results:
                        state = s.good("GET", f"/v1/runs/{run}").json()
                        if state["status"] not in ("queued", "running"):
                            results[run] = state
                return len(results) == len(ids)

            eventually(all_done, 120)
            equal(len(results), 200, "finished runs")
            for i, run in enumerate(ids):
                equal(results[run].get("result", {}).get("text"), f"hello n{i}", f"{results[run]}")
            # What was taken up is charged to whom it was admitted for, and nothing of it is left in work.
            usage = s.good("GET", "/v1/admin/usage", key="e2e-admin-0123456789abcdef").json()["since_start"]
            check(sum(u["generated_tokens"] for u in usage) > 0, usage)
            equal([u["in_work"] for u in usage if u["id"] == "key"], [0], "requests in work")


@test("server/logs")
def logs():
    # What a client sends cannot break a log's lines, in text or JSON.
    with serving("--log-json") as s:
        s.ask("GET", '/a"b\\c%22%5C', headers={"traceparent": '00-"x\\"-01'})
        s.good("GET", "/v1/models")
        equal(s.stop(), 0, "exit code")
        time.sleep(0.2)
        lines = [json.loads(line) for line in s.log if not line.startswith("sgl: ")]
        check(any("/a?b?c??" in line["message"] and "traceparent=00-?x??-01" in line["message"] for line in lines), lines)
