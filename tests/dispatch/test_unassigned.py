"""Labelers learn nothing about projects that they are not assigned to."""

from tests.world import World


async def test_a_project_of_others_is_like_one_that_is_not_there(world: World):
    await world.ana.post(
        "/projects", {"name": "Secret", "type": "categorization", "params": {"categories": ["a", "b"]}}
    )
    for path in ("/work/claim", "/reviews/claim"):
        for extra in ({}, {"bogus": 1}):
            answers = set[str]()
            for name in ("Secret", "Nothing"):
                error = await world.ben.refused(404, "POST", path, {"project": name, **extra})
                answers.add(error.replace(name, "it"))
            assert answers == {"there is no project 'it'"}


async def test_a_reviewer_may_name_the_projects_that_they_review(world: World):
    await world.ana.post("/projects", {"name": "Secret", "type": "categorization", "studio": True})
    await world.ana.post("/projects/Secret/reviewers/add", {"emails": [world.ben.email]})
    assert await world.ben.post("/reviews/claim", {"project": "Secret"}) is None
