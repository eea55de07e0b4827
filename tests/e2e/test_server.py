"""sgl serve over real sockets: the three dialects, who may do what, TLS, malformed requests, endings."""
import base64
import concurrent.futures
import json
import os
import pathlib
import random
import re
import signal
import socket
import ssl
import stat
import subprocess
import time

import carried
from serving import ADMIN, KEY, PROGRAM, certificate, serving
from support import LONG, check, command, equal, eventually, fails, folder, ok, patient, test


@test("server/native")
def native():
    with serving() as s:
        greedy = {"temperature": 0, "max_new_tokens": 12}
        one = s.good("POST", "/generate", {"text": "Once upon a time", "sampling_params": greedy}).json()
        info = one["meta_info"]
        equal(info["completion_tokens"], 12, "completion tokens")
        equal(info["finish_reason"]["type"], "length", "finish reason")
        check(info["prompt_tokens"] > 0 and info["e2e_latency"] > 0, f"{info}")
        # Streams are cumulative and end as the whole answer does.
        stream = s.good("POST", "/generate", {"text": "Once upon a time", "sampling_params": greedy, "stream": True})
        equal(stream.headers["content-type"], "text/event-stream", "content type")
        data = [d for _, _, d in stream.events()]
        equal(data[-1], "[DONE]", "end of the stream")
        pieces = [json.loads(d) for d in data[:-1]]
        equal(pieces[-1]["text"], one["text"], "streamed text")
        check(all(b["text"].startswith(a["text"]) for a, b in zip(pieces, pieces[1:])), "the stream is not cumulative")
        # Lists, n, input_ids, max_tokens at top level, zero tokens.
        many = s.good("POST", "/generate", {"text": ["A", "Once upon a time"], "sampling_params": greedy}).json()
        equal(many[1]["text"], one["text"], "the same text in a list")
        equal(len(s.good("POST", "/generate", {"text": "A", "sampling_params": {"n": 3, "max_new_tokens": 2}}).json()), 3, "n")
        ids = s.good("POST", "/tokenize", {"prompt": "Once upon a time"}).json()["tokens"]
        equal(s.good("POST", "/generate", {"input_ids": ids, "sampling_params": greedy}).json()["text"], one["text"], "ids")
        equal(s.good("POST", "/generate", {"text": "A", "max_tokens": 3, "sampling_params": {"temperature": 0, "ignore_eos": True}}).json()["meta_info"]["completion_tokens"], 3, "max_tokens")
        none = s.good("POST", "/generate", {"text": "Once", "sampling_params": {"max_new_tokens": 0}}).json()
        equal((none["text"], none["meta_info"]["completion_tokens"]), ("", 0), "no new tokens")
        # Constraints.
        regex = s.good("POST", "/generate", {"text": "Year:", "sampling_params": {"regex": "(19|20)[0-9]{2}", "max_new_tokens": 8}}).json()
        check(regex["text"][:2] in ("19", "20") and len(regex["text"]) == 4, regex)
        schema = json.dumps({"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}, "required": ["n"], "additionalProperties": False})
        made = s.good("POST", "/generate", {"text": "JSON:", "sampling_params": {"json_schema": schema, "max_new_tokens": 40}}).json()
        check(isinstance(json.loads(made["text"])["n"], int), made)
        made = s.good("POST", "/generate", {"text": "JSON:", "sampling_params": [{"json_schema": {"const": 18446744073709551617}, "max_new_tokens": 40}]}).json()
        check(re.fullmatch(r"18446744073709551617(\.0+)?", made["text"]), made)  # more than 64 bits
        sums = 'start: NUMBER ("+" NUMBER)+\nNUMBER: /[0-9]{1,3}/'
        made = s.good("POST", "/generate", {"text": "Sum:", "sampling_params": {"ebnf": sums, "max_new_tokens": 12}}).json()
        check(re.fullmatch(r"\d{1,3}(\+\d{1,3})+", made["text"]), made)
        tags = {"tags": [{"begin": "<n>", "content": {"regex": "[0-9]{2}"}, "end": "</n>"}], "at_least_one": True, "stop_after_first": True}
        made = s.good("POST", "/generate", {"text": "Number:", "sampling_params": {"structural_tag": tags, "max_new_tokens": 40}}).json()
        check(re.search(r"<n>\d\d</n>$", made["text"]), made)
        # Log-probabilities.
        probs = s.good("POST", "/generate", {"text": "Once upon a time", "sampling_params": greedy, "return_logprob": True,
                                             "logprob_start_len": 0, "top_logprobs_num": 2, "return_text_in_logprobs": True}).json()
        info = probs["meta_info"]
        equal(probs["text"], one["text"], "the text with log-probabilities")
        equal(len(info["output_token_logprobs"]), 12, "output log-probabilities")
        equal(len(info["input_token_logprobs"]), info["prompt_tokens"], "input log-probabilities")
        equal(info["input_token_logprobs"][0][0], None, "the first token has no predecessor")
        check(all(p[0] <= 0 for p in info["input_token_logprobs"][1:] + info["output_token_logprobs"]), info)
        for (p, token, text), top in zip(info["output_token_logprobs"], info["output_top_logprobs"]):
            equal(len(top), 2, "top log-probabilities")
            equal((top[0][1], round(top[0][0], 4)), (token, round(p, 4)), "greedy takes the most likely token")
        # Stops.
        word = one["text"].split()[2]
        stopped = s.good("POST", "/generate", {"text": "Once upon a time", "sampling_params": {**greedy, "stop": word}}).json()
        equal(stopped["meta_info"]["finish_reason"], {"type": "stop", "matched": word}, "stop")
        check(word not in stopped["text"], stopped)
        kept = s.good("POST", "/generate", {"text": "Once upon a time", "sampling_params": {**greedy, "stop": [word], "no_stop_trim": True}}).json()
        check(kept["text"].endswith(word), kept)
        last = one["output_ids"][3]
        by_id = s.good("POST", "/generate", {"text": "Once upon a time", "sampling_params": {**greedy, "stop_token_ids": [last]}}).json()
        equal(by_id["meta_info"]["finish_reason"], {"type": "stop", "matched": last}, "stop token")
        # Mistakes.
        for body, pointer in (({"text": "a", "sampling_params": {"temprature": 1}}, "/sampling_params/temprature"),
                              ({"text": 1}, "/text"), ({}, "/text"), ({"text": "a", "nonsense": 1}, "/nonsense"),
                              ({"text": "a", "sampling_params": {"regex": "("}}, "/sampling_params/regex"),
                              ({"text": "a", "sampling_params": {"ebnf": "start: nothing"}}, "/sampling_params/ebnf"),
                              ({"input_ids": [10**9]}, "/input_ids")):
            wrong = s.ask("POST", "/generate", body)
            equal((wrong.status, wrong.json()["error"].get("pointer")), (400, pointer), f"{body}: {wrong!r}")
        for path in ("/get_model_info", "/get_server_info", "/health_generate", "/metrics"):
            answer = s.good("GET", path)
            check(KEY.encode() not in answer.body and ADMIN.encode() not in answer.body, f"{path} shows a key")
        s.good("POST", "/flush_cache")
        equal(s.good("POST", "/abort_request", {"rid": "nobody"}).json(), {"aborted": 0}, "abort")


@test("server/openai")
def openai():
    with serving("--served-model-name", "tiny") as s:
        equal([m["id"] for m in s.good("GET", "/v1/models").json()["data"]], ["tiny"], "models")
        ask = {"model": "tiny", "messages": [{"role": "user", "content": "Tell me a story."}], "temperature": 0, "max_tokens": 12}
        chat = s.good("POST", "/v1/chat/completions", ask).json()
        text = chat["choices"][0]["message"]["content"]
        equal(chat["usage"]["total_tokens"], chat["usage"]["prompt_tokens"] + chat["usage"]["completion_tokens"], "usage")
        stream = s.good("POST", "/v1/chat/completions", {**ask, "stream": True, "stream_options": {"include_usage": True}})
        chunks = [json.loads(d) for _, _, d in stream.events() if d != "[DONE]"]
        equal("".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"]), text, "streamed chat")
        equal(chunks[-1]["usage"]["completion_tokens"], chat["usage"]["completion_tokens"], "streamed usage")
        form = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": False}}}
        made = s.good("POST", "/v1/chat/completions", {**ask, "max_tokens": 60, "response_format": form}).json()
        check(isinstance(json.loads(made["choices"][0]["message"]["content"])["ok"], bool), made)
        form["json_schema"]["schema"] = {"const": 123456789012345678901234567890}
        made = s.good("POST", "/v1/chat/completions", {**ask, "max_tokens": 60, "response_format": form}).json()
        equal(made["choices"][0]["message"]["content"], "123456789012345678901234567890", "a number that no double holds")
        tool = {"type": "function", "function": {"name": "get_weather", "description": "Tells the weather in a city.",
                "parameters": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 30}}, "required": ["city"], "additionalProperties": False}}}
        other = {"type": "function", "function": {"name": "book_hotel", "description": "Books a hotel room.", "parameters": {
                 "type": "object", "properties": {"nights": {"type": "integer"}}, "required": ["nights"], "additionalProperties": False}}}
        call = s.good("POST", "/v1/chat/completions", {**ask, "max_tokens": 80, "messages": [{"role": "user", "content": "What is the weather in Paris?"}],
                                                       "tools": [other, tool], "tool_choice": "required"}).json()["choices"][0]
        equal(call["finish_reason"], "tool_calls", "finish reason of a tool call")
        function = call["message"]["tool_calls"][0]["function"]
        equal(function["name"], "get_weather", "tool")
        check(isinstance(json.loads(function["arguments"])["city"], str), function)
        listed = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": ["city"]}}}
        refused = s.ask("POST", "/v1/chat/completions", {**ask, "tools": [listed]})
        equal((refused.status, "'properties' must be an object" in refused.json()["error"]["message"]), (400, True), f"{refused!r}")
        completion = s.good("POST", "/v1/completions", {"model": "tiny", "prompt": ["Once", "A"], "max_tokens": 4, "n": 2, "logprobs": 1}).json()
        equal(len(completion["choices"]), 4, "choices")
        check(all(len(c["logprobs"]["token_logprobs"]) <= 4 for c in completion["choices"]), completion)
        same = [s.good("POST", "/v1/completions", {"prompt": "Once", "max_tokens": 8, "seed": 5}).json()["choices"][0]["text"] for _ in range(2)]
        equal(same[0], same[1], "the same seed gives the same text")
        probs = s.good("POST", "/v1/chat/completions", {**ask, "logprobs": True, "top_logprobs": 2}).json()["choices"][0]["logprobs"]["content"]
        check(all(len(p["top_logprobs"]) == 2 and p["logprob"] <= 0 for p in probs), probs)
        equal(s.ask("POST", "/v1/embeddings", {"input": "a"}).status, 501, "embeddings")
        text = s.good("POST", "/v1/tokenize", {"prompt": "Grüße, Welt"}).json()
        equal(s.good("POST", "/v1/detokenize", {"tokens": text["tokens"], "skip_special_tokens": True}).json()["prompt"], "Grüße, Welt", "round trip")
        wrong = s.ask("POST", "/v1/chat/completions", {**ask, "messages": [{"role": "robot", "content": "x"}]})
        equal((wrong.status, wrong.json()["error"]["param"]), (400, "messages[0].role"), f"{wrong!r}")
        equal(s.ask("POST", "/v1/chat/completions", {**ask, "model": "other"}).json()["error"]["code"], "model_not_found", "model")


