"""HTTP for every room: operations, parameters, errors to JSON."""

from refonte_studio.web.operation import Answer, Body, Call, Operation, Operations, Studio
from refonte_studio.web.params import Params

__all__ = ["Answer", "Body", "Call", "Operation", "Operations", "Params", "Studio"]
