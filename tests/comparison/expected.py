"""What each file has by arithmetic, where a format's own way differs from the model's, with the reason."""

from __future__ import annotations

from dataclasses import dataclass

from tests.comparison.reference import Reference, Sizes

WEIGHTS_ALONE = {"torch.state_dict", "safetensors", "torch.module"}
"""Formats that hold no graph: they have parameters and no multiply-adds."""

FOLDED = "batch normalisations are folded into the convolutions: of four numbers a channel one is left, the bias"
KEPT = "batch normalisations have become a factor and an offset; folded into convolutions without a bias of their own"
STATES = "the zeros that the recurrence starts with are stored as constants"
TFLITE = "the zeros that the recurrence starts with, and the room for its outputs, are stored as constants"


@dataclass(frozen=True)
class Expected:
    """What a file has."""

    parameters: int
    macs: int
    reason: str = ""
    weights_alone: bool = False


def expected(words: str, reference: Reference, model: str, s: Sizes) -> Expected:
    """What the file of a format, in the table's words, has of a model."""
    if words in WEIGHTS_ALONE:
        return Expected(reference.parameters, reference.macs, weights_alone=True)
    parameters, reason = reference.parameters, ""
    if reference.channels and words in {"onnx, dynamo", "onnx, TorchScript exporter", "tflite", "tflite, int8"}:
        parameters, reason = reference.folded, FOLDED
    elif reference.channels and words == "onnx, tf2onnx":
        separate = reference.kept or reference.depthwise
        parameters, reason = reference.folded + separate + reference.kept, KEPT
    elif model == "LSTM" and words in STATED:
        parameters, reason = parameters + STATED[words] * s.cells, STATES
    elif model == "LSTM" and words == "tflite":
        parameters, reason = parameters + s.cells + s.steps * s.cells, TFLITE
    return Expected(parameters, reference.macs, reason)


STATED = {"onnx, TorchScript exporter": 4, "tf.graph_def": 4, "tfjs": 4, "onnx, tf2onnx": 1}
"""States that a file stores, each of as many numbers as the layer has cells; equal ones may be stored once."""
