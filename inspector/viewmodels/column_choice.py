"""What the user chose about the columns of the layer table: which, in what order, how wide; kept in the settings.

Tables of files that hold weights only have other columns than those of models, so all of it is kept for each kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from inspector.settings import Settings
from inspector.viewmodels.columns import DEFAULT, KEYS, WEIGHTS_ONLY

NARROWEST, WIDEST = 48, 4000
"""Pixels that a column may have, whatever a settings file says."""


class ColumnChoice:
    """The columns of one table.

    Args:
        settings: Where the choice is kept; tables that are made later start with it.
        bare: Whether the file holds weights only.
    """

    def __init__(self, settings: Settings, bare: Callable[[], bool]) -> None:
        self._settings, self._bare = settings, bare

    @property
    def _kind(self) -> str:
        return "weights" if self._bare() else "model"

    def shown(self) -> list[str]:
        """Keys of the columns that the user chose, or of those that say something of such a file."""
        settings = self._settings
        return (settings.weight_columns or list(WEIGHTS_ONLY)) if self._bare() else (settings.columns or list(DEFAULT))

    def show(self, keys: Sequence[str]) -> None:
        """Show these, in this table and in every later one."""
        chosen = [key for key in KEYS if key in keys]
        if self._bare():
            self._settings.weight_columns = [] if chosen == list(WEIGHTS_ONLY) else chosen
        else:
            self._settings.columns = [] if chosen == list(DEFAULT) else chosen

    def order(self) -> list[str]:
        """Keys of all columns as they stand; one that the settings do not know stands behind its usual neighbour."""
        kept = self._settings.column_order.get(self._kind, [])
        order = list(dict.fromkeys(key for key in kept if key in KEYS))
        for place, key in enumerate(KEYS):
            if key not in order:
                order.insert(order.index(KEYS[place - 1]) + 1 if place else 0, key)
        return order

    def arrange(self, keys: Sequence[str]) -> None:
        """Keep the order of all columns."""
        others = {kind: order for kind, order in self._settings.column_order.items() if kind != self._kind}
        self._settings.column_order = others if tuple(keys) == KEYS else {**others, self._kind: list(keys)}

    def widths(self) -> dict[str, int]:
        """Pixels by key of the columns whose width the user has set; the others are fitted."""
        kept = self._settings.column_widths.get(self._kind, {})
        return {key: min(max(width, NARROWEST), WIDEST) for key, width in kept.items() if key in KEYS}

    def widen(self, widths: dict[str, int]) -> None:
        """Keep the widths, in pixels, that the user gave columns."""
        kept = self._settings.column_widths
        self._settings.column_widths = {**kept, self._kind: {**kept.get(self._kind, {}), **widths}}

    def reset(self) -> None:
        """Forget all of it for tables of this kind: the usual columns in the usual order, as wide as they want."""
        if self._bare():
            self._settings.weight_columns = []
        else:
            self._settings.columns = []
        settings, kind = self._settings, self._kind
        settings.column_order = {other: order for other, order in settings.column_order.items() if other != kind}
        settings.column_widths = {other: widths for other, widths in settings.column_widths.items() if other != kind}

    def is_usual(self) -> bool:
        """Whether there is nothing to reset."""
        usual = list(WEIGHTS_ONLY if self._bare() else DEFAULT)
        return self.shown() == usual and tuple(self.order()) == KEYS and not self.widths()
