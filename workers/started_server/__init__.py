"""A server that a worker starts for itself (vLLM, SGLang, llama.cpp, transformers), and the engine that asks it."""
