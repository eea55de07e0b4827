"""Compares the hand-written gradients with those of autograd in float64, and looks at the optimizer's steps. Run: python3 models/train/check.py"""

import torch

from kernels import call
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


def check_gradients(b: int, t: int):
    torch.manual_seed(1)
    config = Config(vocab_size=96, hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=96)
    model = Model(config)
    model.flat.copy_(model.flat.to(torch.bfloat16).float())
    ids = torch.randint(0, 96, (b, t), dtype=torch.int32)
    rows = torch.arange(5, b * t - 8, 3, dtype=torch.int32)
    targets = torch.randint(0, 96, rows.shape, dtype=torch.int32)
    model.refresh()
    loss = model.step(ids, rows, targets, torch.ones(len(rows)), torch.zeros(1, dtype=torch.int32))
    p = {k: v.double().requires_grad_() for k, v in model.params.items()}
    out = reference(config, p, ids).view(-1, 96)[rows.long()]
    expected = torch.nn.functional.cross_entropy(out, targets.long(), reduction="sum")
    expected.backward()
    errors = {name: ((model.grads[name].double() - value.grad).norm() / value.grad.norm()).item() for name, value in p.items()}
    worst = max(errors, key=errors.get)
    print(f"{b} sequences of {t}: loss {loss:.4f}, expected {expected.item():.4f}; worst gradient: {worst}, relative error {errors[worst]:.4f}")
    assert errors[worst] < 0.03 and abs(loss - expected.item()) < 0.02 * expected.item()


def check_step(h: int, w: int):
    """A step of Muon on a matrix: as long as told, along the gradient, with all singular values about 1."""
    torch.manual_seed(2)
    p, g, velocity = torch.zeros(h, w), torch.randn(h, w), torch.zeros(h, w)
    call("muon", p, g, velocity, h, w, 0.95, 1.0, 1.0)
    u, _, v = torch.linalg.svd(g, full_matrices=False)
    values = torch.linalg.svdvals(p)
    along = -(p * (u @ v)).sum().item() / min(h, w)
    print(f"step of {h} x {w}: singular values {values.min():.2f} to {values.max():.2f}, along the gradient's {along:.2f}")
    assert 0.5 < values.min() and values.max() < 1.3 and along > 0.8


def main():
    for b, t in ((3, 16), (3, 48), (2, 112)):
        check_gradients(b, t)
    for h, w in ((64, 64), (96, 64), (64, 96)):
        check_step(h, w)


if __name__ == "__main__":
    main()