@test("server/programs")
def programs():
    with folder() as path, serving("--state-dir", path / "state", "--audit-log", path / "audit.jsonl") as s:
        made = s.good("POST", "/v1/programs", {"source": PROGRAM, "name": "greet"}).json()
        equal((made["name"], made["version"], made["programs"][0]["program"]), ("greet", 1, "greet"), "program")
        equal(s.good("GET", "/v1/programs").json()["programs"][0]["id"], made["id"], "list")
        document = s.good("GET", "/v1/programs/greet/openapi.json").json()
        check("/v1/programs/greet/run" in document["paths"], document)
        ran = s.good("POST", "/v1/programs/greet/run", {"args": {"name": "Ann"}}).json()
        equal(ran["result"], {"text": "hello Ann", "count": 2}, "result")
        # The same as a local run.
        (path / "greet.sgl").write_text(PROGRAM)
        local = ok("sgl", "run", path / "greet.sgl", "--model", os.environ.get("SGL_TEST_MODEL", "models/default"), "--arg", "name=Ann", "--quiet")
        equal(json.loads(local.out), ran["result"], "local run")
        for body, pointer in (({"args": {}}, "/args/name"), ({"args": {"name": 1}}, "/args/name"), ({"args": {"nme": "a"}}, "/args/nme"), ({"arg": {}}, "/arg")):
            wrong = s.ask("POST", "/v1/programs/greet/run", body)
            equal((wrong.status, wrong.json()["error"]["pointer"]), (400, pointer), f"{wrong!r}")
        bad = s.ask("POST", "/v1/programs", {"source": "program main() -> int { return nme }\n"})
        equal((bad.status, bad.json()["error"]["diagnostics"][0]["line"]), (422, 1), f"{bad!r}")
        failed = s.ask("POST", "/v1/run", {"source": "program main() -> int { fail \"no\" }\n"})
        equal((failed.status, failed.json()["error"]["message"]), (422, "no"), f"{failed!r}")
        # Events; a reader that comes back goes on where it was.
        stream = s.good("POST", "/v1/run", {"source": PROGRAM, "args": {"name": "Bo"}, "stream": True})
        events = stream.events()
        equal([e[1] for e in events][0], "start", "first event")
        equal(events[-1][1], "result", "last event")
        equal([int(e[0]) for e in events], list(range(1, len(events) + 1)), "ids of events")
        run = stream.headers["x-run-id"]
        again = s.good("GET", f"/v1/runs/{run}/events", headers={"Last-Event-ID": events[1][0]}).events()
        equal(again, events[2:], "events after a reconnect")
        # In the background, once for an idempotency key; cancelled.
        accepted = s.good("POST", "/v1/run", {"source": PROGRAM, "args": {"name": "Cy"}, "background": True}, headers={"Idempotency-Key": "one"}).json()
        repeat = s.good("POST", "/v1/run", {"source": PROGRAM, "args": {"name": "Cy"}, "background": True}, headers={"Idempotency-Key": "one"}).json()
        equal((repeat["run"], repeat["repeated"]), (accepted["run"], True), "idempotency")

        def state_of(run):
            return s.good("GET", f"/v1/runs/{run}").json()

        eventually(lambda: state_of(accepted["run"])["status"] not in ("queued", "running"))
        state = state_of(accepted["run"])
        equal(state["result"]["text"], "hello Cy", "background result")
        long = s.good("POST", "/v1/run", {"source": LONG, "background": True}).json()
        time.sleep(0.3)
        s.good("DELETE", f"/v1/runs/{long['run']}")
        check(eventually(lambda: state_of(long["run"])["status"] == "cancelled"), "the run was not cancelled")
        chat = s.good("POST", "/v1/chat/completions", {"model": "program:greet", "messages": [{"role": "user", "content": "Dee"}]}).json()
        equal(json.loads(chat["choices"][0]["message"]["content"])["text"], "hello Dee", "a program as a model")
        s.good("DELETE", "/v1/programs/greet")
        equal(s.ask("GET", "/v1/programs/greet").status, 404, "deleted")
        equal(s.stop(), 0, "exit code")
        ok("sgl", "audit", "verify", path / "audit.jsonl")
        lines = [json.loads(line) for line in (path / "audit.jsonl").read_text().splitlines()]
        check(any(line["route"] == "/v1/programs/{id}/run" and line.get("program") == made["id"] for line in lines), "audit")
        check("Ann" not in (path / "audit.jsonl").read_text(), "the audit log has a prompt")


