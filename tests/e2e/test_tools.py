"""Tools of programs: bound in tools.toml, called by sgl run and by the server, against an endpoint of this test."""
import contextlib
import http.server
import json
import signal
import subprocess
import threading
import time

from serving import serving
from support import check, command, environment, equal, fails, folder, model, ok, patient, test

PROGRAM = """/// Weather of a city.
tool weather(city: string, days: int = 1) -> { degrees: int, sky: string }
tool slow(n: int) -> int
tool broken() -> string

program trip(cities: list<string> = ["Graz", "Oslo"]) -> list<string> {
  var out: list<string> = []
  for city in cities {
    let w = weather(city)
    out += ["{city}: {w.degrees} {w.sky}"]
  }
  return out
}

program pair() -> int {
  let a = slow(1)
  let b = slow(2)
  return a + b
}

program careful() -> string {
  try {
    return broken()
  } catch e {
    return "{e.kind}: {e.message}"
  }
}

program careless() -> string { return broken() }
"""


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *words):
        pass

    def handle(self):
        with contextlib.suppress(ConnectionError):  # a caller that gave up
            super().handle()

    def reply(self, status, body, **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        if self.path.startswith("/moved"):
            return self.reply(302, {}, Location=self.server.target)
        if self.path.startswith("/here"):
            return self.reply(200, {"value": "moved here"})
        return self.reply(200, {"path": self.path})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, dict(self.headers), body))
        if self.path == "/weather":
            return self.reply(200, {"data": {"degrees": len(body["city"]), "sky": "clear"}})
        if self.path == "/slow":
            self.server.spans.append([time.monotonic(), None])
            span = self.server.spans[-1]
            time.sleep(0.6)
            span[1] = time.monotonic()
            return self.reply(200, body["n"])
        if self.path == "/wrong":
            return self.reply(200, 12)
        if self.path == "/drip":
            with contextlib.suppress(ConnectionError):
                for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 200:
                    self.wfile.write(bytes([byte]))
                    time.sleep(0.1)
            return None
        if self.path == "/large":
            return self.reply(200, b'"' + b"x" * 5000 + b'"')
        return self.reply(500, {"error": "out of order"})


@contextlib.contextmanager
def endpoint():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.seen, server.spans, server.target = [], [], ""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def bind(path, port, broken="/broken", extra=""):
    url = f"http://127.0.0.1:{port}"
    (path / "secret").write_text("open sesame\n")
    (path / "tools.toml").write_text(
        f'[tools.weather]\nurl = "{url}/weather"\nresult = "/data"\nallow_private = true\n'
        'headers = { Authorization = "Bearer ${file:secret}" }\n'
        f'[tools.slow]\nurl = "{url}/slow"\nallow_private = true\n'
        f'[tools.broken]\nurl = "{url}{broken}"\nallow_private = true\n{extra}'
    )
    (path / "trip.sgl").write_text(PROGRAM)
    return path / "trip.sgl", path / "tools.toml"


@test("tools/run")
def in_run():
    with folder() as path, endpoint() as server:
        source, tools = bind(path, server.server_port)
        out = ok("sgl", "run", source, "--program", "trip", "--tools", tools, "--json", "--quiet").out
        equal(json.loads(out), ["Graz: 4 clear", "Oslo: 4 clear"], "the result")
        equal(server.seen[0][2], {"city": "Graz", "days": 1}, "the arguments, with the default")
        equal(server.seen[0][1]["Authorization"], "Bearer open sesame", "the secret")
        trace = ok("sgl", "run", source, "--program", "trip", "--tools", tools, "--trace", "--stats").err
        check('tool weather {"city":"Graz","days":1}' in trace and "tool calls:       2" in trace, trace)
        check("sesame" not in trace, "a secret in the trace")
        equal(ok("sgl", "run", source, "--program", "pair", "--tools", tools, "--json", "--quiet").out, "3\n", "two calls")
        (_, first_end), (second_begin, _) = server.spans
        check(second_begin < first_end, "independent calls run side by side")
        out = ok("sgl", "run", source, "--program", "careful", "--tools", tools, "--json", "--quiet").out
        equal(json.loads(out), "failed: tool 'broken': it answered with status 500: {\"error\": \"out of order\"}", "caught")
        fails(1, r"trip.sgl:\d+:\d+: failed: tool 'broken': it answered with status 500", "sgl", "run", source, "--program", "careless", "--tools", tools, "--quiet")
        fails(2, r"tool 'broken' is bound to nothing; pass --tools FILE|tool 'weather' is bound to nothing; pass --tools FILE", "sgl", "run", source, "--program", "trip")


@test("tools/drip")
def drip():
    # An endpoint that sends a byte of its headers now and then holds a call no longer than its timeout.
    with folder() as path, endpoint() as server:
        source, tools = bind(path, server.server_port, "/drip", 'timeout = "500ms"\n')
        begin = time.monotonic()
        fails(1, r"unavailable: tool 'broken' did not answer within 500 ms", "sgl", "run", source, "--program", "careless", "--tools", tools, "--quiet")
        check(time.monotonic() - begin < 15, "the call ended before the endpoint's 22 seconds were over")


