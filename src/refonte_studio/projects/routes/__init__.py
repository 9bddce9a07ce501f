"""The operations of `projects`."""

from refonte_studio.projects.routes.projects import operations

__all__ = ["operations"]
