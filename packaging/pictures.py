"""Pictures of the window as small PNG files: 256 colours, chosen from those that are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtGui import QImage, QPixmap

COLOURS = 256
FREQUENT = 224
"""Colours taken for being frequent; the others are those farthest from all that were taken."""


def save(picture: QPixmap, file: Path) -> int:
    """Write a picture; gives its size in bytes."""
    image = picture.toImage().convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.bytesPerLine() // 4)
    pixels = rows[:, : image.width()] & 0xFFFFFF
    known, inverse, counts = np.unique(pixels, return_inverse=True, return_counts=True)
    table = palette(known, counts)
    nearest = closest(known, table).astype(np.uint8)[inverse].reshape(pixels.shape)
    width = -(-image.width() // 4) * 4
    padded = np.zeros((image.height(), width), np.uint8)
    padded[:, : image.width()] = nearest
    small = QImage(padded.tobytes(), image.width(), image.height(), width, QImage.Format.Format_Indexed8)
    small.setColorTable([0xFF000000 | int(colour) for colour in table])
    file.parent.mkdir(parents=True, exist_ok=True)
    if not small.save(str(file), "PNG", 0):  # type: ignore[call-overload]  # 0: as small as can be
        raise OSError(f"{file} cannot be written.")
    return file.stat().st_size


def palette(known: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Up to 256 of the colours: the most frequent, and then, one by one, the worst served of the rest."""
    if len(known) <= COLOURS:
        return known
    order = np.argsort(counts)[::-1]
    chosen = list(known[order[:FREQUENT]])
    points, weights = channels(known), np.sqrt(counts)
    far = distances(points, channels(np.array(chosen))).min(axis=1)
    while len(chosen) < COLOURS:
        worst = int(np.argmax(far * weights))
        chosen.append(known[worst])
        far = np.minimum(far, distances(points, points[worst : worst + 1])[:, 0])
    return np.array(chosen)


def closest(known: np.ndarray, table: np.ndarray) -> np.ndarray:
    """For each colour the place of the nearest one of the table."""
    points, targets = channels(known), channels(table)
    return np.concatenate([distances(part, targets).argmin(axis=1) for part in np.array_split(points, 64)])


def channels(colours: np.ndarray) -> np.ndarray:
    """Red, green and blue of each."""
    return np.stack([colours >> 16 & 255, colours >> 8 & 255, colours & 255], axis=1).astype(np.float32)


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distance of each of a to each of b."""
    return ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)
