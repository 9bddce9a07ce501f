"""Lets the people of a published crowd-labelling data set do their work once more, on a running Studio server.

    STUDIO_URL=http://127.0.0.1:8000 STUDIO_API_KEY=live_… python examples/crowd_replay.py --data ../shared/data/dogs

The folder holds `answers.csv` (question,worker,answer) and, if it is known, `truth.csv` (question,truth). Over HTTP
alone, with the key of an admin or manager: a consensus project is made, every annotator invited, accepted for and
assigned, one batch of all questions imported and finalized. Then everybody works side by side: claims the next task,
submits the answer that this person really gave, skips what they never saw. The export is compared with the data set,
attempt by attempt, and the consensus with the truth. Exits with 1 unless every answer arrived.
"""

import argparse
import asyncio
import csv
import json
import os
import re
import secrets
import ssl
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

MOST_ATTEMPTS = 15  # of one task, on the server
LIST_LIMIT = 1_000  # entries of a list in one call
CONNECTIONS = 128  # at most, people share them when there are more
TRIES = 8  # of one request, while the server is busy or out of reach
BUSY = {429, 502, 503, 504}
TIMEOUT_S = 120


class Failed(Exception):
    """The server did not do what it was asked."""


@dataclass(frozen=True)
class DataSet:
    """Who answered what, and what is true."""

    name: str
    answers: dict[str, dict[str, str]]  # by worker, by question
    truth: dict[str, str]

    @property
    def questions(self) -> Counter[str]:
        """Every question, and how many people answered it."""
        return Counter(question for given in self.answers.values() for question in given)

    @property
    def classes(self) -> list[str]:
        return sorted({answer for given in self.answers.values() for answer in given.values()})

    @classmethod
    def read(cls, folder: Path) -> "DataSet":
        answers: dict[str, dict[str, str]] = {}
        for row in rows_of(folder / "answers.csv", ("question", "worker", "answer")):
            answers.setdefault(row["worker"], {})[row["question"]] = row["answer"]
        truth = folder / "truth.csv"
        known = rows_of(truth, ("question", "truth")) if truth.exists() else []
        return cls(folder.resolve().name, answers, {row["question"]: row["truth"] for row in known})


