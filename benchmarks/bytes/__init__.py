"""Bytes to move and to keep, beside other tools: `python -m benchmarks.bytes` prints the tables."""
