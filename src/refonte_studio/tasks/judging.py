"""What is known of people's answers in a project, for judging their attempts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from refonte_studio.consensus.judges import Plain
from refonte_studio.consensus.model import Judge
from refonte_studio.db import Tx


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of some people's answers to the questions of a project."""

    project_id: str

    def judge(self, type_name: str, people: Sequence[str]) -> Judge:
        """The judge of a task's attempts, made by these people."""
        return Plain(len(people))


async def known(tx: Tx, team_id: str, project_id: str, people: Iterable[str]) -> Known:
    """What is known of these people's answers in a project."""
    return Known(project_id)
