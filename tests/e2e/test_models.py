"""sgl tokenize and sgl model; models that are broken."""
import json
import pathlib
import shutil
import struct

from support import EXAMPLES, check, equal, fails, folder, model, ok, one_sentence, run, test

TEXTS = ["Once upon a time", "", " two  spaces ", "line\nbreak\ttab", "Grüße, 世界 🙂", "<s>not special</s>", "\u0000\u0001"]


@test("tokenize/round_trip")
def round_trip():
    where = ("tokenize", "--tokenizer", model())
    for text in TEXTS:
        ids = ok("sgl", *where, "--plain", stdin=text.encode()).out
        check(isinstance(json.loads(ids), list) and ids.count("\n") == 1, f"{text!r}: {ids!r}")
        equal(json.loads(ok("sgl", *where, "--decode", stdin=ids.encode()).out), text, "decoded")
    lines = "".join(json.dumps({"text": text}) + "\n" for text in TEXTS).encode()
    ids = ok("sgl", *where, "--plain", "--jsonl", stdin=lines)
    equal(ids.out.count("\n"), len(TEXTS), "lines")
    back = ok("sgl", *where, "--jsonl", stdin=ids.out.encode())
    equal([json.loads(line)["text"] for line in back.out.splitlines()], TEXTS, "decoded lines")


def added_token():
    tokenizer = json.loads(pathlib.Path(model(), "tokenizer.json").read_text())
    return max((token["content"] for token in tokenizer["added_tokens"]), key=len)


@test("tokenize/special")
def special():
    where = ("tokenize", "--tokenizer", model())
    plain = json.loads(ok("sgl", *where, "--plain", stdin=b"Once").out)
    with_special = json.loads(ok("sgl", *where, "--special", stdin=b"Once").out)
    check(len(with_special) > len(plain) and with_special[-len(plain):] == plain, f"{plain} {with_special}")
    mark = added_token().encode()
    spelled = json.loads(ok("sgl", *where, stdin=mark).out)
    check(len(spelled) < len(json.loads(ok("sgl", *where, "--plain", stdin=mark).out)), f"{mark}: {spelled}")
    fails(2, "line 2", "sgl", *where, "--jsonl", stdin=b'{"text": "x"}\n{"txt": "x"}\n')
    fails(2, "not a token id", "sgl", *where, "--decode", stdin=b"[1, 1000000]")
    one_sentence(fails(2, "no_such_folder", "sgl", "tokenize", "--tokenizer", "no_such_folder"))


@test("model/info")
def info():
    text = ok("sgl", "model", "info", model()).out
    for part in ("architecture", "parameters", "context", "kv bytes per token"):
        check(part in text, f"no {part!r}:\n{text}")
    facts = json.loads(ok("sgl", "model", "info", model(), "--json").out)
    check(facts["parameters"] > 0 and facts["layers"] > 0 and facts["vocabulary"] > 0, f"{facts}")
    fails(2, "no_such_folder", "sgl", "model", "info", "no_such_folder")


def read_npy(path):
    """(rows, columns, floats) of a two-dimensional float32 array."""
    data = pathlib.Path(path).read_bytes()
    check(data[:8] == b"\x93NUMPY\x01\x00", "not a .npy file of version 1.0")
    (length,) = struct.unpack("<H", data[8:10])
    equal((10 + length) % 64, 0, "alignment of the data")
    header = data[10:10 + length].decode()
    check("'descr': '<f4'" in header and "'fortran_order': False" in header, header)
    rows, columns = (int(n) for n in header.split("(")[1].split(")")[0].split(",")[:2])
    body = data[10 + length:]
    equal(len(body), 4 * rows * columns, "bytes of data")
    return rows, columns, struct.unpack(f"<{rows * columns}f", body)


