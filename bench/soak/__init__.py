"""A soak test that tries to prove dispatch wrong while servers are killed: `python -m bench.soak`."""
