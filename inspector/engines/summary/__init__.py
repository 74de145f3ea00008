"""Layer rows, parameters, multiply-adds, memory: the numbers of a model, from its structure alone."""
