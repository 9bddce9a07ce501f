"""A tiny real mail server, for the tests of mail."""

import asyncio
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

CERTIFICATE = Path(__file__).parent / "localhost.pem"  # of this machine alone, its key included; guards nothing


def tls_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


@dataclass
class MailServer:
    """Keeps what it is sent. `refusals` are answers to the next recipients, in turn; `tls` as in the settings."""

    tls: str = "none"
    refusals: list[str] = field(default_factory=list)
    inbox: list[EmailMessage] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    async def __aenter__(self) -> "MailServer":
        context = tls_context() if self.tls == "tls" else None
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        self._talks: set[asyncio.Task[None]] = set()
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._server.close()
        await self._server.wait_closed()
        await asyncio.gather(*self._talks)

    @property
    def settings(self) -> dict[str, object]:
        """The settings of a studio that sends through this server."""
        return {"smtp_host": "localhost", "smtp_port": self.port, "smtp_tls": self.tls}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        self.connections += 1
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        while line := await reader.readline():
            command = line.decode().strip()
            self.commands.append(command)
            verb = command.upper().partition(" ")[0]
            if verb == "DATA":
                writer.write(b"354 go on\r\n")
                raw = (await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n")
                self.inbox.append(BytesParser(policy=default).parsebytes(raw))
            writer.write(self._answer(verb).encode())
            if verb == "STARTTLS":
                await writer.start_tls(tls_context())
            if verb == "QUIT":
                return

    def _answer(self, verb: str) -> str:
        if verb == "EHLO":
            starttls = "250-STARTTLS\r\n" if self.tls == "starttls" else ""
            return f"250-localhost\r\n{starttls}250 AUTH PLAIN\r\n"
        if verb == "RCPT" and self.refusals:
            return f"{self.refusals.pop(0)}\r\n"
        return {"QUIT": "221 bye", "AUTH": "235 welcome", "STARTTLS": "220 go on"}.get(verb, "250 fine") + "\r\n"
