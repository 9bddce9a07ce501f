"""Example calls of imports."""

import json

from tests.contract.examples.requests import Request, example
from tests.world import Person, World


@example
async def import_tasks(world: World, person: Person) -> Request:
    line = {"type": "categorization", "attachment": "https://x.example/1", "categories": ["cat", "dog"]}
    return Request(content=json.dumps(line).encode() + b"\n", content_type="application/x-ndjson")
