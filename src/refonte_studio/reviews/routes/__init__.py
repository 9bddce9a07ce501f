"""The operations of `reviews`."""

from refonte_studio.reviews.routes.reviewing import operations

__all__ = ["operations"]
