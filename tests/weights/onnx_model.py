"""A tiny ONNX model by hand: what a face encoder looks like from outside, without the onnx package."""

from __future__ import annotations

import struct


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def _int(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _value(name: str, shape: tuple[int, ...]) -> bytes:
    dims = b"".join(_bytes(1, _int(1, size)) for size in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _int(1, 1) + _bytes(2, dims)))


def _node(kind: str, inputs: tuple[str, ...], output: str) -> bytes:
    return b"".join(_bytes(1, name) for name in inputs) + _bytes(2, output) + _bytes(4, kind)


def face_encoder(size: int = 112, width: int = 4) -> bytes:
    """(1, 3, size, size) -> (1, width): the mean of each channel times a matrix."""
    matrix = _int(1, 3) + _int(1, width) + _int(2, 1) + _bytes(8, "w")
    matrix += _bytes(9, struct.pack(f"<{3 * width}f", *range(3 * width)))
    graph = _bytes(1, _node("GlobalAveragePool", ("x",), "mean")) + _bytes(1, _node("Flatten", ("mean",), "flat"))
    graph += _bytes(1, _node("MatMul", ("flat", "w"), "y")) + _bytes(2, "g") + _bytes(5, matrix)
    graph += _bytes(11, _value("x", (1, 3, size, size))) + _bytes(12, _value("y", (1, width)))
    return _int(1, 8) + _bytes(7, graph) + _bytes(8, _bytes(1, "") + _int(2, 13))
