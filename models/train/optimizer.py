"""Muon for the matrices of the layers, Adam for the embedding; on the model's flat buffers, one parameter after another.

A parameter's update needs no other's, so processes that share the memory can divide them among themselves (workers.py).
"""

import torch

from kernels import call
from model import Model


class Optimizer:
    def __init__(self, model: Model, muon_rate=0.02, adam_rate=0.003, momentum=0.95, decay=0.05):
        self.model, self.muon_rate, self.adam_rate, self.momentum, self.decay = model, muon_rate, adam_rate, momentum, decay
        self.velocity = torch.zeros_like(model.flat).share_memory_()
        self.second = torch.zeros_like(model.params["embed"]).share_memory_()
        self.average = model.flat.clone().share_memory_()  # of the parameters over the last steps
        # (name, place in the flat buffers, [(place, height, width) of the matrices that lie one upon another in it]), the largest first.
        self.parameters: list[tuple[str, int, list[tuple[int, int, int]]]] = []
        c, at = model.config, 0
        for name, p in model.params.items():
            height = {"qkv": c.hidden_size, "gate_up": c.intermediate_size}.get(name.split(".")[-1], p.shape[0])
            matrices = [] if name == "embed" else [(at + start * p.shape[1], height, p.shape[1]) for start in range(0, p.shape[0], height)]
            self.parameters.append((name, at, matrices))
            at += p.numel()
        self.parameters.sort(key=lambda p: -model.params[p[0]].numel())

    def state(self) -> dict:
        return {n: getattr(self, n).clone() for n in ("velocity", "second", "average")}

    def load(self, state: dict):
        """What state() gave."""
        for n in ("velocity", "second", "average"):
            getattr(self, n).copy_(state[n])

    def update(self, index: int, gradients: torch.Tensor, used: torch.Tensor, step: int, factor: float):
        """Step `step` (from 1) of one parameter; its gradient is the sum of the rows `used` of `gradients`, `factor` scales both rates."""
        m = self.model
        name, at, matrices = self.parameters[index]
        n = m.params[name].numel()
        call("sum_rows", gradients.view(-1)[at:], used, m.total[at : at + n], len(used), gradients.shape[1], n)
        if name == "embed":
            b1, b2 = 0.9, 0.98
            corrections = float(1 - b1**step), float(1 - b2**step)
            views = (x[at : at + n] for x in (m.flat, m.total, self.velocity))
            call("adam", *views, self.second, n, float(self.adam_rate * factor), b1, b2, *corrections)
        for place, h, w in matrices:
            rate = self.muon_rate * factor * max(1.0, h / w) ** 0.5
            views = (x[place : place + h * w] for x in (m.flat, m.total, self.velocity))
            call("muon", *views, h, w, self.momentum, float(rate), float(1 - self.muon_rate * factor * self.decay))
        m.pack(name)
        self.average[at : at + n].lerp_(m.flat[at : at + n], max(0.005, 1 / step))
