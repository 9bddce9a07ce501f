"""What a labeler is told of projects that they are not assigned to."""

from tests.world import World


async def test_a_project_of_others_is_like_one_that_is_not_there(world: World):
    await world.ana.post(
        "/projects", {"name": "Secret", "type": "categorization", "params": {"categories": ["a", "b"]}}
    )
    for extra in ({}, {"bogus": 1}):
        answers = set[str]()
        for name in ("Secret", "Nothing"):
            error = await world.ben.refused(404, "POST", "/work/claim", {"project": name, **extra})
            answers.add(error.replace(name, "it"))
        assert answers == {"there is no project 'it'"}
