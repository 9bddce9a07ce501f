"""The life of a claim: claim, submit, extend, skip, release, expiry."""

import asyncio

from refonte_studio.db import Tx
from tests.makers import answer, batch, claim, claim_task, known_as, project, task
from tests.transaction_gate import closed_gate
from tests.world import World


async def test_a_labeler_claims_and_answers_a_task(world: World):
    name = await project(world)
    (first,) = await batch(world, name)
    given = await claim(world.ben)
    assert given is not None
    assert given["lease_expires_at"].endswith("Z")
    assert given["task"] == {
        "task_id": first,
        "type": "categorization",
        "project": "Pets",
        "batch": "Monday",
        "instruction": "",
        "params": {"attachment": "https://example.com/1.jpg", "categories": ["cat", "dog", "bird"]},
    }
    done = await world.ben.post(f"/work/{given['claim_id']}/submit", {"response": {"category": "dog"}})
    assert done == {
        "task_id": await known_as(world.ben, first),
        "status": "completed",
        "attempts": 1,
        "attempts_wanted": 1,
    }
    made = await world.ana.get(f"/task/{first}")
    assert made["status"] == "completed"
    assert made["response"] == {"category": "dog"}
    assert (await world.ana.get("/batches/Monday"))["status"] == "completed"


async def test_claiming_again_answers_what_is_held(world: World):
    name = await project(world)
    await batch(world, name, tasks=2)
    await batch(world, name, "Tuesday")
    first = await claim(world.ben)
    assert await claim(world.ben) == first
    assert await claim(world.ben, batch="Tuesday") == first


async def test_an_unknown_filter_is_not_found(world: World):
    await project(world)
    await project(world, "Others")
    await batch(world, "Others", "Theirs")
    assert "'Nope'" in await world.ben.refused(404, "POST", "/work/claim", {"project": "Nope"})
    assert "'Nope'" in await world.ben.refused(404, "POST", "/work/claim", {"batch": "Nope"})
    assert "'Theirs'" in await world.ben.refused(404, "POST", "/work/claim", {"project": "Pets", "batch": "Theirs"})


async def test_the_same_submission_again_answers_the_same_and_another_one_is_refused(world: World):
    name = await project(world, wanted=3)
    await batch(world, name)
    given = await claim(world.ben)
    assert given is not None
    path = f"/work/{given['claim_id']}/submit"
    first = await world.ben.post(path, {"response": {"category": "cat"}})
    await answer(world.dee)
    assert await world.ben.post(path, {"response": {"category": "cat"}}) == first
    await world.ben.refused(409, "POST", path, {"response": {"category": "dog"}})


async def test_a_response_that_does_not_fit_is_refused_and_the_claim_kept(world: World):
    name = await project(world)
    await batch(world, name)
    given = await claim(world.ben)
    assert given is not None
    path = f"/work/{given['claim_id']}/submit"
    assert "'fish'" in await world.ben.refused(400, "POST", path, {"response": {"category": "fish"}})
    await world.ben.refused(400, "POST", path, {"response": "cat"})
    await world.ben.refused(400, "POST", path, {})
    assert await claim(world.ben) == given


async def test_a_claim_of_somebody_else_does_not_exist(world: World):
    name = await project(world)
    await batch(world, name)
    given = await claim(world.ben)
    assert given is not None
    for what in ("submit", "extend", "skip", "release"):
        body = {"response": {"category": "cat"}} if what == "submit" else None
        await world.dee.refused(404, "POST", f"/work/{given['claim_id']}/{what}", body)
        await world.cid.refused(404, "POST", f"/work/{given['claim_id']}/{what}", {"unknown": 1})


async def test_an_expired_claim_goes_to_the_next_labeler(world: World):
    name = await project(world)
    (first,) = await batch(world, name)
    given = await claim(world.ben)
    assert given is not None
    assert await claim(world.dee) is None
    world.clock.forward(minutes=31)
    await world.ben.refused(409, "POST", f"/work/{given['claim_id']}/submit", {"response": {"category": "cat"}})
    assert await claim_task(world.dee) == first
    await world.ben.refused(409, "POST", f"/work/{given['claim_id']}/extend")


