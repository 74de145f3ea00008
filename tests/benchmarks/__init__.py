"""Measurements, each beside its reference in the same run; nothing here can fail a test.

    python -m tests.benchmarks [NAME…]      (make bench)
    python -m tests.benchmarks big          (make bench-big: files of gigabytes and of a million nodes)

Trust the ratios: the machine is named with every run, and single times move with whatever else it does.
"""
