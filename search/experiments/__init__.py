"""The paper's experiments: grids of prompts put to benchmarks, each with one table and one figure."""
