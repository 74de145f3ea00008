"""PyTorch, eager: exported programs and TorchScript."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from inspector.errors import RuntimeFailure
from inspector.needs import TORCH, version_of
from inspector.runtimes._runtime import Arrays, Device, Runtime, Spec

if TYPE_CHECKING:
    import torch


class Torch(Runtime):
    """An exported program or a TorchScript module in PyTorch.

    Names of inputs are the file's: those of `forward`'s schema for TorchScript, the placeholders for an exported
    program. Outputs have no names in either; they are called by where they stand in what `forward` returns, as our
    readers call them: `output`, `output_0`, `logits`. A TorchScript file says nothing of shapes.
    """

    id = "torch"
    title = "PyTorch"
    accepts = ("torch.export", "torch.script")
    needs = (TORCH,)

    @classmethod
    def devices(cls) -> tuple[Device, ...]:
        """CPU, and each CUDA, MPS and XPU device, or why there is none."""
        import torch

        cpu = _device("cpu", "CPU", "cpu", threads=str(torch.get_num_threads()))
        return (cpu, *_cuda(), _mps(), *_xpu())

    def open(self) -> None:
        """Load the model onto the device."""
        import torch

        self._torch_device = torch.device(self.device.partition(":")[2] or "cpu")
        if self.threads:
            torch.set_num_threads(self.threads)
        torch.backends.cudnn.allow_tf32 = False  # convolutions would be computed in a narrower format than the CPU's
        torch.backends.cuda.matmul.allow_tf32 = False
        try:
            load = _load_exported if self.format == "torch.export" else _load_script
            self._call, self._module, self.inputs, self.outputs = load(self)
        except (RuntimeError, ValueError, OSError, KeyError, AssertionError, AttributeError, TypeError) as error:
            raise RuntimeFailure(
                f"PyTorch cannot open {self.path.name}: {_first_line(error)}",
                hint=f"This is torch {version_of('torch')}; the file may come from a newer one or be damaged.",
            ) from error

    def run(self, feeds: Arrays) -> Arrays:
        """One inference; the device is synchronised before the outputs are given."""
        return self._run(self._call, feeds, None)

    def run_exactly(self, feeds: Arrays) -> Arrays | None:
        """The same with weights, constants and inputs in float64; None where a dtype is written into the model."""
        import torch

        if self._torch_device.type == "mps":
            return None
        try:
            load = _load_exported if self.format == "torch.export" else _load_script
            call, module, _, _ = load(self)
            module.double()
            result = self._run(call, feeds, torch.float64)
        except (RuntimeFailure, RuntimeError, AssertionError, TypeError, ValueError):
            return None
        exact = [array.dtype == np.float64 for array in result.values() if array.dtype.kind == "f"]
        return result if all(exact) else None

    def values(self, feeds: Arrays, names: Sequence[str]) -> Arrays:
        """The exported graph node by node; of TorchScript a copy whose outputs are all values."""
        from inspector.runtimes._torch_taps import recorded, scripted

        found: Arrays = {}

        def look(*args: Any, **kwargs: Any) -> Any:
            if self.format == "torch.script":
                result, tensors = scripted(self._module, args, self.reading, frozenset(names))
            else:
                result, tensors = recorded(self._module, args, kwargs, frozenset(names))
            found.update({name: _host(tensor) for name, tensor in tensors.items()})
            return result

        self._run(lambda given: self._call(given, look), feeds, None)
        return {name: found[name] for name in names if name in found}

    def _run(self, call: Callable[[list[Any]], Any], feeds: Arrays, dtype: torch.dtype | None) -> Arrays:
        import torch

        try:
            with torch.inference_mode():
                given = call([self._tensor(feeds[spec.name], dtype) for spec in self.inputs if spec.name in feeds])
                arrays = {name: _host(leaf) for name, leaf in _named(given) if isinstance(leaf, torch.Tensor)}
            self._synchronise()
        except (RuntimeError, ValueError, AssertionError, TypeError, IndexError, NotImplementedError) as error:
            raise RuntimeFailure(
                f"PyTorch cannot run it: {_first_line(error)}", hint="Check the shapes of the inputs."
            ) from error
        if not self.outputs:
            self.outputs = tuple(Spec(name, str(array.dtype)) for name, array in arrays.items())
        return arrays

    def _tensor(self, array: Any, dtype: torch.dtype | None) -> torch.Tensor:
        import torch

        tensor = torch.from_numpy(np.require(array, requirements=["C", "W"])).to(self._torch_device)
        return tensor.to(dtype) if dtype is not None and tensor.is_floating_point() else tensor

    def _synchronise(self) -> None:
        import torch

        if self._torch_device.type in {"cuda", "mps", "xpu"}:
            getattr(torch, self._torch_device.type).synchronize()

    def close(self) -> None:
        """Let go of the model and of the device's memory."""
        for name in ("_call", "_module"):
            self.__dict__.pop(name, None)

    def facts(self) -> dict[str, str]:
        """Version, mode and threads."""
        import torch

        facts = {"torch": version_of("torch"), "mode": "eager", "threads": str(torch.get_num_threads())}
        if self._torch_device.type == "cuda":
            facts |= {"chip": torch.cuda.get_device_name(self._torch_device), "cuda": str(torch.version.cuda)}
            facts["precision"] = "float32 without TF32"
        return facts


