"""Muon for the matrices of the layers, Adam for the embedding; both on the model's flat buffers."""

import torch

from kernels import call
from model import BF16, Model


def orthogonal(g: torch.Tensor) -> torch.Tensor:
    """The nearest semi-orthogonal matrices, by five Newton-Schulz steps; `g` is a batch of matrices."""
    x = (g / (g.norm(dim=(1, 2), keepdim=True) + 1e-7)).to(BF16)
    tall = x.shape[1] > x.shape[2]
    x = x.transpose(1, 2).contiguous() if tall else x
    for _ in range(5):
        a = torch.bmm(x, x.transpose(1, 2))
        b = torch.baddbmm(a, a, a, beta=-4.7750, alpha=2.0315)
        x = torch.baddbmm(x, b, x, beta=3.4445)
    return (x.transpose(1, 2) if tall else x).float()


class Optimizer:
    def __init__(self, model: Model, muon_rate=0.02, adam_rate=0.003, momentum=0.95, decay=0.05):
        self.model, self.muon_rate, self.adam_rate, self.momentum, self.decay = model, muon_rate, adam_rate, momentum, decay
        c, d = model.config, model.config.hidden_size
        self.velocity = torch.zeros_like(model.flat)
        self.second = torch.zeros_like(model.params["embed"])
        self.steps = 0
        groups: dict[tuple, list] = {}
        at = model.params["embed"].numel()
        for name, p in list(model.params.items())[1:]:
            height = {"qkv": d, "gate_up": c.intermediate_size}.get(name.split(".")[1], p.shape[0])
            for start in range(0, p.shape[0], height):
                groups.setdefault((height, p.shape[1]), []).append(at + start * p.shape[1])
            at += p.numel()
        self.groups = groups

    def step(self, factor: float):
        """One update with the gradients gathered since the last; `factor` scales both rates. Clears the gradients."""
        m = self.model
        self.steps += 1
        n = m.params["embed"].numel()
        b1, b2 = 0.9, 0.98
        corrections = float(1 - b1**self.steps), float(1 - b2**self.steps)
        call("adam", m.flat, m.total, self.velocity, self.second, n, float(self.adam_rate * factor), b1, b2, *corrections)
        grad, velocity = m.total[n:], self.velocity[n:]
        velocity.lerp_(grad, 1 - self.momentum)
        ahead = grad.lerp_(velocity, self.momentum)
        for (h, w), starts in self.groups.items():
            update = orthogonal(torch.stack([ahead[s - n : s - n + h * w].view(h, w) for s in starts]))
            rate = self.muon_rate * factor * max(1.0, h / w) ** 0.5
            for s, u in zip(starts, update):
                p = m.flat[s : s + h * w].view(h, w)
                p.mul_(1 - self.muon_rate * factor * self.decay).add_(u, alpha=-rate)
        m.refresh()
