"""Lets the people of a published crowd-labelling data set do their work once more, on a running Studio server.

    STUDIO_URL=http://127.0.0.1:8000 STUDIO_API_KEY=live_… python examples/crowd_replay.py --data path/to/dogs

The folder holds `answers.csv` (question,worker,answer) and, if it is known, `truth.csv` (question,truth). Over HTTP
alone, with the key of an admin or manager: a consensus project is made, every annotator invited, accepted for and
assigned, one batch of all questions imported and finalized. Then everybody works side by side: claims the next task,
submits the answer that this person really gave, skips what they never saw. The export is compared with the data set,
attempt by attempt, and the results with the truth. Exits with 1 unless every answer arrived.

Standard library alone: a thread and a connection for each annotator, since `http.client` costs the machine, which
runs the server too, a fifth of what the richer clients do.
"""

import argparse
import csv
import http.client
import json
import os
import re
import secrets
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

MOST_ATTEMPTS = 15  # of one task, on the server
LIST_LIMIT = 1_000  # entries of a list in one call
CONNECTIONS = 256  # at most; with more people, some begin when others are done
TRIES = 8  # of one request, while the server is busy or out of reach
BUSY = {429, 502, 503, 504}
TIMEOUT_S = 120
PROGRESS_S = 5


class Failed(Exception):
    """The replay cannot go on."""


@dataclass(frozen=True)
class DataSet:
    """Who answered what, and what is true."""

    name: str
    answers: dict[str, dict[str, str]]  # by worker, by question
    truth: dict[str, str]
    questions: Counter[str]  # how many people answered each

    @classmethod
    def read(cls, folder: Path) -> "DataSet":
        answers: dict[str, dict[str, str]] = {}
        for row in rows_of(folder / "answers.csv", "question", "worker", "answer"):
            answers.setdefault(row["worker"], {})[row["question"]] = row["answer"]
        truth = folder / "truth.csv"
        known = rows_of(truth, "question", "truth") if truth.exists() else []
        questions = Counter(question for given in answers.values() for question in given)
        return cls(folder.resolve().name, answers, {row["question"]: row["truth"] for row in known}, questions)

    @property
    def classes(self) -> list[str]:
        return sorted({answer for given in self.answers.values() for answer in given.values()})


