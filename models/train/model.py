"""The model and its gradients: a Llama (RMSNorm, SwiGLU, rotary positions, tied embeddings), made for one CPU core.

The work is done in C (native/): products in bfloat16, on AMX where the processor has it; attention; all that lies between two
attentions. Parameters, their gradients and the residual stream are float32. There is no autograd: `step` runs forward and backward by
hand, and `check.py` compares it with autograd. The gains of the norms stay 1: the matrices after them can express any other gain.
"""

from dataclasses import asdict, dataclass

import torch

from kernels import call

BF16 = torch.bfloat16


@dataclass
class Config:
    """Shape of the model; the names are those of Hugging Face's LlamaConfig where there is one."""

    vocab_size: int = 6144
    hidden_size: int = 256
    num_hidden_layers: int = 6
    num_attention_heads: int = 8
    intermediate_size: int = 576
    rope_theta: float = 10000.0
    max_position_embeddings: int = 2048
    rms_norm_eps: float = 1e-5

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_attention_heads

    def as_dict(self) -> dict:
        return asdict(self)

    def shapes(self) -> dict[str, tuple[int, int]]:
        """Every parameter, in the order of the flat buffer: the embedding, then four matrices a layer."""
        d, f = self.hidden_size, self.intermediate_size
        out = {"embed": (self.vocab_size, d)}
        for i in range(self.num_hidden_layers):
            out |= {f"{i}.qkv": (3 * d, d), f"{i}.o": (d, d), f"{i}.gate_up": (2 * f, d), f"{i}.down": (d, f)}
        return out