async def test_an_extended_lease_runs_from_now(world: World):
    name = await project(world)
    await batch(world, name)
    given = await claim(world.ben)
    assert given is not None
    world.clock.forward(minutes=29)
    extended = await world.ben.post(f"/work/{given['claim_id']}/extend")
    assert extended["claim_id"] == given["claim_id"]
    assert extended["lease_expires_at"] > given["lease_expires_at"]
    world.clock.forward(minutes=29)
    assert await claim(world.dee) is None
    assert (await answer(world.ben))["status"] == "completed"


async def test_a_skipped_task_never_comes_back_to_the_one_who_skipped_it(world: World):
    name = await project(world)
    first, second = await batch(world, name, tasks=2)
    given = await claim(world.ben)
    assert given is not None
    skip = f"/work/{given['claim_id']}/skip"
    known = await known_as(world.ben, first)
    assert await world.ben.post(skip, {"reason": "too dark"}) == {"task_id": known}
    assert await world.ben.post(skip, {"reason": "too dark"}) == {"task_id": known}, "sent again"
    assert await claim_task(world.ben) == second
    assert await claim_task(world.dee) == first


async def test_a_released_task_is_open_to_all_again(world: World):
    name = await project(world)
    first, _ = await batch(world, name, tasks=2)
    given = await claim(world.ben)
    assert given is not None
    assert await world.ben.post(f"/work/{given['claim_id']}/release") == {"task_id": await known_as(world.ben, first)}
    await world.ben.refused(409, "POST", f"/work/{given['claim_id']}/submit", {"response": {"category": "cat"}})
    assert await claim_task(world.ben) == first


async def test_a_canceled_task_is_taken_from_its_holder(world: World):
    name = await project(world)
    first, _ = await batch(world, name, tasks=2)
    given = await claim(world.ben)
    assert given is not None
    await world.ana.post(f"/task/{first}/cancel")
    await world.ben.refused(409, "POST", f"/work/{given['claim_id']}/submit", {"response": {"category": "cat"}})
    assert await claim_task(world.ben) != first


async def test_the_queue_tells_what_is_waiting(world: World):
    name = await project(world)
    await batch(world, name, tasks=3)
    await batch(world, name, "Tuesday", tasks=2)
    await claim(world.ben)
    assert await world.dee.get("/work/queue") == {
        "waiting": 4,
        "projects": [
            {
                "name": "Pets",
                "waiting": 4,
                "batches": [{"name": "Monday", "waiting": 2}, {"name": "Tuesday", "waiting": 2}],
            }
        ],
    }
    assert await world.mia.get("/work/queue") == {"waiting": 0, "projects": []}


async def test_the_history_has_ones_own_attempts_in_pages(world: World):
    name = await project(world)
    ids = [await known_as(world.ben, made) for made in await batch(world, name, tasks=3)]
    for category in ("cat", "dog", "bird"):
        world.clock.forward(seconds=5)
        await answer(world.ben, category)
    first = await world.ben.get("/work/history", limit=2)
    assert [(doc["task_id"], doc["response"]["category"]) for doc in first["docs"]] == [
        (ids[2], "bird"),
        (ids[1], "dog"),
    ]
    assert first["has_more"]
    rest = await world.ben.get("/work/history", limit=2, next_token=first["next_token"])
    assert [doc["task_id"] for doc in rest["docs"]] == [ids[0]]
    assert not rest["has_more"]
    assert "next_token" not in rest
    assert (await world.dee.get("/work/history"))["docs"] == []
    await world.ben.refused(400, "GET", "/work/history", params={"next_token": "x"})


async def test_a_task_without_a_batch_is_worked_from_the_default_batch(world: World):
    name = await project(world)
    first = await task(world, name)
    given = await claim(world.ben)
    assert given is not None
    assert (given["task"]["task_id"], given["task"]["batch"]) == (first, "Pets (default)")
    await world.ben.post(f"/work/{given['claim_id']}/submit", {"response": {"category": "cat"}})
    assert (await world.ana.get("/batches/Pets (default)"))["status"] == "in_progress"


