"""What `make run` does: the program on the sample, its conversion, its proof and its speed.

With a display it is the program itself, and the user watches; closing the window ends it. Without one the same window
does the same work unseen and leaves build/demo/report.html and pictures. The status is 0 only if all of it worked.
"""

from __future__ import annotations

import faulthandler
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(Path(__file__).resolve().parent))

import pictures  # noqa: E402 - beside this file
import report  # noqa: E402
from tour import Tour, TourError, application, new_window, no_display  # noqa: E402

from inspector.assets import resource  # noqa: E402

OUT = ROOT / "build" / "demo"
SAMPLE, TO, RESULT = "digits_mlp.pt2", "tf.saved_model", "digits_mlp_saved_model"
UNSEEN_S = 900
"""After this long without a display something hangs, and the run ends with an error."""


def main() -> int:
    """Show the program, or do its work unseen; gives the exit status."""
    OUT.mkdir(parents=True, exist_ok=True)
    why = no_display()
    return unseen(why) if why else seen()


def seen() -> int:
    """The program's own window; the sample is opened, converted, proved and timed in it."""
    os.environ["INSPECTOR_INSTANCE"] = f"demo-{os.getpid()}"  # a window that runs already is not the place for this
    application()
    done: list[str] = []
    QTimer.singleShot(0, lambda: drive(done))
    from inspector.app.main import main as program

    status = program([str(resource("samples", SAMPLE))])
    if done != ["ok"]:
        print("\n".join(done) or "The window was closed before the comparison was there.", file=sys.stderr)
    return status if done == ["ok"] else 1


def drive(done: list[str]) -> None:
    """Do what a user would do in the program's window, while the user watches."""
    from inspector.app.window import MainWindow

    windows = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, MainWindow)]
    if not windows:
        QTimer.singleShot(20, lambda: drive(done))
        return
    window = windows[0]
    tour = Tour(window)
    window.tell("Converting the sample to TensorFlow; the plots appear on the Compare page.")
    try:
        tour.opened(resource("samples", SAMPLE))
        missing = whole(tour, pages=False)
        done.append(missing or "ok")
    except TourError as error:
        done.append(str(error))
        if window.isVisible():
            window.show_error("The sample could not be converted and compared.", str(error))


def unseen(why: str) -> int:
    """The same window and the same work without a display."""
    print(f"No window: {why[0].lower()}{why[1:]}. Doing the same job unseen; it takes about a minute.", flush=True)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    faulthandler.dump_traceback_later(UNSEEN_S + 60, exit=True)
    started = time.monotonic()

    def say(words: str) -> None:
        print(f"  {time.monotonic() - started:5.1f} s  {words}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        os.environ["INSPECTOR_SETTINGS"] = str(Path(folder, "settings.json"))
        tour = Tour(new_window("light"), say)
        guard = QTimer(tour.window, singleShot=True, interval=UNSEEN_S * 1000)
        guard.timeout.connect(tour.window.close)
        guard.start()
        try:
            say(f"Opening {SAMPLE}")
            tour.open(resource("samples", SAMPLE))
            missing = whole(tour, pages=True)
        except TourError as error:
            print(f"The demo did not work: {error}", file=sys.stderr)
            return 1
        finally:
            tour.close()
    if missing:
        print(f"The demo did not work: {missing}", file=sys.stderr)
        return 1
    print(f"Report: {(OUT / 'report.html').relative_to(ROOT)}   Pictures: {OUT.relative_to(ROOT)}/*.png")
    return 0


def whole(tour: Tour, pages: bool) -> str:
    """Conversion, proof, measurement, report; gives what is missing, empty when nothing is. `pages`: turn to each."""
    taken: list[report.Picture] = []

    def picture(name: str, words: str) -> None:
        file = OUT / f"{name}.png"
        pictures.save(tour.picture(), file)
        taken.append(report.Picture(file, words))

    for old in [*OUT.glob("*.png"), OUT / "report.html"]:
        old.unlink(missing_ok=True)
    shutil.rmtree(OUT / RESULT, ignore_errors=True)
    assert tour.window.page is not None
    document = tour.window.page.document
    picture("overview", "What the model is")
    if pages:
        tour.show("layers")
        picture("layers", "Its layers")
        tour.graph()
        picture("graph", "How values flow")
    conversion = tour.convert(TO, OUT / RESULT)
    _, bench = tour.compared()
    picture("compare", "Is it the same, and is it faster?")
    assert document.overview is not None
    html = report.page(document.overview, conversion, bench, taken[::-1])
    (OUT / "report.html").write_text(html, encoding="utf-8")
    if conversion.proof is not None:
        tour.say(f"{conversion.proof.sentence} {bench.sentence}")
    return report.worked(conversion, bench)


if __name__ == "__main__":
    sys.exit(main())