def take(x: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Those rows of a matrix; zeros for a row of -1."""
    out = x[rows.clamp(min=0).long()]
    out[rows < 0] = 0
    return out


def spread(x: torch.Tensor, rows: torch.Tensor, n: int) -> torch.Tensor:
    """The other way: a matrix of `n` rows with these at their places, zeros elsewhere."""
    out = torch.zeros(n, x.shape[1], dtype=x.dtype)
    used = rows >= 0
    out[rows[used].long()] = x[used]
    return out


class Model:
    """Parameters in one flat buffer; `params[name]` and `grads[name]` are views into it and into a buffer of gradients."""

    def __init__(self, config: Config, seed: int = 0):
        self.config = config
        shapes = config.shapes()
        total = sum(a * b for a, b in shapes.values())
        self.flat, self.total = torch.zeros(total), torch.zeros(total)
        self.params, at = {}, 0
        generator = torch.Generator().manual_seed(seed)
        for name, (a, b) in shapes.items():
            self.params[name] = self.flat[at : at + a * b].view(a, b)
            deviation = 0.02 if name == "embed" else b**-0.5
            if name.endswith((".o", ".down")):
                deviation /= (2 * config.num_hidden_layers) ** 0.5
            self.params[name].normal_(0, deviation, generator=generator)
            at += a * b
        self.grads = self._views(self.total)
        self.packed = torch.empty(2, total, dtype=BF16)  # for products with the transpose of a matrix, and with itself
        self.refresh()
        half = config.head_dim // 2
        rates = config.rope_theta ** (-torch.arange(half, dtype=torch.float64) / half)
        angles = torch.outer(torch.arange(config.max_position_embeddings, dtype=torch.float64), rates)
        self.cos, self.sin = angles.cos().float().contiguous(), angles.sin().float().contiguous()

    def _views(self, buffer) -> dict:
        out, at = {}, 0
        for name, p in self.params.items():
            out[name] = buffer[at : at + p.numel()].view(p.shape)
            at += p.numel()
        return out

    def refresh(self):
        """Makes the bfloat16 copies of the matrices that the products use; after every change of `flat`."""
        self.sides, at = {}, 0
        for name, p in self.params.items():
            self.sides[name] = self.packed[:, at : at + p.numel()]
            self.pack(name)
            at += p.numel()

    def pack(self, name):
        """That of one matrix."""
        call("pack_weights", self.params[name].to(BF16), *self.params[name].shape, *self.sides[name])

    def share(self):
        """Puts the parameters where processes forked later see them change."""
        self.flat.share_memory_()
        self.packed.share_memory_()
        self.params = self._views(self.flat)
        self.refresh()

    def use(self, buffer):
        """Gradients go into `buffer`; a step sets all of it."""
        self.grads = self._views(buffer)

    def _times(self, x, name, back=False):
        """x by the transpose of a matrix, or by the matrix on the way back."""
        n, k = self.params[name].shape[:: -1 if back else 1]
        out = torch.empty(len(x), n, dtype=BF16)
        call("multiply", x, self.sides[name][int(back)], out, len(x), n, k)
        return out

    def _attention(self, qkv, b, t):
        h, d = self.config.num_attention_heads, self.config.head_dim
        whole = -(-t // 32) * 32
        turned, p = torch.empty(b * h, 2, whole, d, dtype=BF16), torch.empty(b * h, whole, whole, dtype=BF16)
        inverse, out = torch.empty(b * h, whole), torch.empty(b * t, h * d, dtype=BF16)
        call("attention", qkv, turned, p, inverse, out, self.cos, self.sin, b, t, h, d, float(d**-0.5))
        return out, (qkv, turned, p, inverse, out)

    def _attention_back(self, grows, saved, b, t):
        h, d = self.config.num_attention_heads, self.config.head_dim
        gqkv = torch.empty(b * t, 3 * h * d, dtype=BF16)
        call("attention_back", *saved, grows, gqkv, self.cos, self.sin, b, t, h, d, float(d**-0.5))
        return gqkv

    def _norm(self, x):
        z, s = torch.empty(x.shape, dtype=BF16), torch.empty(len(x))
        call("add_norm", x, None, z, s, *x.shape, float(self.config.rms_norm_eps))
        return z, s

    def _between(self, i, x, rows):
        """From the heads' output of layer i to the next layer's norm (its output and scale) and qkv; what the way back needs."""
        c = self.config
        n, d, f, last = len(x), c.hidden_size, c.intermediate_size, i == c.num_hidden_layers - 1
        z2, s2, both, z, s = torch.empty(n, d, dtype=BF16), torch.empty(n), torch.empty(n, 2 * f, dtype=BF16), torch.empty(n, d, dtype=BF16), torch.empty(n)
        qkv = None if last else torch.empty(n, 3 * d, dtype=BF16)
        weights = [self.sides[f"{i}.{w}"][0] for w in ("o", "gate_up", "down")] + [None if last else self.sides[f"{i + 1}.qkv"][0]]
        call("between", rows, x, n, d, f, *weights, z2, s2, both, z, s, qkv, float(c.rms_norm_eps))
        return z, s, qkv, (rows, z2, s2, both, z, s)

    def _between_back(self, i, saved, gx, gqkv=None, gz=None):
        """The gradient of the heads' output of layer i, from that of the next layer's qkv or of the last norm; adds to gx."""
        c = self.config
        rows, z2, s2, both, z, s = saved
        names = [f"{i}.o", f"{i}.gate_up", f"{i}.down"] + ([] if gqkv is None else [f"{i + 1}.qkv"])
        weights, grads = [self.sides[x][1] for x in names], [self.grads[x] for x in names]
        none = [None] * (4 - len(names))
        grows = torch.empty(rows.shape, dtype=BF16)
        sizes = len(rows), c.hidden_size, c.intermediate_size
        call("between_back", gqkv, gz, rows, z2, s2, both, z, s, gx, grows, *sizes, *weights, *none, *grads, *none)
        return grows

    def _forward(self, ids, b, t, targets=None):
        """The last norm's output and what the way back needs. With `targets`, the rows with loss (padded with -1), the last layer leaves out the others."""
        c = self.config
        x = torch.empty(b * t, c.hidden_size)
        call("embed", self.params["embed"], ids, x, b * t, c.hidden_size)
        first = z, _ = self._norm(x)
        qkv = self._times(z, "0.qkv")
        saved = []
        for i in range(c.num_hidden_layers):
            rows, attention = self._attention(qkv, b, t)
            if targets is not None and i == c.num_hidden_layers - 1:
                x, rows = take(x, targets), take(rows, targets)
            z, _, qkv, rest = self._between(i, x, rows)
            saved.append((attention, rest))
        return z, first, saved

    def logits(self, ids: torch.Tensor) -> torch.Tensor:
        """Logits of a batch of equally long sequences, [b, t, vocabulary]."""
        b, t = ids.shape
        z, _, _ = self._forward(ids.to(torch.int32).contiguous(), b, t)
        return self._times(z, "embed").view(b, t, -1)

    def step(self, ids, rows, targets, weights, right) -> float:
        """Sets the gradients of the weighted loss at `rows` of the flattened batch; returns its sum without weights."""
        c = self.config
        b, t = ids.shape
        n, d, m = b * t, c.hidden_size, rows.numel()
        padded = -(-m // 32) * 32
        rows = torch.cat([rows, torch.full((padded - m,), -1, dtype=torch.int32)])
        z, first, saved = self._forward(ids, b, t, rows)
        logits = self._times(z, "embed")
        loss = call("cross_entropy", logits, targets, weights, m, c.vocab_size, right)
        logits[m:] = 0
        self._gradient("embed", logits, z)
        gx, gqkv, gz = torch.zeros(padded, d), None, self._times(logits, "embed", back=True)
        for i in reversed(range(c.num_hidden_layers)):
            attention, rest = saved.pop()
            grows = self._between_back(i, rest, gx, gqkv, gz)
            if i == c.num_hidden_layers - 1:
                gx, grows, gz = spread(gx, rows, n), spread(grows, rows, n), None
            gqkv = self._attention_back(grows, attention, b, t)
        z, s = first
        self._gradient("0.qkv", gqkv, z)
        call("norm_back", self._times(gqkv, "0.qkv", back=True), z, s, gx, torch.empty(n, d, dtype=BF16), n, d)
        call("embed_back", gx, ids, self.grads["embed"], n, d)
        return loss

    def _gradient(self, name, g, x):
        """The gradient of a matrix from that of its product with x."""
        call("gradient", g, x, self.grads[name], len(x), *self.grads[name].shape)
