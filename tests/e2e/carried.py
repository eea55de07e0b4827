"""Compiled constraints in plan files, found and changed (runtime/plan/codec.h, runtime/constraint/compiled.h)."""
import base64
import hashlib

HEADER = 52  # bytes of a plan before its payload
BODY = 76    # bytes of a constraint before what it was compiled to


def places(plan):
    """Where the base64url text of each constraint begins and ends: the CBOR text behind the key `bytes`."""
    out, at = [], HEADER
    while (at := plan.find(b"\x65bytes", at)) >= 0:
        at += 6
        kind, size = plan[at], plan[at] - 0x60
        at += 1
        if kind >= 0x78:
            width = 1 << (kind - 0x78)
            size = int.from_bytes(plan[at:at + width], "big")
            at += width
        out.append((at, at + size))
    return out


def constraint(plan, index=0):
    begin, end = places(plan)[index]
    return base64.urlsafe_b64decode(plan[begin:end] + b"=" * (-(end - begin) % 4))


def replaced(plan, constraint_bytes, index=0):
    """The plan with other bytes, as many, and the hash that belongs to them."""
    begin, end = places(plan)[index]
    text = base64.urlsafe_b64encode(constraint_bytes).rstrip(b"=")
    assert len(text) == end - begin
    payload = plan[HEADER:begin] + text + plan[end:]
    return plan[:20] + hashlib.sha256(payload).digest() + payload


def flipped(plan, bits):
    """The plan with bits of its first constraint flipped: {offset: bits}."""
    changed = bytearray(constraint(plan))
    for at, flip in bits.items():
        changed[at] ^= flip
    return replaced(plan, bytes(changed))


def summed(head, body):
    """A constraint of these parts with the checksum that fits: FNV-1a over words of 8 bytes."""
    rest, total = head[12:] + body, 0xcbf29ce484222325
    for at in range(0, len(rest), 8):
        total = (total ^ int.from_bytes(rest[at:at + 8], "big")) * 0x100000001b3 & (1 << 64) - 1
        total ^= total >> 32
    return head[:4] + total.to_bytes(8, "little") + rest


def forged(plan, donor):
    """The plan with what the donor's first constraint was compiled to, as if it were of the plan's own type."""
    return replaced(plan, summed(constraint(plan)[:BODY], constraint(donor)[BODY:]))
