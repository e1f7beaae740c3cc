"""Changes to bytes as disks, copies and people make them, drawn by a seeded generator."""

from collections.abc import Callable

import numpy as np

Rng = np.random.Generator
# What a header must survive in a field of four or eight bytes.
EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
HEAD_BYTES = 1500


def flip_bytes(data: bytes, rng: Rng) -> bytes:
    """One to eight bytes anywhere."""
    return _flip(data, rng, 0, len(data))


def flip_head(data: bytes, rng: Rng) -> bytes:
    """One to eight bytes of the beginning, where most headers are."""
    return _flip(data, rng, 0, min(HEAD_BYTES, len(data)))


def flip_tail(data: bytes, rng: Rng) -> bytes:
    """One to eight bytes of the end, where others keep their index."""
    return _flip(data, rng, max(0, len(data) - HEAD_BYTES), len(data))


def write_extreme(data: bytes, rng: Rng) -> bytes:
    """A number as small or large as can be, in the head or the tail."""
    length = int(rng.choice([1, 2, 4, 8]))
    value = int(rng.choice(np.array(EXTREMES, np.uint64))) & ((1 << 8 * length) - 1)
    start = int(rng.integers(0, max(1, min(HEAD_BYTES, len(data)))))
    if rng.random() < 0.5:
        start = len(data) - 1 - start
    number = value.to_bytes(length, "big") if rng.random() < 0.5 else value.to_bytes(length, "little")
    return data[:start] + number[: len(data) - start] + data[start + length :]


def cut_end(data: bytes, rng: Rng) -> bytes:
    """A copy that stopped early."""
    return data[: int(rng.integers(0, len(data)))]


def cut_start(data: bytes, rng: Rng) -> bytes:
    """What is left when the beginning is lost."""
    return data[int(rng.integers(1, max(2, len(data) // 2))) :]


def cut_middle(data: bytes, rng: Rng) -> bytes:
    """A block that is lost."""
    start, end = _block(data, rng)
    return data[:start] + data[end:]


def blank_block(data: bytes, rng: Rng) -> bytes:
    """A sector that was never written."""
    start, end = _block(data, rng)
    return data[:start] + bytes(end - start) + data[end:]


def repeat_block(data: bytes, rng: Rng) -> bytes:
    """A block that was written twice."""
    start, end = _block(data, rng)
    return data[:end] + data[start:end] + data[end:]


def insert_noise(data: bytes, rng: Rng) -> bytes:
    """Bytes that do not belong there."""
    start = int(rng.integers(0, len(data) + 1))
    return data[:start] + rng.bytes(int(rng.integers(1, 300))) + data[start:]


def append_noise(data: bytes, rng: Rng) -> bytes:
    """Bytes after the end."""
    return data + rng.bytes(int(rng.integers(1, 3000)))


MUTATIONS: dict[str, Callable[[bytes, Rng], bytes]] = {
    change.__name__: change
    for change in (
        *(flip_bytes, flip_head, flip_tail, write_extreme, cut_end, cut_start),
        *(cut_middle, blank_block, repeat_block, insert_noise, append_noise),
    )
}


def mutate(data: bytes, rng: Rng) -> tuple[str, bytes]:
    """Some change, by name, and the changed bytes."""
    name = str(rng.choice(list(MUTATIONS)))
    return name, MUTATIONS[name](data, rng)


def _flip(data: bytes, rng: Rng, start: int, end: int) -> bytes:
    changed = bytearray(data)
    for place in rng.integers(start, max(start + 1, end), int(rng.integers(1, 9))).tolist():
        if place < len(changed):
            changed[place] ^= int(rng.integers(1, 256))
    return bytes(changed)


def _block(data: bytes, rng: Rng) -> tuple[int, int]:
    start = int(rng.integers(0, max(1, len(data))))
    return start, min(len(data), start + int(rng.integers(1, 2000)))
