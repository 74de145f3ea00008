"""Builds checkpoints and Keras files in which weights are stored twice, into the folder given, and `facts.json`."""

from __future__ import annotations

import copy
import json
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch
from torch import nn


class Tied(nn.Module):
    """An embedding and a head with its values, which are one tensor or two; layers that were copied from the first."""

    def __init__(self, *, tied: bool) -> None:
        super().__init__()
        self.wte = nn.Embedding(500, 32)
        layer = nn.Linear(32, 64)
        self.layers = nn.ModuleList(copy.deepcopy(layer) for _ in range(3))
        self.zeros = nn.ParameterList(nn.Parameter(torch.zeros(64, 64)) for _ in range(2))
        self.head = nn.Linear(32, 500, bias=False)
        self.head.weight = self.wte.weight if tied else nn.Parameter(self.wte.weight.detach().clone())


def main(folder: Path) -> None:
    torch.manual_seed(0)
    for tied in (True, False):
        model = Tied(tied=tied)
        name = "tied" if tied else "twice"
        torch.save(model.state_dict(), folder / f"{name}.pt")
        torch.save(model.state_dict(), folder / f"{name}_legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(model, folder / "twice_module.pt")
    inputs = keras.Input((64,))
    first, second = keras.layers.Dense(64, name="first"), keras.layers.Dense(64, name="second")
    made = keras.Model(inputs, second(first(inputs)))
    second.set_weights(first.get_weights())
    made.save(folder / "twice.keras")
    made.save(folder / "twice.h5")
    counts = {"torch": sum(p.numel() for p in model.parameters()), "keras": made.count_params()}
    (folder / "facts.json").write_text(json.dumps(counts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
