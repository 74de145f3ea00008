"""Open sizes of torch's models: what follows from a name is said as arithmetic, which the user's sizes settle."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from inspector.engines.summary.rows import Overview, Row
from inspector.engines.summary.sizes import Sizes
from inspector.formats._torch_sizes import least, minus, over, part_of, plus, product, rest
from inspector.ir import Dim
from inspector.jobs.terminal import ask_document
from inspector.worker.tasks.open import OpenArgs
from inspector.worker.tasks.rows import TASK as ROWS
from inspector.worker.tasks.rows import RowsArgs

KNOWN = {"batch": 7, "height": 12, "width": 5}
Both = tuple[Dim, int]
"""A size as text, and what it is where the names are known."""


def joined(pair: tuple[Both, Both, str]) -> Both:
    (a, left), (b, right), act = pair
    match act:
        case "plus":
            return plus(a, b), left + right
        case "minus":
            return minus(a, b), left - right
        case "product":
            return product((a, b)), left * right
        case "least":
            return least(a, b), min(left, right)  # all names are known to be more than one
    if not right:
        return a, left
    return (over(a, b), left // right) if act == "over" else (rest(a, b), left % right)


ACTS = st.sampled_from(["plus", "minus", "product", "least", "over", "rest"])
LEAVES = st.one_of(
    st.sampled_from(sorted(KNOWN)).map(lambda name: (name, KNOWN[name])), st.integers(1, 5).map(lambda n: (n, n))
)
TREES = st.recursive(LEAVES, lambda inner: st.tuples(inner, inner, ACTS).map(joined), max_leaves=8)


@given(TREES)
def test_text_is_worth_what_the_arithmetic_gives(tree: Both) -> None:
    """No size is below nothing, which is what the table makes of one that would be."""
    text, value = tree
    if isinstance(text, str):
        assert Sizes(KNOWN).fixed(text, 0) == max(value, 0)
    elif text is not None:
        assert text == value


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (plus("batch", 3), "batch + 3"),
        (minus(plus("batch", 3), 3), "batch"),
        (plus(over(minus("height", 1), 2), 1), "(height + 1)//2"),
        (over(over("height", 2), 2), "height//4"),
        (plus(over(minus("height", 16), 16), 1), "height//16"),
        (product(["batch", 8, "width"]), "8*batch*width"),
        (part_of(product(["batch", 8, "width"]), product([4, "batch"])), "2*width"),
        (part_of(plus("batch", 1), 2), None),
        (rest(product([6, "batch"]), 3), 0),
        (least("height", 4), "Min(height, 4)"),
        (plus("any words", 1), None),
        (plus("9**9**9", 1), None),
        (plus("a" * 500, 1), None),
        (product([f"x{at} + 1" for at in range(40)]), None),
    ],
)
def test_sizes_come_out_the_same_whatever_the_way(size: Dim, text: Dim) -> None:
    assert size == text


class Longer(torch.nn.Module):
    """Three rows more, half the height, everything flat."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = torch.nn.Conv2d(3, 4, 3, stride=2, padding=1), torch.nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.cat([x, x[:1], x[:1], x[:1]], 0)
        z = self.conv(y)
        return self.head(z.permute(0, 2, 3, 1).reshape(-1, 4))


def seen(path: Path, opening: OpenArgs) -> tuple[Overview, dict[str, Row]]:
    found, page = ask_document(path, [(ROWS, RowsArgs(dims=opening.dims))], opening)
    return found, {row.name: row for row in page.rows}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_scripted_and_exported_models_say_their_open_sizes(tmp_path: Path) -> None:
    model = Longer().eval()
    script, export = str(tmp_path / "a.pt"), str(tmp_path / "b.pt2")
    torch.jit.script(model).save(script)
    _, rows = seen(Path(script), OpenArgs(script, shapes={"x": ("batch", 3, "height", 32)}))
    assert rows["conv"].outputs[0].shape == ("batch + 3", 4, "(height + 1)//2", 16)
    assert rows["head"].outputs[0].shape == ("16*((height + 1)//2)*batch + 48*((height + 1)//2)", 2)
    sized = OpenArgs(script, {"batch": 5, "height": 30}, {"x": ("batch", 3, "height", 32)})
    told, rows = seen(Path(script), sized)
    assert rows["conv"].outputs[0].shape == (8, 4, 15, 16)
    assert told.totals.macs == 8 * 15 * 16 * (4 * 27 + 4 * 2)
    dim = torch.export.Dim("batch", min=2, max=64)
    program = torch.export.export(model, (torch.randn(4, 3, 30, 32),), dynamic_shapes=({0: dim},))
    torch.export.save(program, export)
    told, rows = seen(Path(export), OpenArgs(export))
    [name] = told.dims
    assert rows["conv"].outputs[0].shape == (f"{name} + 3", 4, 15, 16)
    assert rows["head"].outputs[0].shape == (f"240*{name} + 720", 2)
    told, rows = seen(Path(export), OpenArgs(export, {name: 5}))
    assert rows["conv"].outputs[0].shape == (8, 4, 15, 16)
    assert told.totals.macs == 8 * 15 * 16 * (4 * 27 + 4 * 2)
