"""How much of the campaigns is played: a part for each test, so that workers share thousands of schedules."""

import os

PART = 25
_PARTS = int(os.environ.get("INCIDENT_GATE_SCHEDULES", str(PART))) // PART
# Fixed in the ordinary tests, so that they fail for the change under test only; `make campaign` draws another one.
_SEED = int(os.environ.get("INCIDENT_GATE_SEED", "1"))
SEEDS = range(_SEED, _SEED + _PARTS * PART, PART)
