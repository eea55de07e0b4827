"""What the generators return: a dialogue, and small helpers to write records."""

import json
from dataclasses import dataclass, field


@dataclass
class Dialogue:
    """Messages (role, text, characters at the start of the text without loss), or a bare text with loss from `start`. `described`: the tools of a tool call."""

    task: str
    messages: list = field(default_factory=list)
    text: str | None = None
    start: int = 0
    described: list = field(default_factory=list)

    def system(self, text):
        self.messages.append(("system", text, 0))
        return self

    def user(self, text):
        self.messages.append(("user", text, 0))
        return self

    def tool(self, text):
        self.messages.append(("tool", text, 0))
        return self

    def assistant(self, text, given=""):
        """A turn of the assistant after the literal prefix `given`, which carries no loss."""
        self.messages.append(("assistant", given + text, len(given)))
        return self


def quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def record(fields) -> str:
    """Compact JSON of (key, JSON text) pairs."""
    return "{" + ",".join(f"{quote(k)}:{v}" for k, v in fields) + "}"


def and_list(items, word="and") -> str:
    items = list(items)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {word} {items[-1]}"


def sentence(text: str) -> str:
    """Capital letter first, one full stop last."""
    text = text[:1].upper() + text[1:]
    return text if text[-1] in ".!?" else text + "."
