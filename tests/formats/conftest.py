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


@pytest.fixture(scope="session")
def torch_weights(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Checkpoints, whole modules and safetensors of `build_torch_weights.py`."""
    return build("build_torch_weights.py", tmp_path_factory.mktemp("torch_weights"))


@pytest.fixture(scope="session")
def tf_graphs(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Frozen graphs, TensorFlow.js models and Keras H5 files of `build_tf_graphs.py`."""
    return build("build_tf_graphs.py", tmp_path_factory.mktemp("tf_graphs"))