@test("server/carried_constraints")
def carried_constraints():
    """A plan cannot bring the server to generate what its type does not allow."""
    program = "program main() -> string {\n  user \"Letters:\"\n  assistant { gen it: regex(/[%s]{4}/) }\n  return it\n}\n"
    with folder() as path, serving("--state-dir", path / "state") as s:
        plans = []
        for name, letters in (("true", "a-c"), ("donor", "x-z")):
            (path / f"{name}.sgl").write_text(program % letters)
            ok("sglc", "compile", path / f"{name}.sgl", "-o", path / f"{name}.sglp")
            plans.append((path / f"{name}.sglp").read_bytes())
        forged = carried.forged(*plans)
        (path / "forged.sglp").write_bytes(forged)
        # Who runs a file believes it; so the forgery is one.
        local = ok("sgl", "run", path / "forged.sglp", "--model", os.environ.get("SGL_TEST_MODEL", "models/default"), "--quiet")
        check(re.fullmatch(r'"[x-z]{4}"\n', local.out), f"{local!r}")
        sent = base64.urlsafe_b64encode(forged).rstrip(b"=").decode()
        for seed in range(5):
            ran = s.good("POST", "/v1/run", {"plan": sent, "seed": seed}).json()
            check(re.fullmatch("[a-c]{4}", ran["result"]), f"{ran}")
        s.good("POST", "/v1/programs", {"plan": sent, "name": "forged"})
        check(re.fullmatch("[a-c]{4}", s.good("POST", "/v1/programs/forged/run", {}).json()["result"]), "a stored plan")
        accepted = s.good("POST", "/v1/run", {"plan": sent, "background": True}).json()
        for _ in range(200):
            state = s.good("GET", f"/v1/runs/{accepted['run']}").json()
            if state["status"] not in ("queued", "running"):
                break
            time.sleep(0.05)
        check(re.fullmatch("[a-c]{4}", state["result"]), f"{state}")


