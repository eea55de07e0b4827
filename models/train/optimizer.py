"""Muon for the matrices of the layers, Adam for the embedding; both on the model's flat buffers."""

import torch

from kernels import call
from model import Model


class Optimizer:
    def __init__(self, model: Model, muon_rate=0.02, adam_rate=0.003, momentum=0.95, decay=0.05):
        self.model, self.muon_rate, self.adam_rate, self.momentum, self.decay = model, muon_rate, adam_rate, momentum, decay
        self.velocity = torch.zeros_like(model.flat)
        self.second = torch.zeros_like(model.params["embed"])
        self.steps = 0
        # (place in the flat buffers, height, width); those that lie one upon another in a parameter are matrices of their own.
        self.matrices: list[tuple[int, int, int]] = []
        c, at = model.config, 0
        for name, p in model.params.items():
            height = {"qkv": c.hidden_size, "gate_up": c.intermediate_size}.get(name.split(".")[-1], p.shape[0])
            if name != "embed":
                self.matrices += [(at + start * p.shape[1], height, p.shape[1]) for start in range(0, p.shape[0], height)]
            at += p.numel()

    def step(self, factor: float):
        """One update with the gradients in `model.total`; `factor` scales both rates."""
        m = self.model
        self.steps += 1
        n = m.params["embed"].numel()
        b1, b2 = 0.9, 0.98
        corrections = float(1 - b1**self.steps), float(1 - b2**self.steps)
        call("adam", m.flat, m.total, self.velocity, self.second, n, float(self.adam_rate * factor), b1, b2, *corrections)
        for at, h, w in self.matrices:
            rate = self.muon_rate * factor * max(1.0, h / w) ** 0.5
            views = (x[at : at + h * w] for x in (m.flat, m.total, self.velocity))
            call("muon", *views, h, w, self.momentum, float(rate), float(1 - self.muon_rate * factor * self.decay))
        m.refresh()
