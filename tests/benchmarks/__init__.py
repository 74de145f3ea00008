"""Measurements, each beside its reference in the same run; nothing here can fail a test.

    python -m tests.benchmarks [NAME…]      (make bench)

Trust the ratios: the machine is named with every run, and single times move with whatever else it does.
"""
