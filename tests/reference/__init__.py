"""The pages of the documentation that are generated from the code. `python -m tests.reference` writes them all."""
