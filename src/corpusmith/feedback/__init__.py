"""Training data from what people said of a model's answers: samples, preference pairs, KTO rows."""
