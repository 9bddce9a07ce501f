"""A job process that misbehaves as a message asks it to."""

import os

from refonte_studio.kit.job_processes import answer_messages


def answer(message: bytes) -> bytes:
    what, _, rest = message.partition(b" ")
    match what:
        case b"loop":
            while True:
                pass
        case b"die":
            os._exit(3)
        case b"fail":
            raise ValueError("broken")
        case b"print":
            print("something that is no answer")
        case b"pid":
            return b"%d" % os.getpid()
        case _:
            pass
    return rest


if __name__ == "__main__":
    answer_messages(answer)
