"""One fuzzing harness for every format: `make fuzz FORMAT=onnx N=100000`, and a minute of it in the suite."""
