"""What the demo's team did in its last days: projects set up, batches worked, some of it left to do."""

import random
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from refonte_studio.demo import content, pictures
from refonte_studio.demo.api import Api
from refonte_studio.kit.clock import SECOND_MS

DAYS = 4  # how long it took
CARE = 0.85  # how often a labeler is right
TURNS = {"ben": 22, "dee": 20, "gus": 16}  # how much each of the labelers did
PAUSE_S = (1_200, 4_000)  # before somebody turns to the next task

Json = dict[str, Any]


class Clock:
    """Stands where the story is."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class Story:
    """The same every time, but for ids and secrets."""

    def __init__(self, api: Api, clock: Clock, keys: Mapping[str, str]) -> None:
        self._api = api
        self._clock = clock
        self._keys = keys
        self._chance = random.Random(7)
        self._right: dict[str, Json] = {}  # the right response, by what the labeler sees

    async def tell(self) -> None:
        """Everything, in order of time."""
        await self._tickets()
        await self._desk()
        await self._news()
        await self._pairs()
        await self._do("max", "/studio/batches/set_priorities", {"batches": ["Tickets of October", "Desk, part 1"]})
        await self._work()
        await self._audit()
        await self._do("mia", "/batches", {"project": "Support tickets", "name": "Tickets of December"})

    async def _do(self, who: str, path: str, body: Json) -> Any:
        """A call by that person, a little later."""
        self._clock.now += self._chance.randint(5, 40) * SECOND_MS
        return await self._api.post(self._keys[who], path, body)

    async def _project(self, name: str, task_type: str, params: Json, people: list[str], **more: Any) -> None:
        await self._do("max", "/projects", {"name": name, "type": task_type, "params": params, "studio": True, **more})
        emails = [f"{one}@demo.example" for one in people]
        await self._do("max", "/studio/assignments/add", {"emails": emails, "projects": [name]})

    async def _batch(self, project: str, name: str, task_type: str, tasks: list[Json], **more: Any) -> None:
        await self._do("mia", "/batches", {"project": project, "name": name, **more})
        for task in tasks:
            await self._do("mia", f"/task/{task_type}", {"project": project, "batch": name, **task})
        await self._do("mia", f"/batches/{quote(name)}/finalize", {})

    async def _tickets(self) -> None:
        project = "Support tickets"
        params = {
            "instruction": "What is this customer writing about? One category fits best.",
            "attachment_type": "text",
            "categories": list(content.CATEGORIES),
        }
        people = ["ben", "dee", "gus"]
        more = {"pipeline": "consensus_task", "consensus_attempts": 3}
        await self._project(project, "categorization", params, people, **more)
        for number, (text, category) in enumerate(content.KNOWN_TICKETS):
            kind = "evaluation" if number == 2 else "training"
            task = {"project": project, "attachment": text, "expected_response": {"category": category}}
            self._right[text] = {"category": category}
            await self._do("max", f"/{kind}_tasks/categorization", task)
        tasks: list[Json] = []
        for text, category in content.TICKETS:
            self._right[text] = {"category": category}
            tasks.append({"attachment": text, "tags": ["web" if len(tasks) % 3 else "phone"]})
        await self._batch(project, "Tickets, a first look", "categorization", tasks[:4], calibration_batch=True)
        await self._batch(project, "Tickets of October", "categorization", tasks[4:12])
        await self._batch(project, "Tickets of November", "categorization", tasks[12:])

    async def _desk(self) -> None:
        project = "Things on a desk"
        params = {
            "instruction": "Draw a box around every disc and every square, as tight as you can.",
            "attachment_type": "image",
            "image_size": {"width": pictures.WIDTH, "height": pictures.HEIGHT},
            "geometries": {"box": {"objects_to_annotate": ["disc", "square"], "min_width": 5, "min_height": 5}},
        }
        await self._project(project, "imageannotation", params, ["ben", "dee"])
        tasks: list[Json] = []
        for number in range(1, 9):
            things = pictures.shapes(self._chance)
            name = f"desk-{number}.png"
            url = await self._api.upload(self._keys["mia"], name, pictures.png(things), project)
            self._right[url] = {"annotations": [_box(number, thing) for number, thing in enumerate(things)]}
            tasks.append({"attachment": url, "metadata": {"file": name}})
        await self._batch(project, "Desk, part 1", "imageannotation", tasks[:5])
        await self._batch(project, "Desk, part 2", "imageannotation", tasks[5:])
        group = {"name": "Steady hands", "emails": ["ben@demo.example", "dee@demo.example"]}
        await self._do("max", f"/studio/projects/{quote(project)}/groups", group)
        await self._do("max", "/studio/batches/Desk%2C%20part%202", {"groups": ["Steady hands"]})

    async def _news(self) -> None:
        project = "Names in the news"
        params = {"instruction": "Mark every name, and say of what it is.", "labels": list(content.NAMES)}
        await self._project(project, "namedentityrecognition", params, ["dee", "gus"])
        for text, names in content.NEWS:
            spans = [_span(str(number), label, text, name) for number, (name, label) in enumerate(names.items())]
            self._right[text] = {"annotations": spans}
        tasks: list[Json] = [{"text": text} for text, _ in content.NEWS]
        await self._batch(project, "News of this week", "namedentityrecognition", tasks)
        await self._do("max", "/studio/batches/News%20of%20this%20week", {"groups": ["gus@demo.example"]})

    async def _pairs(self) -> None:
        """A project outside the Studio: its tasks are worked without being put in order."""
        project = "The same product?"
        params = {
            "instruction": "Do these two titles mean the same product?",
            "attachment_type": "text",
            "choices": list(content.SAME),
        }
        await self._project(project, "comparison", params, ["gus"], studio=False)
        for first, second, choice in content.PAIRS:
            self._right[first] = {"choice": choice}
            await self._do("mia", "/task/comparison", {"project": project, "attachments": [first, second]})

    async def _work(self) -> None:
        turns = [who for who, count in TURNS.items() for _ in range(count)]
        self._chance.shuffle(turns)
        for turn, who in enumerate(turns):
            self._clock.now += self._chance.randint(*PAUSE_S) * SECOND_MS
            claim = await self._do(who, "/work/claim", {})
            if claim is None:
                continue
            if turn % 25 == 24:
                await self._do(who, f"/work/{claim['claim_id']}/skip", {"reason": "I cannot tell"})
                continue
            response = self._response(claim["task"]["params"])
            await self._do(who, f"/work/{claim['claim_id']}/submit", {"response": response})

    async def _audit(self) -> None:
        for task in (await self._api.get(self._keys["mia"], "/tasks?status=completed&limit=3"))["docs"]:
            await self._do("mia", f"/task/{task['task_id']}/audit", {"accepted": True, "comments": "Well seen."})

    def _response(self, params: Json) -> Json:
        """What a labeler answers: mostly what is right."""
        seen = params.get("text") or params.get("attachment") or params["attachments"][0]
        right = self._right[seen]
        if self._chance.random() < CARE:
            return right
        if "category" in right:
            return {"category": self._chance.choice(params["categories"])}
        return {"annotations": right["annotations"][1:]} if "annotations" in right else right


def _box(number: int, thing: pictures.Shape) -> Json:
    box = {"left": thing.left, "top": thing.top, "width": thing.size, "height": thing.size}
    return {"uuid": f"thing-{number}", "label": thing.label, "type": "box", **box}


def _span(number: str, label: str, text: str, name: str) -> Json:
    start = text.index(name)
    return {"id": number, "label": label, "start": start, "end": start + len(name), "text": name}
