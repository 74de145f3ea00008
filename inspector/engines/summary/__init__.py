"""Layer rows, parameters, multiply-adds, memory: the numbers of a model, from its structure alone.

What a parameter is stands in `parameters`, what a multiply-add is in `macs`, what a row is in `grouping`, what an open
dimension counts in `sizes`.
"""
