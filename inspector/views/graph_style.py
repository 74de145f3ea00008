"""The colours and fonts of a painted graph, worked out once; in the window they follow its theme, on paper not."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtGui import QColor, QFont, QFontMetricsF, QGuiApplication

from inspector.views import look


def mixed(one: QColor, other: QColor, part: float) -> QColor:
    """A colour between two: `part` of the one, the rest of the other."""
    return QColor(
        round(one.red() * part + other.red() * (1 - part)),
        round(one.green() * part + other.green() * (1 - part)),
        round(one.blue() * part + other.blue() * (1 - part)),
    )


HEATS = 100
"""Different colours of the scale for numbers."""
FILL = {
    False: ("#FFFFF2", "#FEEDB5", "#FED080", "#FBA65A", "#EE8449"),
    True: ("#1C1A17", "#33271A", "#50361A", "#6E4418", "#8C5215"),
}
SOLID = {
    False: ("#B9A978", "#A8833B", "#A35F14", "#8C4208", "#662506"),
    True: ("#6B6355", "#97784A", "#C48C42", "#EBA53F", "#FFC45C"),
}
"""Stops of the scale, by whether the palette is dark: grounds of boxes, and what is drawn strong on them."""


def _on_scale(stops: tuple[str, ...], part: float) -> QColor:
    place = min(max(part, 0.0), 1.0) * (len(stops) - 1)
    below = min(int(place), len(stops) - 2)
    return mixed(QColor(stops[below + 1]), QColor(stops[below]), place - below)


@dataclass(frozen=True, slots=True)
class Tint:
    """The colours of one category's boxes."""

    solid: QColor
    fill: QColor
    border: QColor
    far: QColor
    """Where boxes are too small for detail."""


@dataclass(frozen=True)
class Style:
    """Everything the painter needs to know about looks."""

    dark: bool
    ground: QColor
    text: QColor
    muted: QColor
    edge: QColor
    line: QColor
    raised: QColor
    accent: QColor
    soft: QColor
    mark: QColor
    title: QFont
    body: QFont
    tints: dict[str, Tint] = field(default_factory=dict)

    @classmethod
    def of(cls, dark: bool) -> Style:
        """The style of the light or the dark palette."""

        def colour(name: str) -> QColor:
            return look.colour(name, dark)

        return cls(
            dark=dark, ground=colour("base"), text=colour("text"), muted=colour("muted"), edge=colour("edge"),
            line=colour("line_strong"), raised=colour("raised"), accent=colour("accent"), soft=colour("accent_soft"),
            mark=colour("warning"), title=_font(13, QFont.Weight.DemiBold), body=_font(11, QFont.Weight.Normal),
        )  # fmt: skip

    def tint(self, category: str) -> Tint:
        """The colours of a category."""
        if category not in self.tints:
            solid = look.category_colour(category, self.dark)
            self.tints[category] = Tint(
                solid=solid,
                fill=mixed(solid, self.ground, 0.20 if self.dark else 0.13),
                border=mixed(solid, self.ground, 0.55 if self.dark else 0.5),
                far=mixed(solid, self.ground, 0.65 if self.dark else 0.55),
            )
        return self.tints[category]

    def heat(self, part: float | None) -> Tint:
        """The colours of a number as a part of the largest, 0 to 1; None where it is not known.

        One hue from the paper's colour to a deep brown (to a bright one in the dark): its order is seen without
        seeing hues, and on every fill the text keeps its contrast.
        """
        key = "heat" if part is None else f"heat {round(part * HEATS)}"
        if key not in self.tints:
            solid = self.muted if part is None else _on_scale(SOLID[self.dark], part)
            fill = self.ground if part is None else _on_scale(FILL[self.dark], part)
            border = mixed(solid, self.ground, 0.5)
            self.tints[key] = Tint(solid=solid, fill=fill, border=border, far=mixed(solid, fill, 0.25))
        return self.tints[key]

    def frame(self, depth: int) -> QColor:
        """The ground of an open module: a little further from the paper with each level."""
        return mixed(self.text, self.ground, (0.03 if self.dark else 0.02) * min(depth + 1, 5))

    def title_metrics(self) -> QFontMetricsF:
        """Measures of the first line."""
        return QFontMetricsF(self.title)

    def body_metrics(self) -> QFontMetricsF:
        """Measures of the second line."""
        return QFontMetricsF(self.body)


def _font(pixels: int, weight: QFont.Weight) -> QFont:
    font = QFont(QGuiApplication.font())
    font.setPixelSize(pixels)
    font.setWeight(weight)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font
