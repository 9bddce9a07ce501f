"""Load generators, the yardsticks they are compared with, and the figures they report."""