ROUTES = ("POST /generate", "PUT /generate", "POST /abort_request", "POST /flush_cache", "GET /flush_cache", "GET /health_generate",
          "GET /get_model_info", "GET /model_info", "GET /get_server_info", "GET /server_info", "GET /metrics", "GET /v1/models",
          "GET /v1/models/x", "POST /v1/chat/completions", "POST /v1/completions", "POST /v1/embeddings", "POST /tokenize",
          "POST /detokenize", "POST /v1/tokenize", "POST /v1/detokenize", "POST /v1/programs", "GET /v1/programs", "GET /v1/programs/x",
          "GET /v1/programs/x/openapi.json", "DELETE /v1/programs/x", "POST /v1/run", "POST /v1/programs/x/run", "GET /v1/runs/x",
          "GET /v1/runs/x/events", "DELETE /v1/runs/x", "POST /v1/admin/tokens", "GET /v1/admin/tokens", "GET /v1/admin/tokens/x",
          "DELETE /v1/admin/tokens/x", "POST /v1/admin/tokens/x/rotate", "GET /v1/admin/usage", "GET /nothing", "PATCH /v1/run", "OPTIONS /v1/run")


@test("server/auth")
def auth():
    with folder() as path, serving("--state-dir", path / "state") as s:
        for route in ROUTES:
            method, target = route.split()
            answer = s.ask(method, target, {} if method in ("POST", "PUT") else None, key=None)
            equal(answer.status, 401, f"{route} without credentials: {answer!r}")
            check("www-authenticate" in answer.headers and "error" in answer.json(), f"{route}: {answer!r}")
        for target in ("/health", "/ready"):
            check(list(s.good("GET", target, key=None).json()) == ["status"], "health says more than its status")
        for method in ("TRACE", "BREW"):
            equal(s.ask(method, "/v1/run", key=None).status, 501, method)
        wrong = s.ask("GET", "/v1/models", key="wrong")
        equal(wrong.status, 401, "wrong key")
        equal(s.ask("GET", "/v1/admin/tokens", key=KEY).status, 403, "admin with the plain key")
        check("admin" in s.ask("GET", "/v1/admin/tokens", key=KEY).json()["error"]["message"], "403 names the scope")
        made = s.good("POST", "/v1/admin/tokens", {"tenant": "acme", "scopes": ["generate"], "quotas": {"requests_per_minute": 2, "max_n": 2}}, key=ADMIN).json()
        token = made["token"]
        first = s.good("POST", "/v1/completions", {"prompt": "A", "max_tokens": 1}, key=token)
        equal(first.headers["x-ratelimit-limit-requests"], "2", "quota headers")
        equal(s.ask("POST", "/v1/completions", {"prompt": "A", "n": 3}, key=token).status, 400, "n over the quota")
        s.good("POST", "/v1/completions", {"prompt": "A", "max_tokens": 1}, key=token)
        over = s.ask("POST", "/v1/completions", {"prompt": "A", "max_tokens": 1}, key=token)
        equal(over.status, 429, "over the quota")
        check(1 <= int(over.headers["retry-after"]) <= 60, f"{over!r}")
        equal(s.ask("POST", "/v1/run", {"source": PROGRAM}, key=token).status, 403, "scope")
        usage = s.good("GET", "/v1/admin/usage", key=ADMIN).json()
        check(any(u["id"] == made["id"] and u["requests"] == 2 and u["refused"] == 1 for u in usage["since_start"]), usage)
        # The command line works on the same store while the server runs.
        other = ok("sgl", "token", "create", "--state-dir", path / "state", "--scope", "generate").out.strip()
        s.good("GET", "/v1/models", key=other)
        ok("sgl", "token", "revoke", "--state-dir", path / "state", other[:12])
        equal(s.ask("GET", "/v1/models", key=other).status, 401, "revoked")
        check(other not in "".join(s.log) and token not in "".join(s.log), "a token is in the log")
        # Repeated failures take longer.
        start = time.monotonic()
        for _ in range(8):
            s.ask("GET", "/v1/models", key="wrong-again")
        check(time.monotonic() - start > 0.5, "wrong credentials are not slowed down")