async def test_a_labeler_reads_the_files_of_the_task_they_hold_and_no_other(world: World):
    name = await project(world)
    one, two = [await upload(world, content) for content in (b"one", b"two")]
    instruction = f"As [here]({one['attachment_url']})"
    await task(world, name, attachment=one["attachment_url"], instruction=instruction)
    await task(world, name, attachment=two["attachment_url"])
    given = await claim(world.ben)
    assert given is not None
    mine = f"/work/{given['claim_id']}/files"
    assert "studio://" not in str(given)
    assert given["task"]["params"]["attachment"] == f"/v1{mine}/1"
    assert given["task"]["instruction"] == f"As [here](/v1{mine}/1)"
    got = await world.ben.call("GET", f"{mine}/1")
    assert (got.status_code, got.content) == (200, b"one")
    assert "file-1.txt" in got.headers["Content-Disposition"]
    for no in ("0", "2", "01", "-1", "1.0", "²", one["id"], two["id"]):
        await world.ben.refused(404, "GET", f"{mine}/{no}")
    await world.ben.refused(403, "GET", f"/files/{one['id']}")
    await world.dee.refused(404, "GET", f"{mine}/1")
    await world.ben.post(f"/work/{given['claim_id']}/release")
    await world.ben.refused(409, "GET", f"{mine}/1")


async def test_those_who_may_read_tasks_work_with_real_ids_and_addresses(world: World):
    name = await project(world, people=(world.mia,))
    one, two = [await upload(world, content) for content in (b"one", b"two")]
    made = await task(world, name, attachment=one["attachment_url"])
    given = await world.mia.post("/work/claim")
    assert (given["task"]["task_id"], given["task"]["params"]["attachment"]) == (made, one["attachment_url"])
    mine = f"/work/{given['claim_id']}/files"
    for file in ("1", one["id"]):
        got = await world.mia.call("GET", f"{mine}/{file}")
        assert (got.status_code, got.content) == (200, b"one")
        assert "gold.txt" in got.headers["Content-Disposition"]
    await world.mia.refused(404, "GET", f"{mine}/{two['id']}")
    done = await world.mia.post(f"/work/{given['claim_id']}/submit", {"response": {"category": "cat"}})
    assert done["task_id"] == made
    assert [doc["task_id"] for doc in (await world.mia.get("/work/history"))["docs"]] == [made]


async def upload(world: World, content: bytes) -> dict[str, str]:
    sent = await world.ana.call("POST", "/files/upload", files={"file": ("gold.txt", content, "text/plain")})
    return sent.json()


async def test_the_same_submission_twice_at_the_same_moment_answers_the_same(world: World):
    name = await project(world)
    await batch(world, name, tasks=10)
    for _ in range(10):
        given = await claim(world.ben)
        assert given is not None
        path = f"/work/{given['claim_id']}/submit"
        first, *others = await asyncio.gather(*(world.ben.post(path, {"response": {"category": "cat"}}) for _ in "123"))
        assert others == [first, first]


async def test_nobody_is_sent_to_a_later_batch_while_an_earlier_has_a_place(world: World, database_url: str):
    """Somebody is just taking one of the task's two places."""
    name = await project(world, wanted=2)
    (first,) = await batch(world, name)
    await batch(world, name, "Tuesday")
    async with closed_gate(database_url) as gate:

        async def hold(tx: Tx) -> None:
            await tx.all("SELECT task_id FROM task_slots WHERE task_id = :task FOR UPDATE", task=first)
            await gate.wait(tx)

        _, taken = await gate.during(world.db.write(hold), claim_task(world.ben))
    assert taken == first


async def test_a_manager_finds_the_task_of_a_claim(world: World):
    name = await project(world)
    await batch(world, name, tasks=2)
    evaluation = await world.ana.post(
        "/evaluation_tasks/categorization",
        {"project": name, "attachment": "https://example.com/k.jpg", "expected_response": {"category": "dog"}},
    )
    await world.ana.post(f"/projects/{name}/quality", {"evaluation_rate": 1})
    found = set()
    for _ in range(2):
        given = await claim(world.ben)
        assert given is not None
        page = await world.max.get("/tasks", claim_id=given["claim_id"])
        (doc,) = page["docs"]
        assert (doc["task_id"], page["total"]) == (given["task"]["task_id"], 1)
        assert (await world.cid.get("/tasks", claim_id=given["claim_id"]))["docs"] == []
        assert (await world.max.get("/tasks", mode="test", claim_id=given["claim_id"]))["docs"] == []
        await world.ben.post(f"/work/{given['claim_id']}/submit", {"response": {"category": "dog"}})
        found.add(doc["task_id"])
    assert evaluation["id"] in found
    assert (await world.max.get("/tasks", claim_id="nope"))["docs"] == []
