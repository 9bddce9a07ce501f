"""A receiver of callbacks, and their delivery on a clock that the test moves."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest

from refonte_studio.callbacks.service.delivery import Delivery, NotDelivered, poster
from refonte_studio.config import Settings
from refonte_studio.db import Database
from refonte_studio.files.service import outbound
from tests.callbacks.receiver import Receiver, receiving
from tests.world import World

HERE = Settings(internal_hosts="127.0.0.1")  # where the receiver is


@dataclass
class PostOffice:
    """Delivers what is due; keeps the mails."""

    world: World
    client: httpx.AsyncClient
    mails: list[tuple[str, str, str]] = field(default_factory=list)
    has_mail_server: bool = True

    async def send_mail(self, address: str, subject: str, text: str) -> None:
        if not self.has_mail_server:
            raise NotDelivered("no mail server is configured")
        self.mails.append((address, subject, text))

    def delivery(self, db: Database | None = None) -> Delivery:
        return Delivery(db or self.world.db, self.world.clock, poster(self.client), self.send_mail)

    async def deliver(self) -> int:
        return await self.delivery().deliver_due()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest.fixture
async def post_office(world: World) -> AsyncIterator[PostOffice]:
    async with outbound.client(HERE) as client:
        yield PostOffice(world, client)