Loaded = tuple["Callable[..., Any]", "torch.nn.Module", tuple[Spec, ...], tuple[Spec, ...]]


def _load_exported(runtime: Torch) -> Loaded:
    import torch
    from torch.utils import _pytree as pytree

    program = torch.export.load(runtime.path)
    if runtime._torch_device.type != "cpu":
        from torch.export.passes import move_to_device_pass

        program = move_to_device_pass(program, runtime._torch_device)
    module = program.module()
    values = {node.name: node.meta.get("val") for node in program.graph.nodes}
    signature = program.graph_signature
    slots = [slot if isinstance(slot, str) else None for slot in signature.user_inputs]
    fixed = {i: slot for i, slot in enumerate(signature.user_inputs) if not isinstance(slot, str)}
    tensors = [name for name in slots if name and isinstance(values.get(name), torch.Tensor)]
    inputs = tuple(_spec(name, values[name]) for name in tensors)
    in_spec, out_spec = program.call_spec.in_spec, program.call_spec.out_spec
    given_back = list(signature.user_outputs)
    named = _named(pytree.tree_unflatten(given_back, out_spec) if out_spec is not None else given_back)
    outputs = tuple(
        _spec(name, values[str(node)]) for name, node in named if isinstance(values.get(str(node)), torch.Tensor)
    )

    def call(given: list[Any], run: Callable[..., Any] = module) -> Any:
        by_name = dict(zip(tensors, given, strict=True))
        leaves = [by_name.get(name) if name else fixed[i] for i, name in enumerate(slots)]
        if in_spec is None:
            return run(*leaves)
        args, kwargs = pytree.tree_unflatten(leaves, in_spec)
        return run(*args, **kwargs)

    return call, module, inputs, outputs


def _load_script(runtime: Torch) -> Loaded:
    import torch

    module = torch.jit.load(str(runtime.path), map_location=runtime._torch_device).eval()
    arguments = module.forward.schema.arguments[1:]
    inputs = tuple(
        Spec(argument.name, "", None)
        for argument in arguments
        if "Tensor" in str(argument.type) and not argument.has_default_value()
    )
    return (lambda given, run=module: run(*given)), module, inputs, ()


def _spec(name: str, value: torch.Tensor) -> Spec:
    shape = tuple(dim if isinstance(dim, int) else str(dim) for dim in value.shape)
    return Spec(name, str(value.dtype).removeprefix("torch."), shape)


def _named(returned: Any) -> list[tuple[str, Any]]:
    """What `forward` returned as leaves, each with the name of its place."""
    from torch.utils import _pytree as pytree

    leaves = [
        (".".join(str(getattr(key, "idx", getattr(key, "key", getattr(key, "name", key)))) for key in path), leaf)
        for path, leaf in pytree.tree_leaves_with_path(returned)
    ]
    if len(leaves) == 1 and not leaves[0][0].strip("0"):
        return [("output", leaves[0][1])]
    return [(f"output_{path}" if path[:1].isdigit() else path, leaf) for path, leaf in leaves]


def _host(tensor: torch.Tensor) -> Any:
    import torch

    if tensor.dtype is torch.bfloat16:
        tensor = tensor.float()  # numpy has no bfloat16, and every bfloat16 is a float32
    return tensor.detach().cpu().numpy()


def _device(name: str, title: str, kind: str, reason: str = "", **details: str) -> Device:
    return Device(
        id=f"torch:{name}",
        runtime="torch",
        title=f"PyTorch · {title}",
        kind=kind,
        available=not reason,
        reason=reason,
        details={"version": version_of("torch"), **details},
    )


def _cuda() -> list[Device]:
    import torch

    if torch.version.cuda is None and torch.version.hip is None:
        return [_device("cuda", "CUDA", "gpu", "This torch was built without CUDA; install the CUDA build of torch.")]
    if not torch.cuda.is_available():
        return [_device("cuda", "CUDA", "gpu", "There is no NVIDIA GPU that torch can use, or its driver is missing.")]
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return [
        _device(f"cuda:{i}", f"CUDA {i} {name}", "gpu", chip=name, cuda=str(torch.version.cuda))
        for i, name in enumerate(names)
    ]


def _mps() -> Device:
    import torch

    if torch.backends.mps.is_available():
        return _device("mps", "Metal", "gpu")
    built = torch.backends.mps.is_built()
    reason = "This Mac has no GPU that torch can use." if built else "Metal (MPS) exists on Apple computers only."
    return _device("mps", "Metal", "gpu", reason)


def _xpu() -> list[Device]:
    import torch

    if torch.xpu.is_available():
        return [
            _device(f"xpu:{i}", f"XPU {i}", "gpu", chip=torch.xpu.get_device_name(i))
            for i in range(torch.xpu.device_count())
        ]
    return [_device("xpu", "Intel XPU", "gpu", "There is no Intel GPU here, or this torch was built without XPU.")]


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:400]


RUNTIME: type[Runtime] = Torch
