"""Compares the hand-written gradients with those of autograd in float64. Run: python3 models/train/check.py"""

import torch

from model import Config, Model


def reference(config: Config, p: dict, ids: torch.Tensor) -> torch.Tensor:
    """Logits of the same model, written plainly."""
    b, t = ids.shape
    h, d = config.num_attention_heads, config.head_dim
    rates = config.rope_theta ** (-torch.arange(d // 2, dtype=torch.float64) / (d // 2))
    angles = torch.outer(torch.arange(t, dtype=torch.float64), rates)
    cos, sin = angles.cos(), angles.sin()

    def norm(x):
        return x * (x.square().mean(-1, keepdim=True) + config.rms_norm_eps).rsqrt()

    def rope(x):
        a, c = x.chunk(2, -1)
        return torch.cat([a * cos - c * sin, c * cos + a * sin], -1)

    x = p["embed"][ids.long()]
    mask = torch.full((t, t), float("-inf"), dtype=torch.float64).triu(1)
    for i in range(config.num_hidden_layers):
        q, k, v = (norm(x) @ p[f"{i}.qkv"].t()).view(b, t, 3, h, d).permute(2, 0, 3, 1, 4)
        w = torch.softmax(rope(q) @ rope(k).transpose(-1, -2) * d**-0.5 + mask, -1)
        x = x + (w @ v).transpose(1, 2).reshape(b, t, h * d) @ p[f"{i}.o"].t()
        gate, up = (norm(x) @ p[f"{i}.gate_up"].t()).chunk(2, -1)
        x = x + (torch.nn.functional.silu(gate) * up) @ p[f"{i}.down"].t()
    return norm(x) @ p["embed"].t()


def main():
    torch.manual_seed(1)
    config = Config(vocab_size=96, hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=96)
    model = Model(config)
    model.flat.copy_(model.flat.to(torch.bfloat16).float())
    ids = torch.randint(0, 96, (3, 16), dtype=torch.int32)
    rows = torch.arange(5, 40, 3, dtype=torch.int32)
    targets = torch.randint(0, 96, rows.shape, dtype=torch.int32)
    loss = model.step(ids, rows, targets, torch.ones(len(rows)), torch.zeros(1, dtype=torch.int32))
    p = {k: v.double().requires_grad_() for k, v in model.params.items()}
    out = reference(config, p, ids).view(-1, 96)[rows.long()]
    expected = torch.nn.functional.cross_entropy(out, targets.long(), reduction="sum")
    expected.backward()
    print(f"loss {loss:.4f}, expected {expected.item():.4f}")
    worst = 0.0
    for name, value in p.items():
        error = ((model.grads[name].double() - value.grad).norm() / value.grad.norm()).item()
        worst = max(worst, error)
        print(f"{name:12} relative error {error:.4f}")
    assert worst < 0.03 and abs(loss - expected.item()) < 0.02 * expected.item()


if __name__ == "__main__":
    main()
