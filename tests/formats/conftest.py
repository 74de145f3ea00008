"""Model files that the frameworks themselves build, once a session and in processes of their own."""

from __future__ import annotations

import pytest
from built import Built, build


@pytest.fixture(scope="session")
def torchscripts(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """TorchScript files of `build_torch_script.py`."""
    return build("build_torch_script.py", tmp_path_factory.mktemp("torchscripts"))


@pytest.fixture(scope="session")
def tensorflows(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Keras archives, SavedModels and TFLite files of `build_tensorflow.py`."""
    return build("build_tensorflow.py", tmp_path_factory.mktemp("tensorflows"))
