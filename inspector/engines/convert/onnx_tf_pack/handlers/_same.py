"""Versions of operators that differ from an older one only in the types they allow.

Such a version is handled as the newest older one. Each was looked up in ONNX's own schemas: inputs, outputs,
attributes and their defaults are the same and the text describes the same computation; what does not fit this rule (a
mode added to an attribute, an attribute that became an input) has a handler of its own, or none.
"""

from __future__ import annotations

SAME: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Cos", "Cosh", "Sin", "Sinh", "Tan"), (22,)),
    **dict.fromkeys(("Elu", "HardSigmoid", "HardSwish", "Selu", "Softplus", "Softsign", "ThresholdedRelu"), (22,)),
    **dict.fromkeys(("Conv", "ConvTranspose", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"), (22,)),
    **dict.fromkeys(("Det", "EyeLike", "InstanceNormalization", "MaxUnpool", "Round"), (22,)),
    **dict.fromkeys(("Constant", "Identity", "Size"), (19, 21, 23, 24, 25)),
    **dict.fromkeys(("If", "Loop"), (16, 19, 21, 23, 24, 25)),
    **dict.fromkeys(("Flatten", "Transpose"), (21, 23, 24, 25)),
    **dict.fromkeys(("GreaterOrEqual", "LeakyRelu", "LessOrEqual", "PRelu", "Where"), (16,)),
    **dict.fromkeys(("Celu", "Compress", "DepthToSpace", "Einsum", "Mod"), (28,)),
    "ConstantOfShape": (20, 21, 23, 24, 25),
    "Equal": (19,),
    "IsInf": (20,),
    "IsNaN": (20,),
    "QLinearMatMul": (21,),
    "ReverseSequence": (28,),
    "Scan": (16, 19, 21, 23, 24, 25),
    "Scatter": (11,),
    "SplitToSequence": (24,),
    "TopK": (24,),
}
