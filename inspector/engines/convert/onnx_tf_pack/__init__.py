"""onnx-tf 1.10, made to work beside today's ONNX, TensorFlow and Keras, and taught the operators of newer opsets.

`shim` lets it be imported; `handlers` are the operators it lacks or gets wrong, each checked against ONNX's own backend
cases; `prepare` inlines what ONNX itself defines by simpler operators and strips Dropout; `build` makes the SavedModel.
"""
