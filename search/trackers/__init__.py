"""A search's figures in MLflow, Weights & Biases, TensorBoard and Prometheus while it runs."""
