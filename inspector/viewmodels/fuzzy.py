"""Finding a command by a few of its letters."""

from __future__ import annotations


def score(typed: str, title: str) -> int | None:
    """How well the letters typed fit a title, in order but with gaps; None when they do not. Higher is better.

    Letters at the start of a word and runs of letters count more, as people type initials and beginnings.
    """
    wanted, text = typed.lower().replace(" ", ""), title.lower()
    points, place, run = 0, -1, 0
    for letter in wanted:
        found = text.find(letter, place + 1)
        start = _word_start(text, letter, place + 1)
        if found < 0:
            return None
        if found != place + 1 and start is not None:
            found = start
        run = run + 1 if found == place + 1 else 0
        points += 1 + 2 * run + (4 if found == 0 or not text[found - 1].isalnum() else 0)
        place = found
    return points * 16 - len(text)


def _word_start(text: str, letter: str, start: int) -> int | None:
    """The next place where a word begins with this letter."""
    while (place := text.find(letter, start)) >= 0:
        if place == 0 or not text[place - 1].isalnum():
            return place
        start = place + 1
    return None


def best(typed: str, titles: list[str]) -> list[int]:
    """Places of the titles that fit, best first; all of them, in order, when nothing is typed."""
    if not typed.strip():
        return list(range(len(titles)))
    scored = [(points, place) for place, title in enumerate(titles) if (points := score(typed, title)) is not None]
    return [place for _points, place in sorted(scored, key=lambda pair: (-pair[0], pair[1]))]