def rows_of(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows of a CSV file that has these columns."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise Failed(f"cannot read {path}: {error.strerror}") from error
    if not rows or not set(columns) <= set(rows[0]):
        raise Failed(f"{path} must be a CSV file with the columns {', '.join(columns)}")
    return rows


class Link:
    """A connection to the server in one person's name, or nobody's."""

    def __init__(self, http: httpx.AsyncClient, key: str | None = None) -> None:
        self.http = http
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def send(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """One call, made again while the server is busy or out of reach. Raises Failed in the end."""
        if body is not None:
            options["json"] = body
        headers = self.headers | options.pop("headers", {})
        problem = ""
        for attempt in range(TRIES):
            wait_s = min(0.1 * 2**attempt, 10.0)
            try:
                response = await self.http.request(method, f"/v1{path}", headers=headers, **options)
            except httpx.TransportError as error:
                problem = repr(error)
            else:
                if response.status_code not in BUSY:
                    return response
                problem = f"{response.status_code} {response.text}"
                wanted = response.headers.get("retry-after", "")
                wait_s = float(wanted) if wanted.isdigit() else wait_s
            await asyncio.sleep(wait_s)
        raise Failed(f"{method} {path}: {problem}, {TRIES} times")

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The JSON of a call that must succeed."""
        response = await self.send(method, path, body, **options)
        if response.status_code != 200:
            raise Failed(f"{method} {path}: {response.status_code} {response.text}")
        return response.json()


class Person:
    """One annotator of the data set at work."""

    def __init__(self, email: str, answers: dict[str, str]) -> None:
        self.email = email
        self.answers = answers  # by question
        self.left = dict(answers)
        self.link: Link

    async def work(self, crowd: "Crowd") -> None:
        """Claims until everything this person knows is said, or there is nothing left for them."""
        while self.left and crowd.given < crowd.wanted:
            claim = await self.next_claim(crowd)
            if claim is None:
                return
            await self.put_down(crowd, claim)
            crowd.move(busy=-1)

    async def next_claim(self, crowd: "Crowd") -> dict[str, Any] | None:
        """What comes next; None when nothing will come any more."""
        crowd.move(busy=+1)
        claim = await self.claim(crowd)
        if claim is not None:
            return claim
        crowd.move(busy=-1)
        while True:
            # Nothing now, perhaps because others hold all open places; if nobody holds any, nothing will come.
            async with crowd.turn:
                alone, seen = crowd.busy == 0, crowd.moves
                claim = await self.claim(crowd)
                if claim is not None:
                    crowd.move(busy=+1)
                    return claim
                if alone and crowd.moves == seen:
                    return None
            await crowd.stirs(seen)

    async def claim(self, crowd: "Crowd") -> dict[str, Any] | None:
        crowd.requests += 1
        response = await self.link.send("POST", "/work/claim", {"project": crowd.project})
        if response.status_code not in (200, 204):
            raise Failed(f"{self.email} cannot claim: {response.status_code} {response.text}")
        return response.json() if response.status_code == 200 else None

    async def put_down(self, crowd: "Crowd", claim: dict[str, Any]) -> None:
        """Gives the answer that this person gave, or skips what they never saw."""
        crowd.requests += 1
        path = f"/work/{claim['claim_id']}"
        answer = self.left.pop(claim["task"]["params"]["attachment"], None)
        if answer is None:
            response = await self.link.send("POST", f"{path}/skip", {"reason": "never saw it"})
            crowd.skipped += response.status_code == 200
        else:
            response = await self.link.send("POST", f"{path}/submit", {"response": {"category": answer}})
            crowd.given += response.status_code == 200
        if response.status_code not in (200, 409):  # 409: the task was completed meanwhile
            raise Failed(f"{self.email} cannot put down a task: {response.status_code} {response.text}")


@dataclass
class Crowd:
    """All who work, and how far they are."""

    project: str
    wanted: int  # attempts, over all tasks
    given: int = 0
    skipped: int = 0
    requests: int = 0
    time_s: float = 0.0
    busy: int = 0  # people who hold a task, or ask for one
    moves: int = 0  # grows with whatever may change what others find
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # those who found nothing ask one at a time

    def move(self, busy: int) -> None:
        self.busy += busy
        self.moves += 1
        self.moved.set()

    async def stirs(self, seen: int) -> None:
        """Waits until something has moved since then, half a second at most."""
        if self.moves == seen:
            self.moved.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.moved.wait(), 0.5)


class Replay:
    """One run of a data set on a server."""

    def __init__(self, url: str, key: str, data: DataSet, name: str) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        self.key = key
        self.data = data
        self.name = name
        self.attempts = min(max(data.questions.values()), MOST_ATTEMPTS)
        self.wanted = sum(min(count, self.attempts) for count in data.questions.values())
        self.people = [Person(email, answers) for email, answers in self.addresses().items()]
        self.tls = ssl.create_default_context()

    def addresses(self) -> dict[str, dict[str, str]]:
        """An address for each annotator, new in each run, and their answers."""
        named = {
            f"{slug(self.data.name)}-worker-{slug(worker)}.{slug(self.name)}@example.com": answers
            for worker, answers in self.data.answers.items()
        }
        if len(named) < len(self.data.answers):
            raise Failed("two workers' ids differ in nothing but punctuation or case")
        return named

    def connection(self) -> httpx.AsyncClient:
        """One connection to the server, kept open."""
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        return httpx.AsyncClient(base_url=self.url, verify=self.tls, limits=limits, timeout=TIMEOUT_S)

    async def run(self) -> bool:
        """Everything in its order; whether every answer arrived."""
        begun = time.monotonic()
        async with AsyncExitStack() as open_connections:
            connections = [
                await open_connections.enter_async_context(self.connection())
                for _ in range(min(len(self.people), CONNECTIONS))
            ]
            self.ana = Link(connections[0], self.key)
            await self.set_up(connections)
            say(f"set up     {time.monotonic() - begun:.1f} s")
            crowd = await self.work()
            await self.finish()
            attempts, right = await self.compare()
        self.report(crowd, attempts, right)
        return attempts == self.wanted

    async def set_up(self, connections: Sequence[httpx.AsyncClient]) -> None:
        """The project, its people, and a batch of all tasks, ready to be worked."""
        several = self.attempts > 1
        await self.ana.call(
            "POST",
            "/projects",
            {
                "name": self.name,
                "type": "categorization",
                "studio": True,
                "pipeline": "consensus_task" if several else "standard_task",
                **({"consensus_attempts": self.attempts} if several else {}),
                "params": {"instruction": "Which class is it?", "categories": self.data.classes},
            },
        )
        tokens = await self.invite()
        for number, person in enumerate(self.people):
            person.link = Link(connections[number % len(connections)])
        free = asyncio.Semaphore(8)  # passwords are slow by design
        await together(self.accept(person, tokens[person.email.lower()], free) for person in self.people)
        for emails in chunks([person.email for person in self.people]):
            await self.ana.call("POST", "/studio/assignments/add", {"emails": emails, "projects": [self.name]})
        await self.ana.call("POST", "/batches", {"project": self.name, "name": self.name})
        imported = await self.ana.call(
            "POST", "/tasks/import", content=self.tasks(), headers={"Content-Type": "application/x-ndjson"}
        )
        if imported["created"] != len(self.data.questions):
            raise Failed(f"only {imported['created']} of {len(self.data.questions)} tasks were made")
        await self.ana.call("POST", f"/batches/{quote(self.name, safe='')}/finalize")

    async def invite(self) -> dict[str, str]:
        """Invites everybody; the tokens of their invitations, by address."""
        tokens: dict[str, str] = {}
        for emails in chunks([person.email for person in self.people]):
            team = await self.ana.call("POST", "/teams/invite", {"emails": emails, "team_role": "labeler"})
            tokens |= {mate["email"].lower(): mate["inviteUrl"] for mate in team if "inviteUrl" in mate}
        missing = [person.email for person in self.people if person.email.lower() not in tokens]
        if missing:
            raise Failed(f"no invitation link for {missing[0]}: are they a teammate already, or is mail being sent?")
        return {email: url.rstrip("/").rpartition("/")[2] for email, url in tokens.items()}

    async def accept(self, person: Person, token: str, free: asyncio.Semaphore) -> None:
        """Joins the team in this person's name, and makes a key to work with."""
        async with free, self.connection() as http:
            browser = Link(http)
            password = secrets.token_urlsafe(16)
            names = {"first_name": "Worker", "last_name": person.email.partition(".")[0]}
            await browser.call("POST", "/invitations/accept", {"token": token, "password": password, **names})
            browser.headers["X-CSRF-Token"] = (await browser.call("GET", "/session"))["csrf_token"]
            made = await browser.call("POST", "/keys", {"mode": "live", "name": "crowd replay"})
        person.link.headers = {"Authorization": f"Bearer {made['key']}"}

    def tasks(self) -> str:
        """One line for each question."""
        common = {"type": "categorization", "project": self.name, "batch": self.name, "attachment_type": "text"}
        return "".join(json.dumps({**common, "attachment": question}) + "\n" for question in self.data.questions)

    async def work(self) -> Crowd:
        """Everybody works side by side until nothing is left to do."""
        crowd = Crowd(self.name, self.wanted)
        begun = time.monotonic()
        progress = asyncio.create_task(self.show_progress(crowd))
        try:
            await together(person.work(crowd) for person in self.people)
        finally:
            progress.cancel()
        crowd.time_s = time.monotonic() - begun
        return crowd

    async def show_progress(self, crowd: Crowd) -> None:
        while True:
            await asyncio.sleep(5)
            say(f"working    {crowd.given:,} of {crowd.wanted:,} answers, {crowd.skipped:,} skips")

    async def finish(self) -> None:
        """Tasks that fewer people answered than the others are completed with what they have."""
        if min(self.data.questions.values()) < self.attempts:
            path = f"/studio/projects/{quote(self.name, safe='')}/send_tasks_to_completed"
            await self.ana.call("POST", path, {"all_batches": True})

    async def compare(self) -> tuple[int, int]:
        """From the export: how many attempts are what their person really answered, and how many results are true."""
        people = {person.email.lower(): person.answers for person in self.people}
        attempts = right = 0
        async for task in self.export():
            question = task["params"]["attachment"]
            for attempt in task["attempts"]:
                given = people[attempt["labeler"].lower()].get(question)
                attempts += given is not None and attempt["response"] == {"category": given}
            truth = self.data.truth.get(question)
            right += truth is not None and (task.get("response") or {}).get("category") == truth
        return attempts, right

    async def export(self) -> AsyncIterator[dict[str, Any]]:
        params = {"project": self.name, "attempts": "true"}
        request = self.ana.http.stream("GET", "/v1/tasks/export", params=params, headers=self.ana.headers)
        async with request as response:
            if response.status_code != 200:
                raise Failed(f"no export: {response.status_code} {(await response.aread()).decode()}")
            async for line in response.aiter_lines():
                yield json.loads(line)

    def report(self, crowd: Crowd, attempts: int, right: int) -> None:
        known = sum(question in self.data.truth for question in self.data.questions)
        print(f"tasks      {len(self.data.questions):,}")
        print(f"people     {len(self.people):,}")
        print(f"attempts   {attempts:,} of {self.wanted:,}")
        print(f"skips      {crowd.skipped:,}")
        print(f"time       {crowd.time_s:.1f} s, {crowd.requests / crowd.time_s:,.0f} requests a second")
        if known:
            print(f"accuracy   {right / known:.4f} ({right:,} of {known:,})")


async def together(doings: Iterable[Coroutine[Any, Any, None]]) -> None:
    """All of them side by side; the first failure ends the rest."""
    try:
        async with asyncio.TaskGroup() as group:
            for doing in doings:
                group.create_task(doing)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


def chunks(entries: list[str]) -> list[list[str]]:
    return [entries[start : start + LIST_LIMIT] for start in range(0, len(entries), LIST_LIMIT)]


def slug(text: str) -> str:
    """The text as a part of an address."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of answers.csv and truth.csv")
    parser.add_argument("--name", help="of the project and batch; it must be new (the folder's name and the time)")
    options = parser.parse_args()
    url, key = os.environ.get("STUDIO_URL"), os.environ.get("STUDIO_API_KEY")
    if not url or not key:
        parser.error("STUDIO_URL and STUDIO_API_KEY must be in the environment")
    try:
        data = DataSet.read(options.data)
        name = options.name or f"{data.name} {time.strftime('%Y-%m-%d %H:%M:%S')}"
        complete = asyncio.run(Replay(url, key, data, name).run())
    except Failed as error:
        say(f"crowd_replay: {error}")
        return 1
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
