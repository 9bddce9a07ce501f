"""Use-cases of imports."""
