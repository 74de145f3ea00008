"""What a parameter is: the one definition that every number of this program rests on.

**Parameters** are the elements of the stored tensors that make up what the model has learned or keeps as state,
wherever the file stores them: initializers, constant nodes, subgraphs, layers.

- A tensor of role WEIGHT counts, of any type: a quantized weight is a weight.
- Where several weights are packed into each element and the file says how many they are (ONNX Runtime's `MatMulNBits`
  and its kin: K × N; in files of weights what stands beside `qweight` of GPTQ and AWQ, `weight_packed` of
  compressed-tensors, the bytes of bitsandbytes, NVFP4 and MXFP4), the weights count and not the bytes; bytes are always
  those stored. Where nothing says how many, elements count, and that is said. Scales and zero points say how numbers
  are to be taken and are no parameters.
- A tensor of role BUFFER counts when its elements are values (floating, complex, or quantized to 8 bits and less):
  running means do. Wider integers and booleans are indices, counters and masks: BatchNorm's `num_batches_tracked` and
  BERT's `position_ids` do not count, so that a model has one number in every format.
- Each distinct tensor counts once: one that the file says is the `same_as` another, or that lies in the same place as
  another, is that other tensor under a second name.
- Optimizer slots, shape constants, scalars of an expression and integer indices are not parameters, whatever their
  size.

**Trainable** are those of them that training changes: as the file says, and where it does not say, the weights.

They are counted at the first row that uses them; a tensor that nothing uses is still part of the file and has a row.
"""

from __future__ import annotations

from collections.abc import Mapping

from inspector.ir import Role, Tensor

_INDICES = frozenset({"bool", "int16", "uint16", "int32", "uint32", "int64", "uint64", "string", ""})

Identity = tuple[object, ...]


def is_parameter(tensor: Tensor) -> bool:
    """Whether the elements of a tensor count as parameters."""
    if tensor.role is Role.WEIGHT:
        return True
    return tensor.role is Role.BUFFER and tensor.dtype not in _INDICES


def parameters_in(tensor: Tensor) -> int:
    """How many parameters a tensor has that counts at all: its elements, or what is packed into them."""
    return tensor.holds or tensor.count


def is_trainable(tensor: Tensor) -> bool:
    """Whether training changes it; a weight of a file that does not say is taken to be trained."""
    return tensor.role is Role.WEIGHT if tensor.trainable is None else tensor.trainable


def identity(tensor: Tensor, tensors: Mapping[str, Tensor]) -> Identity:
    """Equal for two tensors that are the same one: by the file's word, or by the place of their bytes."""
    seen = {tensor.name}
    while tensor.same_as and tensor.same_as not in seen and tensor.same_as in tensors:
        seen.add(tensor.same_as)
        tensor = tensors[tensor.same_as]
    place = tensor.place
    if place.size <= 0:
        return (tensor.name,)
    if place.offset:
        return (place.file, place.member, place.offset, place.size)
    # HDF5 says no place of what is stored in chunks; functions of TensorFlow name their constants alike.
    inner = place.layout.get("path"), place.layout.get("function")
    return (place.file, place.member, place.size, *inner)
