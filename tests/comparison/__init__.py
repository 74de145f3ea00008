"""Parameters and multiply-adds of known models in every format, beside torch, Keras and arithmetic.

`python -m tests.comparison` prints the table; nothing is shrunk and all weights are random. `--small` takes the same
architectures with fewer and thinner layers.
"""
