"""HTTP for every room: the table of operations, their parameters, and responses and errors as JSON."""

from refonte_studio.web.operation import Body, Call, Operation, Operations, Studio
from refonte_studio.web.params import Params
from refonte_studio.web.responses import HttpResponse

__all__ = ["Body", "Call", "HttpResponse", "Operation", "Operations", "Params", "Studio"]
