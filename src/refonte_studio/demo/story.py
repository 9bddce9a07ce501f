"""The recent history of the demo's team: projects, finished batches, and some open work."""

import hashlib
import random
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from refonte_studio.demo import content, pictures
from refonte_studio.demo.api import Api
from refonte_studio.kit.clock import SECOND_MS

DAYS = 5  # duration of the story
# Each labeler's share of wrong answers, and number of turns.
MISTAKES = {"ben": 0.04, "dee": 0.08, "gus": 0.4, "ida": 0.1, "jon": 0.1}
TURNS = {"ben": 34, "dee": 32, "gus": 27, "ida": 31, "jon": 8}
PAUSE_S = (900, 2_700)  # between two tasks of one person
SKIP_EVERY = 20  # of one labeler's turns, so that no task is skipped several times
SKIPS = "ben"

Json = dict[str, Any]


class Clock:
    """The current time of the story."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class Story:
    """The same in every run, except for ids and secrets."""

    def __init__(self, api: Api, clock: Clock, keys: Mapping[str, str]) -> None:
        self._api = api
        self._clock = clock
        self._keys = keys
        self._chance = random.Random(7)
        self._right: dict[str, Json] = {}  # the correct response, by what the labeler sees
        self._owed = dict.fromkeys(MISTAKES, 0.0)  # by labeler: when it reaches 1, the next answer is wrong
        self._seen_as: dict[str, Mapping[str, str]] = dict(content.MISREAD_TICKETS)  # a category by labeler, by text

    async def tell(self) -> None:
        """Plays the whole story in chronological order."""
        await self._tickets()
        await self._desk()
        await self._news()
        await self._pairs()
        first = ["Tickets of October", "Desk, part 1", "News of last week"]
        await self._do("max", "/studio/batches/set_priorities", {"batches": first})
        await self._work()
        await self._review()
        await self._audit()
        await self._do("mia", "/batches", {"project": "Support tickets", "name": "Tickets of December"})

    async def _do(self, who: str, path: str, body: Json) -> Any:
        """Makes a call as that person, a little later."""
        self._clock.now += self._chance.randint(5, 40) * SECOND_MS
        return await self._api.post(self._keys[who], path, body)

    async def _project(self, name: str, task_type: str, params: Json, people: list[str], **more: Any) -> None:
        await self._do("max", "/projects", {"name": name, "type": task_type, "params": params, "studio": True, **more})
        emails = [email_of(one) for one in people]
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
        people = ["ben", "dee", "gus", "ida"]
        more = {"pipeline": "consensus_task", "consensus_attempts": 3}
        await self._project(project, "categorization", params, people, **more)
        quality = {"review_below": 0.6, "evaluation_rate": 0.3, "audit_rate": 0.1}
        await self._do("max", f"/projects/{quote(project)}/quality", quality)
        reviewers = {"emails": [email_of("max")]}
        await self._do("max", f"/projects/{quote(project)}/reviewers/add", reviewers)
        for number, (text, category) in enumerate(content.KNOWN_TICKETS):
            kind = "training" if number < content.TRAINING_TICKETS else "evaluation"
            task = {"project": project, "attachment": text, "expected_response": {"category": category}}
            self._right[text] = {"category": category}
            await self._do("max", f"/{kind}_tasks/categorization", task)
        texts = dict(content.TICKETS)
        for text, seen, category in content.DOUBTFUL_TICKETS:
            self._seen_as[text] = seen
            texts[text] = category
        self._right |= {text: {"category": category} for text, category in texts.items()}
        clear = [_ticket(number, text) for number, (text, _) in enumerate(content.TICKETS)]
        doubtful = [_ticket(number, text) for number, (text, _, _) in enumerate(content.DOUBTFUL_TICKETS)]
        await self._batch(project, "Tickets, a first look", "categorization", clear[:4], calibration_batch=True)
        await self._batch(project, "Tickets of October", "categorization", [*clear[4:12], *doubtful[:1]])
        await self._batch(project, "Tickets of November", "categorization", [*doubtful[1:], *clear[12:]])

    async def _desk(self) -> None:
        project = "Things on a desk"
        params = {
            "instruction": "Draw a box around every disc and every square, as tight as you can.",
            "attachment_type": "image",
            "image_size": {"width": pictures.WIDTH, "height": pictures.HEIGHT},
            "geometries": {"box": {"objects_to_annotate": ["disc", "square"], "min_width": 5, "min_height": 5}},
        }
        await self._project(project, "imageannotation", params, ["ben", "dee", "jon"])
        tasks: list[Json] = []
        for number in range(1, 13):
            things = pictures.shapes(self._chance)
            name = f"desk-{number}.png"
            picture = pictures.png(things)
            url = await self._api.upload(self._keys["mia"], name, picture, project)
            self._right[_content(picture)] = {
                "annotations": [_box(number, thing) for number, thing in enumerate(things)]
            }
            tasks.append({"attachment": url, "metadata": {"file": name}})
        await self._batch(project, "Desk, part 1", "imageannotation", tasks[:6])
        await self._batch(project, "Desk, part 2", "imageannotation", tasks[6:])
        group = {"name": "Steady hands", "emails": [email_of("ben"), email_of("dee")]}
        await self._do("max", f"/studio/projects/{quote(project)}/groups", group)
        await self._do("max", "/studio/batches/Desk%2C%20part%202", {"groups": ["Steady hands"]})

    async def _news(self) -> None:
        project = "Names in the news"
        params = {"instruction": "Mark every name, and say of what it is.", "labels": list(content.NAMES)}
        await self._project(project, "namedentityrecognition", params, ["gus", "ida", "jon"])
        for text, names in content.NEWS:
            spans = [_span(str(number), label, text, name) for number, (name, label) in enumerate(names.items())]
            self._right[text] = {"annotations": spans}
        tasks: list[Json] = [{"text": text} for text, _ in content.NEWS]
        await self._batch(project, "News of last week", "namedentityrecognition", tasks[:5])
        await self._batch(project, "News of this week", "namedentityrecognition", tasks[5:])
        await self._do("max", "/studio/batches/News%20of%20this%20week", {"groups": [email_of("jon")]})

    async def _pairs(self) -> None:
        """A project outside the Studio: its tasks need no batch order."""
        project = "The same product?"
        params = {
            "instruction": "Do these two titles mean the same product?",
            "attachment_type": "text",
            "choices": list(content.SAME),
        }
        await self._project(project, "comparison", params, ["gus", "jon"], studio=False)
        for first, second, choice in content.PAIRS:
            self._right[first] = {"choice": choice}
            await self._do("mia", "/task/comparison", {"project": project, "attachments": [first, second]})

    async def _work(self) -> None:
        turns = [who for who, count in TURNS.items() for _ in range(count)]
        self._chance.shuffle(turns)
        taken = Counter[str]()
        for who in turns:
            self._clock.now += self._chance.randint(*PAUSE_S) * SECOND_MS
            claim = await self._do(who, "/work/claim", {})
            if claim is None:
                continue
            taken[who] += 1
            if who == SKIPS and taken[who] % SKIP_EVERY == 0:
                await self._do(who, f"/work/{claim['claim_id']}/skip", {"reason": "I cannot tell"})
                continue
            response = await self._response(who, claim["task"]["params"])
            await self._do(who, f"/work/{claim['claim_id']}/submit", {"response": response})

    async def _review(self) -> None:
        """Max reviews doubtful results, except those of the November tickets, which stay open."""
        for batch in ("Tickets, a first look", "Tickets of October"):
            while review := await self._do("max", "/reviews/claim", {"batch": batch}):
                right = self._right[review["task"]["params"]["attachment"]]
                decision = "accept" if review["response"] == right else "fix"
                body = {} if decision == "accept" else {"response": right}
                await self._do("max", f"/reviews/{review['review_id']}/{decision}", body)

    async def _audit(self) -> None:
        for task in (await self._api.get(self._keys["mia"], "/tasks?status=completed&limit=3"))["docs"]:
            await self._do("mia", f"/task/{task['task_id']}/audit", {"accepted": True, "comments": "Well seen."})

    async def _seen(self, who: str, params: Json) -> str:
        """Returns what a labeler sees of a task: its text, or the content of its picture."""
        seen = params.get("text") or params.get("attachment") or params["attachments"][0]
        return _content(await self._api.file(self._keys[who], seen)) if seen.startswith("/") else seen

    async def _response(self, who: str, params: Json) -> Json:
        """Returns a labeler's answer, which is mostly correct."""
        seen = await self._seen(who, params)
        if who in self._seen_as.get(seen, {}):
            return {"category": self._seen_as[seen][who]}
        right = self._right[seen]
        self._owed[who] += MISTAKES[who]
        if self._owed[who] < 1:
            return right
        self._owed[who] -= 1
        if "category" in right:
            return {"category": self._chance.choice([one for one in params["categories"] if one != right["category"]])}
        return {"annotations": right["annotations"][1:]} if "annotations" in right else right


def email_of(name: str) -> str:
    """Returns an unused address: its domain is reserved for examples."""
    return f"{name}@demo.example"


def _ticket(number: int, text: str) -> Json:
    return {"attachment": text, "tags": ["web" if number % 3 else "phone"]}


def _content(picture: bytes) -> str:
    """Returns a key for the content of a picture."""
    return hashlib.sha256(picture).hexdigest()


def _box(number: int, thing: pictures.Shape) -> Json:
    box = {"left": thing.left, "top": thing.top, "width": thing.size, "height": thing.size}
    return {"uuid": f"thing-{number}", "label": thing.label, "type": "box", **box}


def _span(number: str, label: str, text: str, name: str) -> Json:
    start = text.index(name)
    return {"id": number, "label": label, "start": start, "end": start + len(name), "text": name}
