"""The command line of the sandbox."""

import argparse
import json
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from .faults import Fault, FaultKind, Faults
from .generation import Generation
from .request import ANY_TOKEN, Grant
from .seed import Seed, sample_seed, sample_urns, seed_from
from .server import DEFAULT_TOKEN, Sandbox

_MISTAKE = 2

T = TypeVar("T")


def _typed(read: Callable[[str], T], expected: str = "") -> Callable[[str], T]:
    """A type for argparse: what its errors say follows the option's name."""

    def typed(text: str) -> T:
        try:
            return read(text)
        except OSError as error:
            raise argparse.ArgumentTypeError(f"is {text!r}: {error.strerror}") from None
        except (ValueError, LookupError) as error:
            raise argparse.ArgumentTypeError(f"is {text!r}: {expected or error}") from None

    return typed


def _port(text: str) -> int:
    if not 0 <= (port := int(text)) < 1 << 16:
        raise ValueError
    return port


def _lag(text: str) -> float | tuple[float, float]:
    least, _, most = text.partition("-")
    return (float(least), float(most)) if most else float(least)


_PORT = _typed(_port, "use a number from 0 to 65535")
_SCHEMA = _typed(Generation, f"use one of {', '.join(Generation)}")
_SECONDS = _typed(float, "use seconds, like 0.5")
_LAG = _typed(_lag, "use seconds, like 2 or 0.5-3")
_SHARE = _typed(float, "use a share, like 0.2")
_WHOLE = _typed(int, "use a whole number")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sandbox's options to `parser`."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    # The port of DataHub's UI, which passes GraphQL on: links to assets lead to the same address.
    parser.add_argument(
        "--port", type=_PORT, default=9002, help="port to listen on, 0 for a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--schema",
        type=_SCHEMA,
        metavar=f"{{{','.join(Generation)}}}",
        default=Generation.G4,
        help="g1 is Cloud in 2022; open source: g2-early 0.13.0, g2 0.15, g3-early 1.2, g3 1.3, g4 after August 2026; "
        "cloud is DataHub Cloud of today (default: %(default)s)",
    )
    parser.add_argument("--data", type=Path, metavar="FILE.db", help="keep the data in this SQLite file")
    parser.add_argument(
        "--load",
        type=_typed(lambda name: seed_from(Path(name))),
        default=Seed(sample_seed, ()),
        metavar="FILE.json",
        help="start with the assets, incidents, ... of this file, not with samples",
    )
    parser.add_argument("--token", action="append", help="accept only this token; repeatable (default: any token)")
    parser.add_argument("--read-only-token", action="append", default=[], help="accept this token, for reading only")
    _add_fault_arguments(parser.add_argument_group("misbehaviour"))
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n  ".join(["without --load, it holds these samples:", *sample_urns()])


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    try:
        tokens = args.token or (() if args.load.grants else (DEFAULT_TOKEN, ANY_TOKEN))
        grants = [*(Grant(token=token) for token in tokens), *args.load.grants]
        grants += [Grant(token=token, edits=()) for token in args.read_only_token]
        sandbox = Sandbox.start(
            schema=args.schema,
            tokens=grants,
            faults=args.faults or _faults(args),
            data=args.data,
            host=args.host,
            port=args.port,
            seed=args.load.fill,
        )
        stopped = _on_interrupt()
        with sandbox as server:
            sys.stdout.write(_greeting(server, any_token=any(grant.token == ANY_TOKEN for grant in grants)))
            sys.stdout.flush()
            stopped.wait()
    except (ValueError, OSError, sqlite3.Error) as error:
        sys.stderr.write(f"error: {error}.\n")
        return _MISTAKE
    return 0


def _greeting(server: Sandbox, *, any_token: bool) -> str:
    others = "; any token is accepted, --token restricts it" if any_token else ""
    version = f"{server.generation.version}, --schema {server.generation}"
    return f"""A mock DataHub server ({version}) listens on {server.url}
  GraphQL   {server.url}/api/graphql
  browser   {server.url}/api/graphiql
  token     {server.token}{others}
Ctrl-C stops it.
"""


def _add_fault_arguments(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--latency", type=_SECONDS, default=0.0, metavar="SECONDS", help="add to each request")
    group.add_argument(
        "--lag", type=_LAG, default=0.0, metavar="SECONDS[-SECONDS]", help="hide writes from searches for this long"
    )
    group.add_argument("--error-rate", type=_SHARE, default=0.0, metavar="SHARE", help="answer this share with 503")
    group.add_argument("--seed", type=_WHOLE, default=0, help="seed of all that is random (default: %(default)s)")
    group.add_argument("--page-limit", type=_WHOLE, metavar="COUNT", help="cut larger pages of incidents to this size")
    group.add_argument("--no-introspection", action="store_true", help="hide the schema")
    group.add_argument("--no-entities", action="store_true", help="leave Query.entities out of the schema")
    group.add_argument("--no-exists", action="store_true", help="leave the field exists out of the schema")
    group.add_argument("--no-entity-exists", action="store_true", help="leave Query.entityExists out of the schema")
    group.add_argument(
        "--fault",
        type=_typed(_rule),
        action="append",
        default=[],
        metavar="KIND[,NAME=VALUE...]",
        help=f"one rule, like drop-after,operation=raiseIncident,times=1; repeatable. Kinds: {', '.join(FaultKind)}",
    )
    group.add_argument(
        "--faults",
        type=_typed(_faults_from),
        metavar="FILE.json",
        help="read all of these from a file, as POST /sandbox/faults takes them",
    )


def _faults(args: argparse.Namespace) -> Faults:
    return Faults(
        rules=tuple(args.fault),
        seed=args.seed,
        latency=args.latency,
        error_rate=args.error_rate,
        lag=args.lag,
        page_limit=args.page_limit,
        introspection=not args.no_introspection,
        no_entities=args.no_entities,
        no_exists=args.no_exists,
        no_entity_exists=args.no_entity_exists,
    )


_NUMBERS: dict[str, Callable[[str], int | float]] = {
    "after": int,
    "times": int,
    "status": int,
    "code": int,
    "rate": float,
    "seconds": float,
}


def _rule(text: str) -> Fault:
    kind, *settings = text.split(",")
    rule: dict[str, object] = {"kind": kind}
    for setting in settings:
        name, _, value = setting.partition("=")
        try:
            rule[name] = _NUMBERS.get(name, str)(value)
        except ValueError:
            raise ValueError(f"{name} is a number") from None
    return Faults.from_json({"rules": [rule]}).rules[0]


def _faults_from(name: str) -> Faults:
    return Faults.from_json(json.loads(Path(name).read_text(encoding="utf-8")))


def _on_interrupt() -> threading.Event:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stopped.set())
    return stopped
