"""The quality room's operations."""

from refonte_studio.web import Operations

operations = Operations("Quality")