def rows_of(path: Path, *columns: str) -> list[dict[str, str]]:
    """The rows of a CSV file that has these columns."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise Failed(f"cannot read {path}: {error.strerror}") from error
    if not rows or not set(columns) <= set(rows[0]):
        raise Failed(f"{path} must be a CSV file with the columns {', '.join(columns)}")
    return rows


class Api:
    """A connection to the server in somebody's name, kept open."""

    def __init__(self, url: str, **headers: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise Failed(f"STUDIO_URL must be like http://127.0.0.1:8000, not {url}")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.connection = kind(parts.netloc, timeout=TIMEOUT_S)
        self.base = f"{parts.path.rstrip('/').removesuffix('/v1')}/v1"
        self.headers = headers

    def send(self, method: str, path: str, body: bytes, media_type: str) -> http.client.HTTPResponse:
        """One request, made again while the server is busy or out of reach; its answer is still to be read."""
        problem: object = None
        for attempt in range(TRIES):
            wait_s = min(0.1 * 2**attempt, 10.0) if attempt else 0.0
            try:
                self.connection.request(
                    method, f"{self.base}{path}", body, {**self.headers, "Content-Type": media_type}
                )
                response = self.connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                self.connection.close()  # the next request opens it again
                problem = repr(error)
            else:
                if response.status not in BUSY:
                    return response
                problem = f"{response.status} {response.read().decode()}"
                wanted = response.headers.get("Retry-After", "")
                wait_s = float(wanted) if wanted.isdigit() else wait_s
            time.sleep(wait_s)
        raise Failed(f"{method} {path}: {problem}, {TRIES} times")

    def ask(self, path: str, body: Any) -> tuple[int, Any]:
        """The status and JSON of a POST."""
        response = self.send("POST", path, json.dumps(body).encode(), "application/json")
        return response.status, said(response)

    def post(self, path: str, body: Any) -> Any:
        """The JSON of a POST that must succeed."""
        status, answer = self.ask(path, body)
        return answer if status == 200 else self.refuse("POST", path, status, answer)

    def get(self, path: str) -> Any:
        """The JSON of a GET that must succeed."""
        return json.loads(b"".join(self.lines(path)))

    def lines(self, path: str, method: str = "GET", body: bytes = b"") -> Iterator[bytes]:
        """The lines of an answer as they come in; a body is lines, too."""
        response = self.send(method, path, body, "application/x-ndjson")
        if response.status != 200:
            self.refuse(method, path, response.status, said(response))
        yield from response

    def refuse(self, method: str, path: str, status: int, answer: Any) -> Any:
        raise Failed(f"{method} {path}: {status} {json.dumps(answer, ensure_ascii=False)}")


def said(response: http.client.HTTPResponse) -> Any:
    """An answer's JSON, or its text if a server in between gave it."""
    content = response.read()
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content.decode(errors="replace")


@dataclass
class Crowd:
    """All who work, and how far they are."""

    wanted: int  # attempts, over all tasks
    given: int = 0
    skipped: int = 0
    requests: int = 0
    busy: int = 0  # people who hold a task, or ask for one
    moves: int = 0  # grows with whatever may change what others find
    failed: bool = False
    state: threading.Lock = field(default_factory=threading.Lock)
    turn: threading.Lock = field(default_factory=threading.Lock)  # those who found nothing ask one at a time

    def move(self, busy: int, *, given: bool = False, skipped: bool = False) -> None:
        with self.state:
            self.busy += busy
            self.moves += 1
            self.requests += 1
            self.given += given
            self.skipped += skipped

    @property
    def goes_on(self) -> bool:
        return self.given < self.wanted and not self.failed


class Person:
    """One annotator of the data set at work."""

    def __init__(self, email: str, answers: dict[str, str]) -> None:
        self.email = email
        self.answers = answers  # by question
        self.left = dict(answers)
        self.api: Api
        self.project: str

    def work(self, crowd: Crowd) -> None:
        """Claims until everything this person knows is said, or there is nothing left for them."""
        with closing(self.api.connection):
            while self.left and crowd.goes_on and (claim := self.next_claim(crowd)):
                self.put_down(crowd, claim)

    def next_claim(self, crowd: Crowd) -> Any:
        """What comes next; None when nothing will come any more."""
        crowd.move(busy=+1)
        claim = self.claim()
        if claim is None:
            crowd.move(busy=-1)
        pause_s = 0.05
        while claim is None and crowd.goes_on:
            # Nothing now, perhaps because others hold all open places; if nobody holds any, nothing will come.
            with crowd.turn:
                alone, seen = crowd.busy == 0, crowd.moves
                claim = self.claim()
                if claim is not None:
                    crowd.move(busy=+1)
                elif alone and crowd.moves == seen:
                    return None
            if claim is None:
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, 0.5)
        return claim

    def claim(self) -> Any:
        status, claim = self.api.ask("/work/claim", {"project": self.project})
        return claim if status in (200, 204) else self.api.refuse("POST", "/work/claim", status, claim)

    def put_down(self, crowd: Crowd, claim: Any) -> None:
        """Gives the answer that this person gave, or skips what they never saw."""
        category = self.left.pop(claim["task"]["params"]["attachment"], None)
        if category is None:
            path, body = f"/work/{claim['claim_id']}/skip", {"reason": "never saw it"}
        else:
            path, body = f"/work/{claim['claim_id']}/submit", {"response": {"category": category}}
        status, answer = self.api.ask(path, body)
        if status not in (200, 409):  # 409: the task was completed meanwhile
            self.api.refuse("POST", path, status, answer)
        crowd.move(busy=-1, given=status == 200 and category is not None, skipped=category is None)


