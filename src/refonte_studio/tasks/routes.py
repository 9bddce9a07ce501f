"""The tasks room's operations."""

from refonte_studio.tasks.routes_consensus import operations as consensus
from refonte_studio.tasks.routes_import import operations as bulk
from refonte_studio.tasks.routes_lists import operations as lists
from refonte_studio.tasks.routes_pipeline import operations as pipeline
from refonte_studio.tasks.routes_projects import operations as projects
from refonte_studio.tasks.routes_tasks import operations as tasks
from refonte_studio.web import Operation

operations: tuple[Operation, ...] = (*tasks, *lists, *bulk, *pipeline, *consensus, *projects)