@test("model/quantize")
def quantize():
    with folder() as tmp:
        ids = "1,403,407,261,378"
        ok("sgl", "model", "logits", "--model", model(), "--ids", ids, "-o", tmp / "plain.npy")
        plain = read_npy(tmp / "plain.npy")
        for form, near in (("q8", 0.1), ("q4", 0.9), ("q4a", 0.9)):
            said = ok("sgl", "model", "quantize", "--to", form, model(), tmp / form).out
            check("million weights" in said, said)
            ok("sgl", "model", "logits", "--model", model(), "--quantize", form, "--ids", ids, "-o", tmp / "load.npy")
            ok("sgl", "model", "logits", "--model", tmp / form, "--ids", ids, "-o", tmp / "file.npy")
            loaded = read_npy(tmp / "load.npy")
            equal(read_npy(tmp / "file.npy"), loaded, "logits of the folder and of quantising at load")
            scale = max(abs(v) for v in plain[2])
            worst = max(abs(a - b) for a, b in zip(plain[2], loaded[2]))
            check(0 < worst < near * scale, f"{form}: off by {worst} of {scale}")
            facts = json.loads(ok("sgl", "model", "info", tmp / form, "--json").out)
            equal(facts["dtype"], form, "type of the weights")
            equal(facts["parameters"], json.loads(ok("sgl", "model", "info", model(), "--json").out)["parameters"], "size")
        fails(2, "not empty", "sgl", "model", "quantize", "--to", "q8", model(), tmp / "q8")
        fails(2, "quantised already", "sgl", "model", "quantize", "--to", "q8", tmp / "q4", tmp / "again")
        one_sentence(fails(2, "quantised already", "sgl", "model", "logits", "--model", tmp / "q4", "--quantize", "q8",
                           "--ids", ids, "-o", tmp / "x.npy"))
        caches = {}
        for kv in ("f32", "f16", "q8"):
            ok("sgl", "model", "logits", "--model", model(), "--kv-cache-dtype", kv, "--ids", ids, "-o", tmp / "kv.npy")
            caches[kv] = read_npy(tmp / "kv.npy")
            check(kv == "f32" or caches[kv] != caches["f32"], f"a cache in {kv} changes nothing")
            worst = max(abs(a - b) for a, b in zip(caches["f32"][2], caches[kv][2]))
            check(worst < 0.05 * max(abs(v) for v in plain[2]), f"a cache in {kv}: off by {worst}")
        equal(plain, caches["f16"], "the cache by default, for weights of 16 bits")
        weights = tmp / "q8" / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1])
        one_sentence(fails(2, "model.safetensors", "sgl", "model", "info", tmp / "q8"))


@test("model/logits")
def logits():
    with folder() as tmp:
        ids = "1,403,407,261,378"
        ok("sgl", "model", "logits", "--model", model(), "--ids", ids, "-o", tmp / "all.npy")
        ok("sgl", "model", "logits", "--model", model(), "--ids", ids, "--last", "--threads", 2, "-o", tmp / "last.npy")
        ok("sgl", "model", "logits", "--model", model(), "--ids", "1,403", "-o", tmp / "short.npy")
        rows, columns, every = read_npy(tmp / "all.npy")
        equal(rows, 5, "rows")
        equal(read_npy(tmp / "last.npy"), (1, columns, every[-columns:]), "the last row")
        equal(read_npy(tmp / "short.npy"), (2, columns, every[:2 * columns]), "a shorter text")
        ok("sgl", "model", "logits", "--model", model(), "--text", "Once upon", "-o", tmp / "text.npy")
        check(read_npy(tmp / "text.npy")[0] > 1, "rows of a text")
        fails(2, "token", "sgl", "model", "logits", "--model", model(), "--ids", "1,99999999", "-o", tmp / "x.npy")
        fails(2, "--ids", "sgl", "model", "logits", "--model", model(), "-o", tmp / "x.npy")


def broken_copy(tmp, name, change):
    """A copy of the model folder in which the bytes of one file are changed."""
    copy = tmp / "model"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(model(), copy)
    path = copy / name
    path.chmod(0o644)
    data = change(path.read_bytes())
    copy.chmod(0o755)
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)
    return copy


@test("model/hostile")
def hostile():
    changes = [
        ("model.safetensors", lambda b: b[:5]),
        ("model.safetensors", lambda b: b[:len(b) // 2]),
        ("model.safetensors", lambda b: b"\xff" * 8 + b[8:]),
        ("model.safetensors", lambda b: b[:8] + b"x" + b[9:]),
        ("model.safetensors", lambda b: b[:200] + b"\x00\xff" + b[202:]),
        ("model.safetensors", lambda b: None),
        ("config.json", lambda b: b"{"),
        ("config.json", lambda b: b.replace(b'"hidden_size": ', b'"hidden_size": -')),
        ("config.json", lambda b: b.replace(b"llama", b"lama").replace(b"LlamaForCausalLM", b"LamaForCausalLM")),
        ("config.json", lambda b: None),
        ("tokenizer.json", lambda b: b[:len(b) // 2]),
        ("tokenizer.json", lambda b: b"[]"),
        ("tokenizer.json", lambda b: None),
    ]
    with folder() as tmp:
        for number, (name, change) in enumerate(changes):
            copy = broken_copy(tmp, name, change)
            result = run("sgl", "run", EXAMPLES / "story.sgl", "--model", copy, "--quiet")
            equal(result.code, 2, f"change {number} of {name}: exit code of {result!r}")
            one_sentence(result)
