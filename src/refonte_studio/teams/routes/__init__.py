"""The operations of `teams`."""

from refonte_studio.teams.routes.people import operations

__all__ = ["operations"]
