"""When a task is asked of one more: the one rule of the server and of the replays."""

USUAL_TARGET = 0.9  # the confidence from which an answer is clear


def usual_least(most: int) -> int:
    """How many attempts are made in any case where so many are made at most: a third of them, and not fewer than two.

    The first few agree by chance, or by a mistake that is common, and nothing tells while their makers are little
    known. What was agreed on too early is never asked again, hence the more first, the more there may be.
    """
    return min(max(2, -(-most // 3)), most)


def wants_more(confidence: float, attempts: int, least: int, most: int, target: float) -> bool:
    """Whether one more attempt is asked for: always below `least`, never from `most` on, else while it is not clear."""
    return attempts < least or (attempts < most and confidence < target)
