"""The files room's operations."""

from refonte_studio.web import Operations

operations = Operations("Files")
