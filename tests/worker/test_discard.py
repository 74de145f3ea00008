"""Objects die in one thread while another lays out a window: neither may wait for the other for ever."""

from __future__ import annotations

import subprocess
import sys

SECONDS = 6
BUSY = f"""
import os, time
from PySide6.QtCore import QObject, QThread, QTimer, Signal
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea, QVBoxLayout, QWidget
from inspector.jobs.discard import discard

class Worker(QObject):
    told = Signal(int)

class Job(QObject):
    def listen(self, number):
        pass

class Floor(QObject):
    made = 0
    def start(self):
        self.timer = QTimer(self, interval=0)
        self.timer.timeout.connect(self.work)
        self.timer.start()
    def work(self):
        for _ in range(20):
            job = Job(self)
            worker = Worker(job)
            worker.told.connect(job.listen)
            discard(job)
            self.made += 1

class Application(QApplication):
    pass

app = Application([])
floor, thread = Floor(), QThread()
floor.moveToThread(thread)
thread.started.connect(floor.start)
thread.start()
window = QWidget()
layout = QVBoxLayout(window)
for _ in range(30):
    area = QScrollArea()
    area.setWidget(QLabel("x " + chr(10) * 40))
    layout.addWidget(area)
strips = [QLabel("strip") for _ in range(3)]
for strip in strips:
    layout.addWidget(strip)
window.resize(900, 900)
window.show()
end, turns = time.monotonic() + {SECONDS}, 0
while time.monotonic() < end or turns <= 10 or floor.made <= 1000:
    turns += 1
    for strip in strips:
        strip.setVisible(bool(turns % 2))
    app.processEvents()
print(turns, floor.made, flush=True)
os._exit(0)
"""


def test_discarding_in_a_thread_never_stops_the_window() -> None:
    done = subprocess.run([sys.executable, "-c", BUSY], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    turns, made = map(int, done.stdout.split())
    assert turns > 10
    assert made > 1000
