"""Keras files, cases 57 to 60: configurations that name code, files and addresses, or that no parser likes."""

from __future__ import annotations

import base64
import json
import marshal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from case import Case, marker
from hdf5_files import CONFIG, DENSE, archive, h5
from witness import Seen

Build = Callable[[Path], Path]
NOT_RUN = "It was not run. Keras refuses it unless safe mode is switched off."
NAMED = "Loading the model needs, and runs, that code."
SECRET_CODE = "open({0!r}, 'w').write('x')"


def payload(folder: Path) -> str:
    """The bytecode of a function that writes a file, as Keras stores it."""
    code = compile(SECRET_CODE.format(str(marker(folder))), "payload", "eval")
    return base64.b64encode(marshal.dumps(code)).decode()


def lambda3(folder: Path) -> Path:
    function = {"class_name": "__lambda__", "config": {"code": payload(folder), "defaults": None, "closure": None}}
    trick = {"class_name": "Lambda", "module": "keras.layers", "config": {"name": "trick", "function": function}}
    return archive(folder, network(trick))


def lambda2(folder: Path) -> Path:
    trick = {"class_name": "Lambda", "config": {"name": "trick", "function": [payload(folder), None, None]}}
    return h5(lambda group, _: None, network(trick))(folder)


def network(*layers: Any) -> dict[str, Any]:
    """A sequential model: a plain layer, and these."""
    return {"class_name": "Sequential", "config": {"name": "net", "layers": [DENSE, *layers]}}


def dense(**config: Any) -> dict[str, Any]:
    """A layer with something in its configuration."""
    return {"class_name": "Dense", "module": "keras.layers", "config": {"name": "trick", "units": 3, **config}}


def both(number: int, name: str, config: Any, says: str, level: str = "danger", **more: Any) -> list[Case]:
    """The same configuration in both formats."""
    builds: dict[str, Build] = {
        ".keras": lambda folder: archive(folder, config),
        ".h5": h5(lambda group, _: None, config),
    }
    return [Case(number, f"{name}, {kind}", build, "opened", says, level, **more) for kind, build in builds.items()]


def function(module: str, name: str) -> dict[str, Any]:
    """A function as Keras serializes it."""
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def deep(innermost: Any, levels: int) -> str:
    """A configuration so deep that it has to be written by hand."""
    inside = '{"a": ' * levels + json.dumps(innermost) + "}" * levels
    return json.dumps(network(dense(depth="HERE"))).replace('"HERE"', inside)


def text3(text: str) -> Build:
    return lambda folder: archive(folder, text)


def plain(seen: Seen) -> None:
    """The rest of the model is shown."""
    names = [row.name for row in seen.answers["rows"].rows]
    assert names[:1] == ["dense"], names


OS = {"module": "os", "class_name": "system", "config": "touch /tmp/x", "registered_name": None}
FOREIGN = "which is not a part of Keras."
REACHES = "which can reach files, addresses or settings."

CASES = [
    *(
        Case(
            57, f"a Lambda with bytecode, {kind}", build, "opened",
            f"The layer 'trick' (Lambda) contains Python bytecode. {NOT_RUN}", "danger", check=plain,
        )
        for kind, build in ((".keras", lambda3), (".h5", lambda2))
    ),
    *both(58, "an activation that is os.system", network(dense(activation=OS)), f"names os.system, {FOREIGN} {NAMED}"),
    *both(58, "a layer that is os.system", network(OS | {"config": {}}), f"names os.system, {FOREIGN}"),
    *both(
        58, "builtins.eval in a list", network(dense(kernel_initializer=[{"x": function("builtins", "eval")}])),
        f"names builtins.eval, {FOREIGN}",
    ),
    *both(
        59, "keras.utils.get_file", network(dense(activation=function("keras.utils", "get_file"))),
        f"names keras.utils.get_file, {REACHES} It was not run.",
    ),
    *both(
        59, "a Lambda of keras.utils.get_file",
        network({"class_name": "Lambda", "config": {"name": "l", "function": function("keras.utils", "get_file")}}),
        f"names keras.utils.get_file, {REACHES}",
    ),
    *both(
        59, "unsafe deserialization switched on",
        network(dense(activation=function("keras.config", "enable_unsafe_deserialization"))),
        f"names keras.config.enable_unsafe_deserialization, {REACHES}",
    ),
    *both(
        59, "the same behind keras.src",
        network(dense(activation=function("keras.src.saving.serialization_lib", "enable_unsafe_deserialization"))),
        "names keras.src.saving.serialization_lib.enable_unsafe_deserialization,",
    ),
    *(
        case
        for where in ("/etc/passwd", "http://127.0.0.1/words.txt")
        for case in both(
            60, f"a vocabulary in {where}",
            network({"class_name": "StringLookup", "config": {"name": "words", "vocabulary": where}}),
            f"The layer 'words' reads the file {where!r} when it is loaded. It was not read.",
        )
    ),
    *both(
        60, "a SavedModel as a layer", network({"class_name": "TFSMLayer", "config": {"name": "t", "filepath": "/x"}}),
        f"The layer 't' (TFSMLayer) loads a SavedModel from disk. {NOT_RUN}",
    ),
    *both(
        60, "a pickled PyTorch module as a layer",
        network({"class_name": "TorchModuleWrapper", "config": {"name": "t", "module": "gASVAAAA"}}),
        f"The layer 't' (TorchModuleWrapper) contains a pickled PyTorch module. {NOT_RUN}",
    ),
    *both(
        60, "a registered class of somebody's own",
        network({"class_name": "Net", "module": "mine", "registered_name": "mine>Net", "config": {}}),
        f"The configuration names mine.Net, {FOREIGN}", "warning",
    ),
    *both(
        60, "a registered class without a module", network({"class_name": "mine>Net", "config": {}}),
        f"The configuration names mine>Net, {FOREIGN}", "warning",
    ),
    Case(60, "a configuration 10,000 deep, .keras", text3(deep(1, 10_000)), "refused", "(config.json) is damaged ("),
    Case(60, "os.system 500 deep, .keras", text3(deep(OS, 500)), "opened", f"names os.system, {FOREIGN}", "danger"),
    Case(
        60, "300 models inside each other, .keras",
        text3('{"class_name":"Sequential","config":{"layers":[' * 300 + '{"class_name":"Dense"}' + "]}}" * 300),
        "refused", "The configuration nests layers more than 60 deep.",
    ),
    *both(
        60, "sizes that are no numbers",
        network(dense(units=float("nan"), rate=float("inf"), low=float("-inf"), huge=1e308 * 10)), "dense", "",
        check=plain,
    ),
    *both(60, "a size of 4,000 digits", network(dense(units=10**4000, rate=-(10**4000))), "dense", "", check=plain),
    *both(60, "a size of 2^62", network(dense(units=2**62), dense(units=2**62)), "dense", "", check=plain),
    Case(
        60, "a size of 10,000 digits, .keras", text3(json.dumps(CONFIG).replace("3", "9" * 10_000)), "refused",
        "The configuration (config.json) is damaged (",
    ),
]  # fmt: skip
