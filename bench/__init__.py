"""Benchmarks and a soak test of the whole server; README.md says how to run them."""
