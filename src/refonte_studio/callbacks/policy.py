"""When a callback is tried again, and how it is signed."""

import base64
from datetime import UTC, datetime

from standardwebhooks import Webhook

from refonte_studio.kit.clock import DAY_MS, SECOND_MS

# A receiver that is down for a day still hears of everything.
PAUSES_S = (5, 15, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 36_000)
TRIES = len(PAUSES_S) + 1
JITTER = 0.2
LEASE_MS = 60 * SECOND_MS  # how long a try may be under way before it counts as lost
KEPT_MS = 30 * DAY_MS  # how long a callback stays in the list after its making
ERROR_LENGTH = 300


def pause_ms(tries: int, chance: float) -> int | None:
    """How long to wait after that many failed tries, or None to give up. `chance`, from 0 to 1, spreads the tries."""
    if tries >= TRIES:
        return None
    spread = 1 + JITTER * (2 * chance - 1)
    return round(PAUSES_S[tries - 1] * SECOND_MS * spread)


def signing_secret(secret: str) -> str:
    """The team's secret in the form that Standard Webhooks libraries take."""
    return f"whsec_{base64.b64encode(secret.encode()).decode()}"


def signed_headers(secret: str, callback_id: str, body: bytes, now: int) -> dict[str, str]:
    """The headers by which a receiver can tell that the body is ours, and new."""
    sent_at = datetime.fromtimestamp(now // SECOND_MS, UTC)
    message_id = f"msg_{callback_id}"
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(now // SECOND_MS),
        "webhook-signature": Webhook(signing_secret(secret)).sign(message_id, sent_at, body.decode()),
    }
