"""The responses of a soak: each follows from its claim, so that what was sent need not be remembered."""

from typing import Any

CATEGORIES = [f"kind {n}" for n in range(16)]


def response_to(claim_id: str, task_type: str) -> dict[str, Any]:
    """The only response that is ever sent for a claim."""
    if task_type == "transcription":
        return {"fields": {"said": f"heard under {claim_id}"}}
    return {"category": CATEGORIES[int(claim_id[-4:], 16) % len(CATEGORIES)]}


def another_response(claim_id: str, task_type: str) -> dict[str, Any]:
    """Another response that fits the task, which the server must never accept."""
    if task_type == "transcription":
        return {"fields": {"said": f"misheard under {claim_id}"}}
    return {"category": CATEGORIES[(int(claim_id[-4:], 16) + 1) % len(CATEGORIES)]}
