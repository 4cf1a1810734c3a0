"""Gives the gate answers of any shape for a while, and stops at the first that it takes for health or trips over.

python -m tests.fuzz.fuzz_answers --seconds 300
"""

import argparse
import random
import sys
import time
from collections.abc import Callable

from tests.datahub.health.test_answer_shapes import test_no_answer_but_a_whole_one_is_health as check

LONGEST = 2_000  # bytes of randomness for one answer


def main() -> None:
    """Draw answers until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = parser.parse_args()
    # Hypothesis hangs it on the test, which has no type for it.
    feed: Callable[[bytes], bytes | None] = vars(check)["hypothesis"].fuzz_one_input
    say(f"seed {options.seed}")
    draw = random.Random(options.seed)  # noqa: S311 - repeatable on purpose
    made = used = 0
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        data = draw.randbytes(draw.randrange(1, LONGEST))
        try:
            used += feed(data) is not None
        except BaseException:
            say(f"after {used:,} answers, with the bytes {data.hex()}")
            raise
        made += 1
    say(f"{used:,} answers ({made:,} drawn) in {options.seconds:.0f} s: none was taken for health that was not")


def say(text: str) -> None:
    """Print a line now."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
