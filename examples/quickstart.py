"""A small labelling job with the published `scaleapi` SDK, from the project to the finished labels.

    STUDIO_URL=http://127.0.0.1:8000 STUDIO_API_KEY=live_… python examples/quickstart.py

The SDK is installed by `pip install "scaleapi>=2.18,<2.19"`, and needs nothing but its address changed. It manages the
work; the labeler, who does it, speaks plain HTTP here.
"""

import os
import secrets
import time
from urllib.parse import unquote

import requests
from scaleapi import ScaleClient, TeammateRole
from scaleapi.tasks import TaskStatus, TaskType

URL = os.environ["STUDIO_URL"].rstrip("/")
RUN = f"{time.strftime('%H%M%S')}-{secrets.token_hex(2)}"  # names are unique in a team: each run has its own
PROJECT, URGENT, LATER = f"Reviews {RUN}", f"Today's reviews {RUN}", f"Last week's reviews {RUN}"
LABELER = f"lena.{RUN}@example.com"
REVIEWS = {
    URGENT: {"Arrived broken.": "negative", "Best kettle I ever had!": "positive"},
    LATER: {"It boils water.": "neutral", "Would buy again.": "positive", "Too loud.": "negative"},
}


def prepare(client: ScaleClient) -> None:
    """A Studio project with two batches of tasks."""
    params = {"instruction": "How does the customer feel?", "categories": ["positive", "neutral", "negative"]}
    project = client.create_project(PROJECT, TaskType.Categorization, params, studio=True)
    print(f"project    {project.name} ({project.type})")
    for name in (LATER, URGENT):
        batch = client.create_batch(PROJECT, name)
        for review in REVIEWS[name]:
            client.create_task(
                TaskType.Categorization,
                project=PROJECT,
                batch=name,
                attachment=review,
                attachment_type="text",
                unique_id=f"{name}: {review}",  # makes it safe to ask twice
            )
        batch.finalize()
        batch.get_status()
        print(f"batch      {name}: {batch.status}, {batch.tasks_pending} tasks pending")


def staff(client: ScaleClient) -> str:
    """Invites a labeler, gives her the work in order; answers with her API key."""
    team = client.invite_teammates([LABELER], TeammateRole.Labeler)
    [invitation] = [mate.as_dict() for mate in team if mate.email == LABELER]
    key = join(invitation["inviteUrl"])  # without a mail server, the link comes with the answer
    client.add_studio_assignments([LABELER], [PROJECT])
    group = client.create_project_group(PROJECT, [LABELER], "Readers")
    for name in REVIEWS:
        client.assign_studio_batches(name, [group.name])
    mine = [batch.name for batch in client.set_studio_batches_priorities([URGENT]) if batch.project_name == PROJECT]
    print(f"labeler    {LABELER} in group {group.name}")
    print(f"priorities {', then '.join(mine)}")
    return key


def join(invite_url: str) -> str:
    """What the invited person does in a browser: accepts, and makes a key."""
    token = unquote(invite_url.rpartition("/")[2])
    with requests.Session() as browser:
        accepted = browser.post(
            f"{URL}/v1/invitations/accept",
            json={"token": token, "first_name": "Lena", "last_name": "Reader", "password": secrets.token_urlsafe(16)},
            timeout=30,
        )
        accepted.raise_for_status()
        csrf = browser.get(f"{URL}/v1/session", timeout=30).json()["csrf_token"]
        made = browser.post(
            f"{URL}/v1/keys", json={"mode": "live", "name": "quickstart"}, headers={"X-CSRF-Token": csrf}, timeout=30
        )
        made.raise_for_status()
        return made.json()["key"]


def work(key: str) -> None:
    """What a labeler does: claim, look, submit, until nothing is left."""
    answers = {review: feeling for reviews in REVIEWS.values() for review, feeling in reviews.items()}
    with requests.Session() as lena:
        lena.headers["Authorization"] = f"Bearer {key}"
        while (claimed := lena.post(f"{URL}/v1/work/claim", json={"project": PROJECT}, timeout=30)).status_code == 200:
            claim = claimed.json()
            review = claim["task"]["params"]["attachment"]
            done = lena.post(
                f"{URL}/v1/work/{claim['claim_id']}/submit",
                json={"response": {"category": answers[review]}},
                timeout=30,
            )
            done.raise_for_status()
            print(f"submitted  {review!r} is {answers[review]} (task {done.json()['status']})")
        claimed.raise_for_status()


def main() -> None:
    client = ScaleClient(os.environ["STUDIO_API_KEY"], api_instance_url=f"{URL}/v1")
    prepare(client)
    work(staff(client))
    for task in client.get_tasks(project_name=PROJECT, status=TaskStatus.Completed):
        print(f"result     {task.params['attachment']!r}: {task.response['category']}")
    for name in REVIEWS:
        print(f"batch      {name}: {client.batch_status(name)['status']}")


if __name__ == "__main__":
    main()
