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
