"""The model and its gradients: a Llama (RMSNorm, SwiGLU, rotary positions, tied embeddings), made for one CPU core.

Matrix products run in bfloat16 where the processor has instructions for it, which is several times faster
than float32; everything between them is in kernels.c. Parameters, their gradients and the residual stream are
float32. There is no autograd: `step` runs forward and backward by hand, and `check.py` compares it with autograd. The
gains of the norms stay 1: the matrices after them can express any other gain.
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


def has_fast_bf16() -> bool:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            text = f.read()
    except OSError:
        return False
    return "amx_bf16" in text or "avx512_bf16" in text


FAST = has_fast_bf16()


def mm(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Product of bfloat16 matrices, or of two batches of them."""
    return torch.matmul(a, b) if FAST else torch.matmul(a.float(), b.float()).to(BF16)


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
        self.half = torch.empty(total, dtype=BF16)
        self.low = self._views(self.half)
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
        self.half.copy_(self.flat)

    def share(self):
        """Puts the parameters where processes forked later see them change."""
        self.flat.share_memory_()
        self.half.share_memory_()
        self.params, self.low = self._views(self.flat), self._views(self.half)

    def use(self, buffer):
        """Gradients go into `buffer`, from zero."""
        self.grads = self._views(buffer.zero_())

    def _attention(self, qkv, b, t):
        c = self.config
        h, d = c.num_attention_heads, c.head_dim
        heads = torch.empty(3, b * h, t, d, dtype=BF16)
        call("split_heads", qkv, heads, self.cos, self.sin, b, t, h, d, float(d**-0.5))
        q, k, v = heads
        p = mm(q, k.transpose(1, 2))
        call("softmax", p, b * h, t)
        o = mm(p, v)
        rows = torch.empty(b * t, h * d, dtype=BF16)
        call("merge_heads", o, rows, b, t, h, d, 0)
        return rows, (q, k, v, p)

    def _attention_back(self, grows, saved, b, t):
        c = self.config
        h, d = c.num_attention_heads, c.head_dim
        q, k, v, p = saved
        go = torch.empty(b * h, t, d, dtype=BF16)
        call("merge_heads", go, grows, b, t, h, d, 1)
        grad = torch.empty(3, b * h, t, d, dtype=BF16)
        grad[2] = mm(p.transpose(1, 2), go)
        gs = mm(go, v.transpose(1, 2))
        call("softmax_back", p, gs, b * h, t)
        grad[0] = mm(gs, k)
        grad[1] = mm(gs.transpose(1, 2), q)
        gqkv = torch.empty(b * t, 3 * h * d, dtype=BF16)
        call("split_heads_back", grad, gqkv, self.cos, self.sin, b, t, h, d, float(d**-0.5))
        return gqkv

    def _forward(self, ids, b, t, targets=None):
        """The last norm and what the way back needs. With `targets`, the rows with loss (padded with -1), the last layer leaves out the others."""
        c = self.config
        d, f = c.hidden_size, c.intermediate_size
        x = torch.empty(b * t, d)
        call("embed", self.params["embed"], ids, x, b * t, d)
        saved, out = [], None

        def norm(x, y):
            z, s = torch.empty(x.shape, dtype=BF16), torch.empty(len(x))
            call("add_norm", x, y, z, s, len(x), d, float(c.rms_norm_eps))
            return z, s

        for i in range(c.num_hidden_layers):
            z1, s1 = norm(x, out)
            rows, att = self._attention(mm(z1, self.low[f"{i}.qkv"].t()), b, t)
            if targets is not None and i == c.num_hidden_layers - 1:
                x, rows = take(x, targets), take(rows, targets)
            z2, s2 = norm(x, mm(rows, self.low[f"{i}.o"].t()))
            both = mm(z2, self.low[f"{i}.gate_up"].t())
            act = torch.empty(len(x), f, dtype=BF16)
            call("swiglu", both, act, len(x), f)
            out = mm(act, self.low[f"{i}.down"].t())
            saved.append((z1, s1, rows, att, z2, s2, both, act))
        return norm(x, out), saved

    def logits(self, ids: torch.Tensor) -> torch.Tensor:
        """Logits of a batch of equally long sequences, [b, t, vocabulary]."""
        b, t = ids.shape
        (z, _), _ = self._forward(ids.to(torch.int32).contiguous(), b, t)
        return mm(z, self.low["embed"].t()).view(b, t, -1)

    def step(self, ids, rows, targets, weights, right) -> float:
        """Adds the gradients of the weighted loss at `rows` of the flattened batch; returns its sum without weights."""
        c = self.config
        b, t = ids.shape
        n, d, f, m = b * t, c.hidden_size, c.intermediate_size, rows.numel()
        padded = -(-m // 64) * 64  # few different sizes, so that oneDNN makes few different kernels
        rows = torch.cat([rows, torch.full((padded - m,), -1, dtype=torch.int32)])
        (z, s), saved = self._forward(ids, b, t, rows)
        logits = mm(z, self.low["embed"].t())
        loss = call("cross_entropy", logits, targets, weights, m, c.vocab_size, right)
        logits[m:] = 0
        self._add("embed", logits, z)
        gx, g = torch.zeros(padded, d), torch.empty(padded, d, dtype=BF16)
        call("norm_back", mm(logits, self.low["embed"]), z, s, gx, g, padded, d)
        for i in reversed(range(c.num_hidden_layers)):
            z1, s1, heads, att, z2, s2, both, act = saved.pop()
            self._add(f"{i}.down", g, act)
            gboth = torch.empty(len(g), 2 * f, dtype=BF16)
            call("swiglu_back", both, mm(g, self.low[f"{i}.down"]), gboth, len(g), f)
            self._add(f"{i}.gate_up", gboth, z2)
            call("norm_back", mm(gboth, self.low[f"{i}.gate_up"]), z2, s2, gx, g, len(g), d)
            self._add(f"{i}.o", g, heads)
            gheads = mm(g, self.low[f"{i}.o"])
            if i == c.num_hidden_layers - 1:
                gx, gheads, g = spread(gx, rows, n), spread(gheads, rows, n), torch.empty(n, d, dtype=BF16)
            gqkv = self._attention_back(gheads, att, b, t)
            self._add(f"{i}.qkv", gqkv, z1)
            call("norm_back", mm(gqkv, self.low[f"{i}.qkv"]), z1, s1, gx, g, n, d)
        call("embed_back", gx, ids, self.grads["embed"], n, d)
        return loss

    def _add(self, name, g, x):
        product = mm(g.t(), x)
        call("accumulate", self.grads[name], product, product.numel())