class Replay:
    """One run of a data set on a server."""

    def __init__(self, url: str, key: str, data: DataSet, name: str) -> None:
        self.url = url
        self.ana = Api(url, Authorization=f"Bearer {key}")
        self.data = data
        self.name = name
        self.attempts = min(max(data.questions.values()), MOST_ATTEMPTS)
        self.crowd = Crowd(sum(min(count, self.attempts) for count in data.questions.values()))
        self.people = [
            Person(f"{slug(data.name)}-worker-{slug(worker)}.{slug(name)}@example.com", answers)
            for worker, answers in data.answers.items()
        ]

    def run(self) -> bool:
        """Everything in its order; whether every answer arrived."""
        begun = time.monotonic()
        self.make_project()
        self.staff()
        self.make_tasks()
        set_up = time.monotonic()
        say(f"set up in {set_up - begun:.1f} s")
        side_by_side((lambda person=person: person.work(self.crowd) for person in self.people), self.crowd)
        worked_s = time.monotonic() - set_up
        if min(self.data.questions.values()) < self.attempts:
            # what fewer people answered is completed with the answers there are
            path = f"/studio/projects/{quote(self.name, safe='')}/send_tasks_to_completed"
            self.ana.post(path, {"all_batches": True})
        arrived, right = self.compare()
        self.report(arrived, right, worked_s)
        return arrived == self.crowd.wanted

    def make_project(self) -> None:
        params = {"instruction": "Which class is it?", "categories": self.data.classes}
        project = {"name": self.name, "type": "categorization", "studio": True, "params": params}
        if self.attempts > 1:
            project |= {"pipeline": "consensus_task", "consensus_attempts": self.attempts}
        self.ana.post("/projects", project)

    def staff(self) -> None:
        """Invites everybody, accepts in their names, and assigns them."""
        links: dict[str, str] = {}
        for emails in chunks([person.email for person in self.people]):
            team = self.ana.post("/teams/invite", {"emails": emails, "team_role": "labeler"})
            links |= {mate["email"].lower(): mate["inviteUrl"] for mate in team if "inviteUrl" in mate}
        strangers = [person.email for person in self.people if person.email.lower() not in links]
        if strangers:
            raise Failed(f"no invitation link for {strangers[0]}: in the team already, or sent by mail?")
        tokens = {email: url.rstrip("/").rpartition("/")[2] for email, url in links.items()}
        side_by_side(lambda person=person: self.accept(person, tokens[person.email.lower()]) for person in self.people)
        for emails in chunks([person.email for person in self.people]):
            self.ana.post("/studio/assignments/add", {"emails": emails, "projects": [self.name]})

    def accept(self, person: Person, token: str) -> None:
        """Joins the team in this person's name, and makes a key to work with."""
        browser = Api(self.url)
        names = {"first_name": "Worker", "last_name": person.email.partition(".")[0]}
        welcome = json.dumps({"token": token, "password": secrets.token_urlsafe(16), **names}).encode()
        with closing(browser.connection):
            response = browser.send("POST", "/invitations/accept", welcome, "application/json")
            answer = said(response)
            if response.status != 200:
                browser.refuse("POST", "/invitations/accept", response.status, answer)
            browser.headers["Cookie"] = response.headers["Set-Cookie"].partition(";")[0]
            browser.headers["X-CSRF-Token"] = browser.get("/session")["csrf_token"]
            key = browser.post("/keys", {"mode": "live", "name": "crowd replay"})["key"]
        person.api = Api(self.url, Authorization=f"Bearer {key}")
        person.project = self.name

    def make_tasks(self) -> None:
        """One batch of a task for each question, ready to be worked."""
        self.ana.post("/batches", {"project": self.name, "name": self.name})
        common = {"type": "categorization", "project": self.name, "batch": self.name, "attachment_type": "text"}
        tasks = "".join(json.dumps({**common, "attachment": question}) + "\n" for question in self.data.questions)
        created = json.loads(b"".join(self.ana.lines("/tasks/import", "POST", tasks.encode())))["created"]
        if created != len(self.data.questions):
            raise Failed(f"only {created:,} of {len(self.data.questions):,} tasks were made")
        self.ana.post(f"/batches/{quote(self.name, safe='')}/finalize", {})

    def compare(self) -> tuple[int, int]:
        """From the export: how many attempts are what their person really answered, and how many results are true."""
        people = {person.email.lower(): person.answers for person in self.people}
        arrived = right = 0
        for line in self.ana.lines(f"/tasks/export?{urlencode({'project': self.name, 'attempts': 'true'})}"):
            task = json.loads(line)
            question = task["params"]["attachment"]
            for attempt in task["attempts"]:
                answer = people[attempt["labeler"].lower()].get(question)
                arrived += answer is not None and attempt["response"] == {"category": answer}
            truth = self.data.truth.get(question)
            right += truth is not None and (task.get("response") or {}).get("category") == truth
        return arrived, right

    def report(self, arrived: int, right: int, worked_s: float) -> None:
        known = sum(question in self.data.truth for question in self.data.questions)
        print(f"tasks     {len(self.data.questions):,}")
        print(f"people    {len(self.people):,}")
        print(f"attempts  {arrived:,} of {self.crowd.wanted:,}")
        print(f"skips     {self.crowd.skipped:,}")
        print(f"time      {worked_s:.1f} s, {self.crowd.requests / worked_s:,.0f} requests a second")
        if known:
            print(f"accuracy  {right / known:.4f} ({right:,} of {known:,})")


def side_by_side(doings: Iterable[Callable[[], None]], crowd: Crowd | None = None) -> None:
    """Does all of it in threads of its own; shows how far the crowd is, and raises the first failure."""
    with ThreadPoolExecutor(CONNECTIONS if crowd else 8) as pool:
        doing: set[Future[None]] = {pool.submit(each) for each in doings}
        try:
            while doing:
                done, doing = wait(doing, PROGRESS_S, FIRST_EXCEPTION)
                for each in done:
                    each.result()
                if crowd and doing:
                    say(f"{crowd.given:,} of {crowd.wanted:,} answers, {crowd.skipped:,} skips")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            if crowd:
                crowd.failed = True
            raise


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
        replay = Replay(url, key, data, name)
        with closing(replay.ana.connection):
            complete = replay.run()
    except Failed as error:
        say(f"crowd_replay: {error}")
        return 1
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
