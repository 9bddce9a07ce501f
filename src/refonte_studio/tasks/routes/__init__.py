"""The operations of `tasks`."""

from refonte_studio.tasks.routes.lists import operations as lists
from refonte_studio.tasks.routes.pipeline import operations as pipelines
from refonte_studio.tasks.routes.tasks import operations as single_tasks
from refonte_studio.web import Operation

__all__ = ["pipelines", "tasks"]

tasks: tuple[Operation, ...] = (*single_tasks, *lists)
