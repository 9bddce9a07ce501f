"""The operations of `dispatch`."""

from refonte_studio.dispatch.routes.work import operations

__all__ = ["operations"]
