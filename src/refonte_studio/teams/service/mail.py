"""E-mail: sent outside the request that caused it, after its commit, and retried for a while.

Waiting mails are kept in memory only. An invitation's token is stored nowhere but in the mail, so an outbox in the
database would be a list of working links. If a mail is lost with the process, invite again.
"""

import asyncio
import logging
import smtplib
import ssl
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import urlsplit

from refonte_studio.config import Settings
from refonte_studio.kit.backoff import RetrySchedule
from refonte_studio.kit.clock import SECOND_MS, iso
from refonte_studio.kit.names import mailbox
from refonte_studio.teams.model import Invitation

TIMEOUT_S = 20.0
CONNECTIONS = 2
WAITING_LIMIT = 20_000
SCHEDULE = RetrySchedule((10.0, 60.0, 600.0, 3_600.0))

log = logging.getLogger(__name__)

_INVITATION = """\
Hello,

{invited_by} invites you to join the team {team_name} as a {role}.

Open this link to choose a name and a password:

{link}

The link works once, until {expires} (UTC). If you did not expect this invitation, ignore this mail.
"""


@dataclass(frozen=True, slots=True)
class Mail:
    to: str
    subject: str
    text: str
    written_at: int


def invitation_link(base_url: str, token: str) -> str:
    """Returns the link with which an invited person accepts. Its last path segment is the token."""
    return f"{base_url}/invite/{token}"


def invitation_mail(invitation: Invitation, base_url: str, now: int) -> Mail:
    """Returns the mail to an invited person."""
    text = _INVITATION.format(
        invited_by=invitation.invited_by,
        team_name=invitation.team_name,
        role=invitation.role.value,
        link=invitation_link(base_url, invitation.token),
        expires=iso(invitation.expires_at)[:16].replace("T", " "),
    )
    return Mail(invitation.email, f"Join {invitation.team_name} on Refonte Studio", text, now)


class NotSent(Exception):
    """The mail server did not accept a mail; the message says why."""


class Mailer:
    """Sends mails through the configured SMTP server. Failures are logged with the address, and retried."""

    def __init__(self, settings: Settings, schedule: RetrySchedule = SCHEDULE) -> None:
        self._settings = settings
        self._schedule = schedule
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="mail")
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._closing = asyncio.Event()
        self._domain = urlsplit(settings.base_url).hostname or "localhost"

    @property
    def configured(self) -> bool:
        """Whether a mail server is configured. Without one, nothing is sent."""
        return bool(self._settings.smtp_host)

    async def send(self, mails: Sequence[Mail]) -> None:
        """Queues mails and returns at once. Call it after the commit of what they report."""
        if not mails:
            return
        if self._waiting + len(mails) > WAITING_LIMIT:
            log.error("too many mails are waiting; not sent: %s", _addresses(mails))
            return
        self._waiting += len(mails)
        task = asyncio.create_task(self._keep_trying(mails))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def send_now(self, mail: Mail) -> None:
        """Sends one mail, and returns when the mail server has accepted it. Does not retry. Raises NotSent."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._send_now, mail)

    def _send_now(self, mail: Mail) -> None:
        try:
            with self._connect() as server:
                server.send_message(self._message(mail))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise NotSent(f"the mail server did not take it: {error}") from error

    async def idle(self) -> None:
        """Waits until nothing remains to be sent or retried."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self, within_s: float = 5.0) -> None:
        """Lets current sending finish for a short time, retries nothing, and logs what is abandoned."""
        self._closing.set()
        if self._tasks:
            _, unfinished = await asyncio.wait(self._tasks, timeout=within_s)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _keep_trying(self, mails: Sequence[Mail]) -> None:
        left = list(mails)
        try:
            for failures in range(1, self._schedule.tries + 1):
                left = await asyncio.get_running_loop().run_in_executor(self._threads, self._deliver, left)
                pause_s = self._schedule.pause_s(failures)
                if not left or pause_s is None or await self._closed_within(pause_s):
                    break
        finally:
            self._waiting -= len(mails)
            if left:
                log.error("given up, not sent: %s", _addresses(left))

    async def _closed_within(self, seconds: float) -> bool:
        """Waits for this time or until the mailer closes. Returns whether it has closed."""
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _deliver(self, mails: Sequence[Mail]) -> list[Mail]:
        """Sends mails over one connection. Returns those that are worth a retry."""
        left = deque(mails)
        later: list[Mail] = []
        try:
            with self._connect() as server:
                while left:
                    mail = left[0]
                    worth_a_try = self._send_one(server, mail)
                    left.popleft()
                    if worth_a_try:
                        later.append(mail)
        except (smtplib.SMTPException, OSError) as error:
            if left:
                log.warning("the mail server failed (%s), not sent yet: %s", error, _addresses(left))
        return [*later, *left]

    def _send_one(self, server: smtplib.SMTP, mail: Mail) -> bool:
        """Sends one mail. Logs a rejection, and returns whether it was temporary."""
        try:
            server.send_message(self._message(mail))
        except smtplib.SMTPRecipientsRefused as error:
            code, reason = next(iter(error.recipients.values()))
            log.warning("the mail server refused the mail to %s: %s %r", mail.to, code, reason)
            return 400 <= code < 500
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPResponseException as error:
            log.warning("the mail server refused the mail to %s: %s", mail.to, error)
            return 400 <= error.smtp_code < 500
        except (smtplib.SMTPNotSupportedError, ValueError) as error:
            log.warning("the mail to %s cannot be sent: %s", mail.to, error)
        return False

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        context = ssl.create_default_context()
        if settings.smtp_tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.smtp_host, settings.smtp_port, self._domain, timeout=TIMEOUT_S, context=context
            )
        else:
            server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, self._domain, timeout=TIMEOUT_S)
        try:
            if settings.smtp_tls == "starttls":
                server.starttls(context=context)
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password)
        except BaseException:
            server.close()
            raise
        return server

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._settings.smtp_from or self._default_sender()
        message["To"] = mailbox(mail.to)
        message["Subject"] = mail.subject
        message["Date"] = formatdate(mail.written_at / SECOND_MS)
        message["Message-ID"] = make_msgid(domain=self._domain)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        return message

    def _default_sender(self) -> str:
        user = self._settings.smtp_user
        return user if "@" in user else f"refonte-studio@{self._domain}"


def _addresses(mails: Sequence[Mail] | deque[Mail]) -> str:
    return ", ".join(mail.to for mail in mails)
