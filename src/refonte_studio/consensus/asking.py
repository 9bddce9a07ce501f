"""Decides whether a task needs one more attempt. The server and the replays share this rule."""

USUAL_TARGET = 0.9  # the default confidence at which an answer is clear


def usual_least(most: int) -> int:
    """Returns the default minimum of attempts for a maximum of `most`: a third of it, and at least two.

    The first attempts can agree by chance or by a common mistake, and the models of new labelers cannot tell. A task
    that stops too early is never asked again, so the minimum grows with the maximum.
    """
    return min(max(2, -(-most // 3)), most)


def wants_more(confidence: float, attempts: int, least: int, most: int, target: float) -> bool:
    """Returns whether one more attempt is needed.

    Always below `least`, never at `most` or above; in between, while the confidence is below `target`.
    """
    return attempts < least or (attempts < most and confidence < target)