@test("tools/interrupt")
def interrupt():
    # Ctrl-C ends a run that waits for a tool.
    with folder() as path:
        (path / "p.sgl").write_text("tool nap() -> int\nprogram main() -> int { return nap() }\n")
        (path / "tools.toml").write_text('[tools.nap]\ncommand = ["sh", "-c", "sleep 30; echo 1"]\ntimeout = "1m"\n')
        process = subprocess.Popen(command("sgl", "run", path / "p.sgl", "--tools", path / "tools.toml", "--allow-exec", "--quiet"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        time.sleep(0.7)
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        equal(process.wait(patient(20)), 130, "exit code")
        check(time.monotonic() - begin < 10, "an interrupted run ends soon")


@test("tools/answers")
def answers():
    with folder() as path, endpoint() as server:
        for broken, extra, pattern in (
            ("/wrong", "", r"tool 'broken': answer: expected a string"),
            ("/large", "max_response = 100\n", r"limit: tool 'broken': the answer has more than 100 bytes"),
        ):
            source, tools = bind(path, server.server_port, broken, extra)
            fails(1, pattern, "sgl", "run", source, "--program", "careless", "--tools", tools, "--quiet")
        source, tools = bind(path, server.server_port)
        tools.write_text(tools.read_text().replace("/slow\"", "/slow\"\ntimeout = \"50ms\""))
        fails(1, r"unavailable: tool 'slow' did not answer within 50 ms", "sgl", "run", source, "--program", "pair", "--tools", tools, "--quiet")


@test("tools/addresses")
def addresses():
    # Neither a name that leads to this machine nor a redirect gets past the rules.
    with folder() as path, endpoint() as server, endpoint() as other:
        source, tools = bind(path, server.server_port)
        tools.write_text(tools.read_text().replace("allow_private = true", "allow_private = false"))
        fails(1, r"failed: tool 'broken': the host '127.0.0.1' has no public address", "sgl", "run", source, "--program", "careless", "--tools", tools, "--quiet")
        source, tools = bind(path, server.server_port, "/moved", 'method = "GET"\nresult = "/value"\n')
        server.target = f"http://localhost:{other.server_port}/here"
        fails(1, r"it redirects to a place that its 'hosts' do not allow", "sgl", "run", source, "--program", "careless", "--tools", tools, "--quiet")
        equal(other.seen, [], "requests that reached the other place")
        source, tools = bind(path, server.server_port, "/moved", 'method = "GET"\nresult = "/value"\nhosts = ["127.0.0.1", "localhost"]\nheaders = { X-Key = "k" }\n')
        out = ok("sgl", "run", source, "--program", "careless", "--tools", tools, "--json", "--quiet").out
        equal(json.loads(out), "moved here", "a redirect that is allowed")
        check("X-Key" in server.seen[-1][1] and "X-Key" not in other.seen[-1][1], "secrets are for the binding's own host")


@test("tools/commands")
def commands():
    with folder() as path:
        (path / "p.sgl").write_text('tool shout(text: string) -> string\nprogram main() -> string { return shout("hi") }\n')
        (path / "shout.py").write_text("import json, sys\nprint(json.dumps(json.load(sys.stdin)['text'].upper() + '!'))\n")
        (path / "tools.toml").write_text(f'[tools.shout]\ncommand = ["python3", "{path / "shout.py"}"]\n')
        equal(ok("sgl", "run", path / "p.sgl", "--tools", path / "tools.toml", "--allow-exec", "--json", "--quiet").out, '"HI!"\n', "the command's answer")
        fails(2, r"tool 'shout': a 'command' can be bound only in `sgl run --allow-exec`", "sgl", "run", path / "p.sgl", "--tools", path / "tools.toml")
        fails(2, r"--allow-exec", "sgl", "serve", "--model-path", model(), "--port", "0", "--tools", path / "tools.toml")


@test("tools/server")
def on_server():
    with folder() as path, endpoint() as server:
        source, tools = bind(path, server.server_port)
        with serving("--tools", tools) as s:
            body = {"source": PROGRAM, "program": "trip", "args": {"cities": ["Wien"]}}
            answer = s.good("POST", "/v1/run", body).json()
            equal(answer["result"], ["Wien: 4 clear"], "the result")
            equal(answer["usage"]["tool_calls"], 1, "usage")
            equal(s.good("POST", "/v1/run", {**body, "program": "pair", "args": {}}).json()["result"], 3, "side by side")
            check("sesame" not in "".join(s.log), "a secret in the log")
            refused = s.ask("POST", "/v1/run", {"source": "tool other() -> int\nprogram main() -> int { return other() }\n"})
            equal(refused.status, 422, f"{refused!r}")
            check("tool 'other' of the program is bound to nothing on this server" in refused.body.decode(), f"{refused!r}")


@test("tools/catch_context")
def context_after_catch():
    # What a failed try wrote is gone: the model sees the same as without it.
    plain = 'program main() -> string {\n  user "Say something about a cat."\nTRY  assistant { gen a: string with max_tokens = 12, temperature = 0 }\n  return a\n}\n'
    tried = '  try {\n    assistant {\n      "A half "\n      gen b: string with max_tokens = 3, temperature = 0\n    }\n    user "junk"\n    fail "no"\n  } catch { }\n'
    with folder() as path:
        (path / "a.sgl").write_text(plain.replace("TRY", ""))
        (path / "b.sgl").write_text(plain.replace("TRY", tried))
        a = ok("sgl", "run", path / "a.sgl", "--json", "--quiet").out
        equal(ok("sgl", "run", path / "b.sgl", "--json", "--quiet").out, a, "the text after a failed try")
