"""Writes a checkpoint as a Hugging Face folder: config.json, model.safetensors (BF16), the tokenizer's files."""

import argparse
import json
import struct
from dataclasses import fields
from pathlib import Path

import torch

from model import Config
from tokenizer import BOS, END, Tokenizer


def tensors(config: Config, flat: torch.Tensor) -> dict[str, torch.Tensor]:
    """Parameters by the names of transformers' LlamaForCausalLM; the gains of the norms are 1."""
    parts, at = {}, 0
    for name, (a, b) in config.shapes().items():
        parts[name] = flat[at : at + a * b].view(a, b)
        at += a * b
    ones, d, f = torch.ones(config.hidden_size), config.hidden_size, config.intermediate_size
    out = {"model.embed_tokens.weight": parts["embed"], "model.norm.weight": ones}
    for i in range(config.num_hidden_layers):
        p = f"model.layers.{i}."
        q, k, v = parts[f"{i}.qkv"].split(d)
        gate, up = parts[f"{i}.gate_up"].split(f)
        out |= {p + "input_layernorm.weight": ones, p + "post_attention_layernorm.weight": ones}
        out |= {p + f"self_attn.{n}_proj.weight": w for n, w in (("q", q), ("k", k), ("v", v), ("o", parts[f"{i}.o"]))}
        out |= {p + f"mlp.{n}_proj.weight": w for n, w in (("gate", gate), ("up", up), ("down", parts[f"{i}.down"]))}
    return out


def safetensors(path: Path, weights: dict[str, torch.Tensor]):
    """The safetensors format: length of the header, the header as JSON, the data."""
    header, data = {"__metadata__": {"format": "pt"}}, []
    at = 0
    for name, w in sorted(weights.items()):
        raw = w.to(torch.bfloat16).contiguous().view(torch.int16).numpy().tobytes()
        header[name] = {"dtype": "BF16", "shape": list(w.shape), "data_offsets": [at, at + len(raw)]}
        data.append(raw)
        at += len(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))


def load(path: Path) -> dict[str, torch.Tensor]:
    """What safetensors() wrote."""
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + size])
    out = {}
    for name, entry in header.items():
        if name != "__metadata__":
            a, b = (8 + size + at for at in entry["data_offsets"])
            out[name] = torch.frombuffer(bytearray(raw[a:b]), dtype=torch.bfloat16).view(entry["shape"]).float()
    return out


def flat(config: Config, weights: dict[str, torch.Tensor]) -> torch.Tensor:
    """The inverse of tensors()."""
    out = []
    for name in config.shapes():
        layer, _, part = name.partition(".")
        p = f"model.layers.{layer}."
        names = {
            "embed": ["model.embed_tokens.weight"],
            "qkv": [p + f"self_attn.{n}_proj.weight" for n in "qkv"],
            "o": [p + "self_attn.o_proj.weight"],
            "gate_up": [p + "mlp.gate_proj.weight", p + "mlp.up_proj.weight"],
            "down": [p + "mlp.down_proj.weight"],
        }[part or name]
        out += [weights[n].reshape(-1) for n in names]
    return torch.cat(out)


def parameters(path: Path, average=False) -> torch.Tensor:
    """Of a checkpoint (its running average, if wanted), or of a folder that this script wrote, rounded to BF16 there."""
    if not path.is_dir():
        return torch.load(path)["average" if average else "flat"]
    config = json.loads((path / "config.json").read_text())
    return flat(Config(**{f.name: config[f.name] for f in fields(Config)}), load(path / "model.safetensors"))


def mean(paths: list[Path], average=False) -> torch.Tensor:
    """The mean of their parameters: of stages of one training it is often better than each of them."""
    return torch.stack([parameters(p, average) for p in paths]).mean(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="of the training")
    parser.add_argument("--mean", type=Path, nargs="+", default=[], help="write the mean of these folders, which this script wrote, instead of the checkpoint's parameters")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--average", action="store_true", help="the running average, better before the end of the training")
    args = parser.parse_args()
    state = torch.load(args.checkpoint)
    c = Config(**state["config"])
    args.out.mkdir(parents=True, exist_ok=True)

    def write(name, value):
        (args.out / name).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", **c.as_dict(), "head_dim": c.head_dim}
    config |= {
        "num_key_value_heads": c.num_attention_heads,
        "hidden_act": "silu",
        "tie_word_embeddings": True,
        "attention_bias": False,
        "mlp_bias": False,
    }
    config |= {"torch_dtype": "bfloat16", "bos_token_id": BOS, "eos_token_id": END, "initializer_range": 0.02, "use_cache": True}
    write("config.json", config)
    write("generation_config.json", {"bos_token_id": BOS, "eos_token_id": END})
    tokenizer, tokenizer_config = Tokenizer.load(args.tokenizer).hugging_face()
    write("tokenizer.json", tokenizer)
    write("tokenizer_config.json", tokenizer_config)
    safetensors(args.out / "model.safetensors", tensors(c, mean(args.mean or [args.checkpoint], args.average)))
    size = sum(f.stat().st_size for f in args.out.iterdir())
    print(f"{args.out}: {size} bytes, step {state['step']} of {state['steps']}, {state['tokens']} tokens")
    assert size <= 12_000_000, "the folder may have 12 MB"


if __name__ == "__main__":
    main()
