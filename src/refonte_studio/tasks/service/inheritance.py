"""Sets the parameters of projects, which tasks inherit. They are checked like the parameters of tasks."""

from collections.abc import Mapping
from typing import Any

from refonte_studio.db import Tx
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.projects import service as projects
from refonte_studio.projects.model import Project
from refonte_studio.tasks.policy import creation as creation_policy

_NAMED = 10  # upper bound on the parameters that an error lists


def first_params(project_type: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Checks the parameters of a new project of this type. Raises BadInput for an unknown type or bad parameters."""
    return creation_policy.handed_down(projects.checked_type(project_type), given, {})


async def set_params(tx: Tx, project: Project, given: Mapping[str, Any], patch: bool, now: int) -> Project:
    """Creates a new version of a project's parameters.

    They replace the present ones; with `patch` they are merged into them, and null removes a parameter. Raises BadInput
    if none are given.
    """
    named = given if patch else {name: value for name, value in given.items() if value is not None}

    def changed(present: Mapping[str, Any]) -> dict[str, Any]:
        if not named:
            raise BadInput(_nothing_given(present))
        kept = {name: value for name, value in present.items() if patch and name not in named}
        return creation_policy.handed_down(project.type, named, kept)

    return await projects.set_params(tx, project, changed, now)


def _nothing_given(present: Mapping[str, Any]) -> str:
    """Returns the error for a call without parameters, which would remove all of them."""
    if not present:
        return "no parameters are given; name those to set"
    names = ", ".join(map(shown, list(present)[:_NAMED])) + (", …" if len(present) > _NAMED else "")
    return (
        f"no parameters are given, which would take away the {len(present)} that the project has: {names}; name those "
        "to set, or with patch: true give null for each that is to be taken away"
    )
