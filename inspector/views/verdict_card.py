"""The verdict in one look: a colour, a word, a sentence, and one button for what to try next."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QFrame, QSizePolicy

from inspector.viewmodels.verdicts import Card
from inspector.views import look
from inspector.views.pieces import Picture, button, column, grey, label, row

STRIPE, RADIUS = 4, 6
EMPTY = Card(
    "muted", "beaker", "", "Not compared yet",
    "Both models are run on the same inputs; here it will say whether they are still the same model.",
)  # fmt: skip


class VerdictCard(QFrame):
    """Green, amber, red or grey.

    Args:
        pressed: Called when the button is pressed.
    """

    def __init__(self, pressed: Callable[[], object]) -> None:
        super().__init__()
        self.setObjectName("verdictCard")
        self._icon = Picture(look.icon(EMPTY.icon, EMPTY.tone), 24)
        self.headline = label("", "title")
        self.sentence = label("", wrap=True)
        self.sentence.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.button = button("", pressed)
        words = column(self.headline, self.sentence, spacing=4)
        layout = row(self._icon, words, self.button, spacing=16, margins=(20, 12, 16, 12))
        layout.setStretch(1, 1)
        layout.setAlignment(self._icon, Qt.AlignmentFlag.AlignVCenter)
        layout.setAlignment(self.button, Qt.AlignmentFlag.AlignVCenter)
        self.setLayout(layout)
        self._card = EMPTY
        look.themed.changed.connect(self._follow_theme)
        self.show_card(EMPTY)

    @property
    def card(self) -> Card:
        """What it shows."""
        return self._card

    def show_card(self, card: Card | None) -> None:
        """Show a verdict, or that there is none."""
        self._card = card = card or EMPTY
        self.setProperty("tone", card.tone)
        self.setProperty("verdict", card.word)
        self.setAccessibleName(f"Verdict: {card.headline}")
        self.setAccessibleDescription(card.sentence)
        self._icon.show_icon(look.icon(card.icon, card.tone))
        self.headline.setText(card.headline)
        palette = self.headline.palette()
        palette.setColor(self.headline.foregroundRole(), look.colour("text" if card.tone == "muted" else card.tone))
        self.headline.setPalette(palette)
        self.sentence.setText(card.sentence)
        self.button.setText(card.next.replace("&", "&&"))
        self.button.setVisible(bool(card.next))
        self.update()

    def _follow_theme(self) -> None:
        self.show_card(self._card)

    def offer(self, why_not: str) -> None:
        """Whether the button does something now, or why it does not."""
        grey(self.button, why_not)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A soft ground in the tone, and a stripe of it at the left."""
        soft = {"muted": "sunken"}.get(self._card.tone, f"{self._card.tone}_soft")
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            shape = QPainterPath()
            shape.addRoundedRect(QRectF(self.rect()), RADIUS, RADIUS)
            painter.fillPath(shape, look.colour(soft))
            painter.setClipPath(shape)
            painter.fillRect(QRectF(0, 0, STRIPE, self.height()), look.colour(self._card.tone))