@test("server/start")
def start():
    fails(2, "TLS", "sgl", "serve", "--host", "0.0.0.0", "--port", 0)
    fails(2, "fewer than 16", "sgl", "serve", "--port", 0, "--api-key", "short")
    fails(2, "sample key", "sgl", "serve", "--port", 0, env={"SGL_API_KEY": "sgl-example-key-change-me"})
    fails(2, "no model folder", "sgl", "serve", "--port", 0, "--model-path", "/nonexistent")
    config = ok("sgl", "serve", "--port", 8123, "--api-key", "0123456789abcdefXYZ", "--print-config").out
    check("port=8123" in config and "0123456789abcdefXYZ" not in config, config)
    with folder() as path:
        (path / "c.toml").write_text("port=8124\nlog-level=\"error\"\n")
        check("port=8124" in ok("sgl", "serve", "--config", path / "c.toml", "--print-config").out, "config file")
        check("port=8125" in ok("sgl", "serve", "--print-config", env={"SGL_PORT": "8125"}).out, "environment")
        _, key = certificate(path)
        equal(stat.S_IMODE(os.stat(key).st_mode), 0o600, "mode of the key")
        os.chmod(key, 0o644)
        fails(1, "", "sgl", "doctor", "--ssl-cert-file", path / "cert.pem", "--ssl-key-file", key)
        os.chmod(key, 0o600)
        ok("sgl", "doctor", "--ssl-cert-file", path / "cert.pem", "--ssl-key-file", key)
    secret = "on-the-command-line-0123456789"
    with serving("--api-key", secret, keys=False) as s:
        check(secret.encode() not in pathlib.Path(f"/proc/{s.process.pid}/cmdline").read_bytes(), "ps shows the key")
        s.good("GET", "/v1/models", key=secret)
        s.good("GET", "/get_server_info", key=secret)
        check(secret not in "".join(s.log), "the log shows the key")


