"""Two palettes: complete, readable, and a change of theme reaches what was painted before."""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from inspector.assets import resource
from inspector.views import look

TEXTS = {
    "text": ("window", "base", "raised", "alternate", "hover", "selection", "good_soft", "warning_soft", "bad_soft"),
    "muted": ("window", "base", "raised", "sunken", "hover"),
    "on_accent": ("accent", "accent_hover"),
    "on_selection": ("selection",),
    "link": ("window", "base", "raised"),
    "good": ("base", "good_soft"),
    "warning": ("base", "warning_soft"),
    "bad": ("base", "window", "bad_soft"),
    "info": ("info_soft",),
}


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest, qapp: QApplication) -> str:
    look.apply(qapp, request.param)
    return str(request.param)


def luminance(colour: QColor) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF())


def contrast(one: QColor, other: QColor) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_text_can_be_read(theme: str) -> None:
    weak = {
        f"{text} on {ground}": round(contrast(look.colour(text), look.colour(ground)), 2)
        for text, grounds in TEXTS.items()
        for ground in grounds
        if contrast(look.colour(text), look.colour(ground)) < 4.5
    }
    assert not weak


def test_both_palettes_have_the_same_names() -> None:
    light, dark = (msgspec.json.decode(resource("palettes", f"{name}.json").read_bytes()) for name in ("light", "dark"))
    assert light["colours"].keys() == dark["colours"].keys()
    assert set(light["categories"]) == set(dark["categories"]) == set(look.CATEGORIES)


def test_categories_are_told_apart(theme: str) -> None:
    colours = {look.category_colour(category).name() for category in look.CATEGORIES}
    assert len(colours) == len(look.CATEGORIES)
    assert look.category_colour("no such category") == look.category_colour("other")


def test_every_category_of_the_engine_has_a_colour() -> None:
    from inspector.ir import operators

    assert set(operators.CATEGORIES) <= set(look.CATEGORIES)


def test_an_unknown_icon_is_said_at_once() -> None:
    with pytest.raises(KeyError):
        look.icon("no-such-icon")


def test_icons_are_tinted_anew(qtbot: QtBot, qapp: QApplication) -> None:
    button = QToolButton()
    qtbot.addWidget(button)
    button.setIcon(look.icon("close", "text"))
    darkest = {}
    for theme in ("light", "dark"):
        look.apply(qapp, theme)
        image = button.icon().pixmap(32, 32).toImage()
        pixels = [image.pixelColor(x, y) for x in range(32) for y in range(32)]
        darkest[theme] = max((pixel for pixel in pixels), key=lambda pixel: pixel.alpha()).lightness()
    assert darkest["light"] < 64 < 192 < darkest["dark"]


def test_the_style_sheet_names_only_known_colours(theme: str, qapp: QApplication) -> None:
    assert "@" not in qapp.styleSheet().partition("*/")[2]
    assert "$" not in qapp.styleSheet()


def test_figures_are_tabular(qapp: QApplication) -> None:
    assert look.tabular().isFeatureSet(look.QFont.Tag("tnum"))
