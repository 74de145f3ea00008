"""The corpus of real model files: fetched once into build/corpus, checked by hash, only unpacked.

Run as a program it fetches everything: `python tests/corpus.py`.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent / "build" / "corpus"


@dataclass(frozen=True)
class Row:
    """A model of the corpus and what is to be found in it."""

    package: str
    facts: dict[str, Any]

    @property
    def id(self) -> str:
        return f"{self.package}:{PurePosixPath(self.facts['path']).name}"


def table() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads((HERE / "corpus.toml").read_text("utf-8"))


def rows(kind: str) -> list[Row]:
    """The models of `package` (to be downloaded) or `installed`."""
    return [Row(entry.get("name", entry.get("module")), model) for entry in table()[kind] for model in entry["model"]]


def installed(row: Row) -> Path:
    """Where a model lies that came with an installed package, which is not imported."""
    spec = find_spec(row.package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / row.facts["path"]


@dataclass(frozen=True)
class Case:
    """A file of a package and how it is to end.

    Attributes:
        path: Where it lies.
        facts: What is to be found in it; empty where it is refused or one of many that only have to open.
        refused: The exact sentence with which it is refused; empty where it opens.
        many: One of many that are named together.
    """

    package: str
    path: Path
    facts: dict[str, Any]
    refused: str = ""
    many: bool = False


def cases() -> Iterator[Case]:
    """Every file of every package, in the order of the table; licences are no cases."""
    for package in table()["package"]:
        folder = package_folder(package)
        for model in package["model"]:
            yield Case(package["name"], folder / model["path"], model)
        for entry in package.get("refused", ()):
            yield Case(package["name"], folder / entry["path"], {}, entry["text"])
        for many in package.get("many", ()):
            found = sorted((folder / many["under"]).rglob(f"*{many['suffix']}"))
            assert len(found) == many["count"], (package["name"], many["suffix"], len(found))
            for path in found:
                yield Case(package["name"], path, {}, many.get("text", "").replace("{file}", path.name), many=True)
    for package in table()["installed"]:
        for model in package["model"]:
            yield Case(package["module"], installed(Row(package["module"], model)), model)


def fetched(row: Row) -> Path:
    """Where a model of a package lies, downloaded if it is not there yet."""
    package = next(entry for entry in table()["package"] if entry["name"] == row.package)
    return package_folder(package) / row.facts["path"]


def package_folder(package: dict[str, Any]) -> Path:
    """Where the files of a package lie, downloaded if one of them is not there."""
    folder = CACHE / f"{package['name'].strip('@').replace('/', '-')}-{package['version']}-{package['sha256'][:12]}"
    if not all((folder / path).exists() for path in wanted(package)):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            archive = download(package, Path(scratch))
            found = hashlib.sha256(archive.read_bytes()).hexdigest()
            if found != package["sha256"]:
                raise ValueError(f"{archive.name} has the hash {found}, not {package['sha256']}.")
            unpack(archive, wanted(package), Path(scratch, "new"))
            shutil.rmtree(folder, ignore_errors=True)
            Path(scratch, "new").rename(folder)
    return folder


def wanted(package: dict[str, Any]) -> tuple[str, ...]:
    """Files and folders of a package that are taken out of its archive."""
    models = [path for model in package["model"] for path in (model["path"], *model.get("beside", ()))]
    refused = [entry["path"] for entry in package.get("refused", ())]
    return (*models, *refused, *(many["under"] for many in package.get("many", ())))


def download(package: dict[str, Any], folder: Path) -> Path:
    """The package's archive as its registry has it.

    Of a package that is there as source alone pip checks the hash before it runs the set-up that tells it the name.
    """
    name, version = package["name"], package["version"]
    if package["source"] == "npm":
        command = ["npm", "pack", "--silent", "--ignore-scripts", f"{name}@{version}"]
    elif package["source"] == "pypi source":
        pinned = folder / "pinned.txt"
        pinned.write_text(f"{name}=={version} --hash=sha256:{package['sha256']}\n")
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes", "-d", str(folder)]
        command += ["-r", str(pinned)]
    else:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--only-binary",
            ":all:",
            "-d",
            str(folder),
        ]
        command += ["--platform", package["platform"]] if "platform" in package else []
        command += ["--python-version", package["python"]] if "python" in package else []
        command += [f"{name}=={version}"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=600)
    (archive,) = (path for path in folder.iterdir() if path.suffix in {".whl", ".tgz", ".gz"})
    return archive


def unpack(archive: Path, paths: tuple[str, ...], folder: Path) -> None:
    """Take the models and the licences out of an archive, nothing else."""

    def take(name: str) -> bool:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            return False
        return name.startswith(paths) or path.name.lower().startswith(("license", "licence", "notice"))

    def put(name: str, data: bytes) -> None:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for info in wheel.infolist():
                if not info.is_dir() and take(info.filename):
                    put(info.filename, wheel.read(info))
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isfile() and take(member.name) else None
            if file is not None:
                put(member.name, file.read())


if __name__ == "__main__":
    for row in rows("package"):
        path = fetched(row)
        print(f"{row.id:60} {path.stat().st_size:>12,}")
