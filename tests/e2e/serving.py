"""A running `sgl serve` for tests, and a small client over real sockets."""
import contextlib
import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import threading

from support import Setup, check, command, environment, model, patient

KEY = "e2e-key-0123456789abcdef"
ADMIN = "e2e-admin-0123456789abcdef"

PROGRAM = """/// Greets.
program greet(name: string, times: int = 2) -> { text: string, count: int } {
  user "Say hello to {name}"
  assistant { gen word: string with max_tokens = 8, temperature = 0 }
  return { text: "hello {name}", count: times }
}
"""


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {k.lower(): v for k, v in response.getheaders()}
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def events(self):
        """Server-sent events as (id, event, data)."""
        out = []
        for block in self.body.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and not line.startswith(":"))
            if "data" in fields:
                out.append((fields.get("id"), fields.get("event"), fields["data"]))
        return out

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:1000]!r}"


class Server:
    def __init__(self, process, port, cafile, log):
        self.process, self.port, self.log = process, port, log
        self.context = ssl.create_default_context(cafile=cafile) if cafile else None

    def connect(self, timeout=60):
        timeout = patient(timeout)
        if self.context:
            return http.client.HTTPSConnection("localhost", self.port, timeout=timeout, context=self.context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, method, path, body=None, key=KEY, headers=None, timeout=60):
        connection = self.connect(timeout)
        sent = dict(headers or {})
        if key:
            sent["Authorization"] = f"Bearer {key}"
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body=body, headers=sent)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def good(self, method, path, body=None, **options):
        answer = self.ask(method, path, body, **options)
        check(answer.status in (200, 201, 202), f"{method} {path}: {answer!r}")
        return answer

    def raw(self, data, timeout=10):
        """Sends bytes as they are; what comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=patient(timeout)) as plain:
            stream = self.context.wrap_socket(plain, server_hostname="localhost") if self.context else plain
            out = b""
            try:
                stream.sendall(data)
                while True:
                    piece = stream.recv(65536)
                    if not piece:
                        break
                    out += piece
            except (ConnectionError, socket.timeout, ssl.SSLError):
                pass
            return out

    def stop(self, sign=signal.SIGTERM, timeout=60):
        if self.process.poll() is None:
            self.process.send_signal(sign)
        return self.process.wait(patient(timeout))


@contextlib.contextmanager
def serving(*arguments, cafile=None, env=None, keys=True):
    words = command("sgl", "serve", "--model-path", model(), "--port", 0, "--threads", 1, *arguments)
    extra = {"SGL_API_KEY": KEY, "SGL_ADMIN_API_KEY": ADMIN} if keys else {}
    extra.update(env or {})
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment(extra))
    log, ready = [], threading.Event()
    port = []

    def read():
        for line in process.stderr:
            text = line.decode("utf-8", "replace")
            log.append(text)
            found = re.search(r"listening on \S+:(\d+)$", text.strip())
            if found:
                port.append(int(found[1]))
                ready.set()
        ready.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    ready.wait(patient(60))
    if not port:
        process.kill()
        raise AssertionError(f"sgl serve did not start: {''.join(log)}")
    server = Server(process, port[0], cafile, log)
    try:
        yield server
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join(5)


def certificate(folder):
    """A self-signed certificate for localhost: (certificate, key)."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(command("sgl", "cert", "self-signed", "--host", "localhost", "--host", "127.0.0.1", "--cert", cert,
                           "--key", key), check=True, stdout=subprocess.DEVNULL)
    return str(cert), str(key)


__all__ = ["ADMIN", "KEY", "PROGRAM", "Answer", "Server", "Setup", "certificate", "serving"]
