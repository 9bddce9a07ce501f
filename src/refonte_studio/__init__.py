"""Refonte Studio: a self-hosted data-labelling workforce platform."""

__version__ = "0.1.0"
