"""Double-click: the desktop's own opener starts our window on the file, on a real X server."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

TOOLS = ("Xvfb", "xdg-open", "gio", "xdotool", "update-mime-database", "update-desktop-database")
missing = [tool for tool in TOOLS if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An X server, an empty home, and Inspector integrated into it; gives the environment."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        display = pipe.readline().strip()
    home = tmp_path / "home"
    home.mkdir()
    env = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ} | {
        "DISPLAY": f":{display}",
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_RUNTIME_DIR": str(home),
        "XDG_CURRENT_DESKTOP": "GNOME",  # lets xdg-open hand over to gio, which asks the MIME database
        "QT_QPA_PLATFORM": "xcb",
        "INSPECTOR_SETTINGS": str(home / "settings.json"),
    }
    subprocess.run([sys.executable, "-m", "inspector", "integrate"], env=env, check=True, capture_output=True)
    yield env
    close_windows(env)
    server.terminate()
    server.wait(10)


def close_windows(env: dict[str, str]) -> None:
    """End every window of ours, as the session does at logging out."""
    for pid in window_pids(env):
        os.kill(pid, signal.SIGTERM)


def window_pids(env: dict[str, str]) -> set[int]:
    """Processes of the user that show a window of ours."""
    found = subprocess.run(["xdotool", "search", "--class", "inspector"], env=env, text=True, capture_output=True)
    pids = set()
    for window in found.stdout.split():
        pid = subprocess.run(
            ["xdotool", "getwindowpid", window], env=env, text=True, capture_output=True
        ).stdout.strip()
        if pid.isdigit():
            pids.add(int(pid))
    return pids


def wait_for_title(env: dict[str, str], name: str, seconds: float = 60) -> str:
    """The title of the window whose title holds this name."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = subprocess.run(
            ["xdotool", "search", "--name", name], env=env, text=True, capture_output=True
        ).stdout.split()
        for window in found:
            title = subprocess.run(["xdotool", "getwindowname", window], env=env, text=True, capture_output=True).stdout
            if "Inspector" in title:
                return title.strip()
        time.sleep(0.2)
    raise AssertionError(f"No window with {name} in its title.")


def test_the_desktop_knows_what_each_sample_is(desktop: dict[str, str], samples: Path) -> None:
    kinds = {
        "digits_cnn.onnx": "application/x-onnx",
        "digits_mlp.pt2": "application/x-torch-export",
        "digits_mlp.torchscript.pt": "application/x-torchscript",
        "digits_keras.keras": "application/x-keras",
    }
    files = [str(samples / name) for name in kinds]
    asked = ["gio", "info", "-a", "standard::content-type", *files]
    told = subprocess.run(asked, env=desktop, text=True, capture_output=True, check=True).stdout
    assert [line.split()[-1] for line in told.splitlines() if "content-type:" in line] == list(kinds.values())


@pytest.mark.parametrize("opener", [["xdg-open"], ["gio", "open"]])
def test_a_double_click_opens_the_window(
    desktop: dict[str, str], samples: Path, tmp_path: Path, opener: list[str]
) -> None:
    file = tmp_path / "my model.onnx"
    shutil.copy(samples / "digits_cnn.onnx", file)
    opening = subprocess.Popen([*opener, str(file)], env=desktop, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert "my model.onnx" in wait_for_title(desktop, "my model.onnx")
    close_windows(desktop)
    assert opening.wait(100) == 0  # some openers end at once, some with the program


def test_a_second_start_hands_its_files_to_the_first(desktop: dict[str, str], samples: Path) -> None:
    start = [sys.executable, "-m", "inspector"]
    first = subprocess.Popen([*start, str(samples / "digits_mlp.onnx")], env=desktop, stderr=subprocess.DEVNULL)
    wait_for_title(desktop, "digits_mlp.onnx")
    second = subprocess.run([*start, str(samples / "digits_cnn.onnx")], env=desktop, timeout=100, capture_output=True)
    assert second.returncode == 0
    wait_for_title(desktop, "digits_cnn.onnx")
    assert window_pids(desktop) == {first.pid}
    first.terminate()
    assert first.wait(100) == 0
