"""The operations of `batches`."""

from refonte_studio.batches.routes.batches import operations

__all__ = ["operations"]
