"""Shared-prefix generation measured: workloads, contenders, rates, and what is said of them."""
