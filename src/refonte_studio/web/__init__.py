"""HTTP for every room: operations, parameters, errors to JSON."""

from refonte_studio.web.operation import Body, Call, HttpResponse, Operation, Operations, Studio
from refonte_studio.web.params import Params

__all__ = ["Body", "Call", "HttpResponse", "Operation", "Operations", "Params", "Studio"]