@test("server/tls")
def tls():
    with folder() as path:
        cert, key = certificate(path)
        with serving("--ssl-certfile", cert, "--ssl-keyfile", key, cafile=cert) as s:
            answer = s.good("GET", "/v1/models")
            check("max-age" in answer.headers["strict-transport-security"], "HSTS")
            for version in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1):
                old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
                try:
                    old.minimum_version = old.maximum_version = version
                    old.set_ciphers("ALL:@SECLEVEL=0")
                    with socket.create_connection(("127.0.0.1", s.port), 5) as plain, old.wrap_socket(plain):
                        raise AssertionError(f"{version} is spoken")
                except (ssl.SSLError, ConnectionError, ValueError):
                    pass
            # A connection lives through a reload; new ones get the new certificate; a broken pair changes nothing.
            living = s.connect()
            living.request("GET", "/health")
            living.getresponse().read()
            before = ssl.get_server_certificate(("127.0.0.1", s.port))
            subprocess.run(command("sgl", "cert", "self-signed", "--host", "localhost", "--cert", cert, "--key", key, "--force"), check=True, stdout=subprocess.DEVNULL)
            s.process.send_signal(signal.SIGHUP)
            eventually(lambda: ssl.get_server_certificate(("127.0.0.1", s.port)) != before, 5)
            after = ssl.get_server_certificate(("127.0.0.1", s.port))
            check(after != before, "the certificate was not reloaded")
            living.request("GET", "/health")
            equal(living.getresponse().read(), b'{"status":"ok"}', "the living connection")
            pathlib.Path(cert).write_text("broken")
            s.process.send_signal(signal.SIGHUP)
            check(eventually(lambda: "the old ones stay" in "".join(s.log)), s.log)
            equal(ssl.get_server_certificate(("127.0.0.1", s.port)), after, "after a broken certificate")


