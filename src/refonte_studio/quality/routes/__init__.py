"""The operations of `quality`."""

from refonte_studio.quality.routes.quality_tasks import operations

__all__ = ["operations"]
