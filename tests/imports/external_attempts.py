"""Makes imports of tasks with external attempts."""

import json
from typing import Any

from refonte_studio.invariants.service import audit
from tests.invariants import check, snapshot
from tests.tasks.makers import ATTACHMENT
from tests.world import Person, World


def attempt_by(labeler: str, category: str = "cat", **more: Any) -> dict[str, Any]:
    """One external attempt at a categorization."""
    return {"labeler": labeler, "response": {"category": category}, **more}


def task_line(*attempts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A task with these attempts."""
    return {"attachment": ATTACHMENT, "attempts": list(attempts), **more}


async def import_lines(
    person: Person, *lines: dict[str, Any], status: int = 200, mode: Any = "live", **query: str
) -> Any:
    """Imports these tasks; the JSON of the response, which must have this status."""
    body = "".join(json.dumps(each) + "\n" for each in lines)
    response = await person.call("POST", "/tasks/import", content=body, params=query, mode=mode)
    assert response.status_code == status, response.text
    return response.json()


async def export_tasks(person: Person, **query: str) -> list[dict[str, Any]]:
    """All tasks with their attempts, oldest first."""
    response = await person.call("GET", "/tasks/export", params={"attempts": "true", **query})
    return [json.loads(each) for each in response.text.splitlines()]


async def check_invariants(world: World) -> None:
    """Fails if the database breaks a rule."""
    check(await world.db.read(snapshot))
    assert [finding for finding in await world.db.read(audit) if finding.count] == []
