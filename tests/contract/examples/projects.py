"""Example calls of projects, their settings, assignments and groups."""

from urllib.parse import quote

from tests.contract.examples.makers import group, name, project
from tests.contract.examples.requests import Request, example
from tests.world import Person, World


@example
async def create_project(world: World, person: Person) -> Request:
    return Request(params={"name": name("Dogs"), "type": "categorization", "params": {"instruction": "Which breed?"}})


@example
async def list_projects(world: World, person: Person) -> Request:
    await project(world)
    return Request()


@example
async def get_project(world: World, person: Person) -> Request:
    return Request({"name": await project(world)})


@example
async def set_project_params(world: World, person: Person) -> Request:
    return Request({"name": await project(world)}, {"patch": True, "instruction": "Look at the ears."})


@example
async def archive_project(world: World, person: Person) -> Request:
    return Request({"name": await project(world)})


@example
async def unarchive_project(world: World, person: Person) -> Request:
    made = await project(world)
    await world.ana.post(f"/projects/{quote(made, safe='')}/archive")
    return Request({"name": made})


@example
async def get_task_template(world: World, person: Person) -> Request:
    fields = [{"field_id": "ok", "type": "category", "title": "Is it?", "choices": [{"label": "Yes", "value": "yes"}]}]
    return Request({"name": await project(world, type="textcollection", params={"fields": fields})})


@example
async def update_pipeline_config(world: World, person: Person) -> Request:
    return Request({"name": await project(world)}, {"pipeline": "consensus_task", "consensus_attempts": 3})


@example
async def update_studio_pipeline_config(world: World, person: Person) -> Request:
    return await update_pipeline_config(world, person)


@example
async def get_quality_settings(world: World, person: Person) -> Request:
    return Request({"name": await project(world)})


@example
async def set_quality_settings(world: World, person: Person) -> Request:
    return Request({"name": await project(world)}, {"review_levels": 1, "reset": ["audit_rate"]})


@example
async def list_assignments(world: World, person: Person) -> Request:
    return Request()


@example
async def add_assignments(world: World, person: Person) -> Request:
    return Request(params={"emails": [world.ben.email], "projects": [await project(world)]})


@example
async def remove_assignments(world: World, person: Person) -> Request:
    return Request(params={"emails": [world.ben.email], "projects": [await project(world, world.ben)]})


@example
async def list_groups(world: World, person: Person) -> Request:
    made = await project(world, world.ben)
    await group(world, made)
    return Request({"project": made})


@example
async def create_group(world: World, person: Person) -> Request:
    made = await project(world, world.ben)
    return Request({"project": made}, {"name": name("experts"), "emails": [world.ben.email]})


@example
async def update_group(world: World, person: Person) -> Request:
    made = await project(world, world.ben, world.dee)
    params = {"add_emails": [world.dee.email], "remove_emails": [world.ben.email]}
    return Request({"project": made, "group": await group(world, made)}, params)
