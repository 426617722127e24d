"""Writes a tiny ONNX file by hand: protobuf fields of onnx.proto3, so that no ONNX library is needed."""

from __future__ import annotations

import numpy as np


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def tensor(name: str, array: np.ndarray) -> bytes:
    dims = b"".join(field(1, side) for side in array.shape)
    return dims + field(2, 1) + field(8, name) + field(9, array.astype("<f4").tobytes())


def value(name: str, shape: tuple[int | str, ...]) -> bytes:
    dims = b"".join(field(1, field(1, side) if isinstance(side, int) else field(2, side)) for side in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def node(kind: str, inputs: list[str], output: str) -> bytes:
    return b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, kind)


def linear_network(weight: np.ndarray, channels: int = 3, side: int = 112) -> bytes:
    """(n, channels, side, side) -> Flatten -> MatMul with weight (channels side side, width)."""
    graph = field(1, node("Flatten", ["picture"], "flat")) + field(1, node("MatMul", ["flat", "weight"], "embedding"))
    graph += field(2, "tiny") + field(5, tensor("weight", weight))
    graph += field(11, value("picture", ("n", channels, side, side)))
    graph += field(12, value("embedding", ("n", weight.shape[1])))
    return field(1, 8) + field(8, field(1, "") + field(2, 13)) + field(7, graph)