@test("server/malformed")
def malformed():
    with serving() as s:
        host = b"Host: x\r\nAuthorization: Bearer " + KEY.encode() + b"\r\n"
        chosen = [
            b"GET\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"GET / HTTP/9.9\r\n" + host + b"\r\n",
            b"POST /generate HTTP/1.1\r\n" + host + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            b"POST /generate HTTP/1.1\r\n" + host + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"POST /generate HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
            b"POST /generate HTTP/1.1\r\n" + host + b"Content-Length: 99999999999\r\n\r\n",
            b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + host + b"\r\n",
            b"GET / HTTP/1.1\r\n" + host + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + host + b"X: 1\r\n" * 5000 + b"\r\n",
            b"POST /generate HTTP/1.1\r\n" + host + b"Content-Length: 4\r\n\r\n\xff\xfe\xfd\xfc",
            b"POST /generate HTTP/1.1\r\n" + host + b"Content-Length: 200000\r\n\r\n" + b"[" * 200_000,
        ]
        random_ = random.Random(7)
        valid = b'POST /generate HTTP/1.1\r\n' + host + b'Connection: close\r\nContent-Length: 60\r\n\r\n{"text":"a","sampling_params":{"max_new_tokens":1,"n":1}}   '
        requests = list(chosen)
        while len(requests) < 5000:
            data = bytearray(valid)
            kind = random_.randrange(5)
            if kind == 0:
                data = data[:random_.randrange(1, len(data) - 1)]
            elif kind == 1:
                for _ in range(random_.randrange(1, 4)):
                    data[random_.randrange(len(data))] = random_.randrange(256)
            elif kind == 2:
                at = random_.randrange(len(data))
                data[at:at] = bytes(random_.randrange(256) for _ in range(random_.randrange(1, 9)))
            elif kind == 3:
                data = bytearray(random_.randbytes(random_.randrange(1, 300)))
            else:
                value = random_.choice(['null', '[]', '{"text":{}}', '{"text":"a","sampling_params":[]}', '{"text":"a","sampling_params":{"n":-1}}', '"x"', '{"text":1e999}', '{' * 300])
                data = bytearray(b"POST /generate HTTP/1.1\r\n" + host + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(value) + value.encode())
            requests.append(bytes(data))

        def send(data):
            with socket.create_connection(("127.0.0.1", s.port), timeout=patient(20)) as c:
                try:
                    c.sendall(data)
                    c.shutdown(socket.SHUT_WR)
                    out = b""
                    while piece := c.recv(65536):
                        out += piece
                except (ConnectionError, BrokenPipeError):
                    return b""
                return out

        seen = {}
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for data, answer in zip(requests, pool.map(send, requests)):
                status = int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else 0
                seen[status] = seen.get(status, 0) + 1
                check(status < 500 or status in (501, 505), f"{data[:300]!r}: {answer[:300]!r}")
                if data in chosen:
                    check(status == 0 or status >= 400, f"{data[:100]!r}: {answer[:200]!r}")
        check(s.process.poll() is None, "the server ended")
        s.good("POST", "/generate", {"text": "a", "sampling_params": {"max_new_tokens": 1}})
        print(f"     answers to 5,000 malformed requests: {dict(sorted(seen.items()))}")
