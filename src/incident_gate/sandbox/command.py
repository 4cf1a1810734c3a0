"""The command line of the sandbox."""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from .faults import Fault, FaultKind, Faults
from .generation import Generation
from .request import ANY_TOKEN, Grant
from .seed import Seed, sample_seed, sample_urns, seed_from
from .server import DEFAULT_TOKEN, Sandbox

_MISTAKE = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sandbox's options to `parser`."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    # The port of DataHub's UI, which passes GraphQL on: links to assets lead to the same address.
    parser.add_argument(
        "--port", type=_port, default=9002, help="port to listen on, 0 for a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--schema",
        type=Generation,
        choices=list(Generation),
        default=Generation.G4,
        help="g1 is Cloud in 2022; open source: g2-early 0.13.0, g2 0.15, g3-early 1.2, g3 1.3, g4 after August 2026; "
        "cloud is DataHub Cloud of today (default: %(default)s)",
    )
    parser.add_argument("--data", type=Path, metavar="FILE.db", help="keep the data in this SQLite file")
    parser.add_argument(
        "--load",
        type=Path,
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
        faults = _faults(args)
        seed = Seed(sample_seed, ()) if args.load is None else seed_from(args.load)
        tokens = args.token or (() if seed.grants else (DEFAULT_TOKEN, ANY_TOKEN))
        grants = [*(Grant(token=token) for token in tokens), *seed.grants]
        grants += [Grant(token=token, edits=()) for token in args.read_only_token]
        sandbox = Sandbox.start(
            schema=args.schema,
            tokens=grants,
            faults=faults,
            data=args.data,
            host=args.host,
            port=args.port,
            seed=seed.fill,
        )
        stopped = _on_interrupt()
        with sandbox as server:
            sys.stdout.write(_greeting(server, any_token=any(grant.token == ANY_TOKEN for grant in grants)))
            sys.stdout.flush()
            stopped.wait()
    except (ValueError, LookupError, OSError) as error:
        sys.stderr.write(f"incident-gate sandbox: {error}\n")
        return _MISTAKE
    return 0


def _greeting(server: Sandbox, *, any_token: bool) -> str:
    others = ", or any other (--token accepts one alone)" if any_token else ""
    return f"""A mock DataHub server ({server.generation}, {server.generation.version}) listens on {server.url}
  GraphQL   {server.url}/api/graphql
  browser   {server.url}/api/graphiql
  token     {server.token}{others}
Ctrl-C stops it.
"""


def _add_fault_arguments(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="add to each request")
    group.add_argument(
        "--lag", metavar="SECONDS[-SECONDS]", default="0", help="hide writes from searches for this long"
    )
    group.add_argument("--error-rate", type=float, default=0.0, metavar="SHARE", help="answer this share with 503")
    group.add_argument("--seed", type=int, default=0, help="seed of all that is random (default: %(default)s)")
    group.add_argument("--page-limit", type=int, metavar="COUNT", help="cut larger pages of incidents to this size")
    group.add_argument("--no-introspection", action="store_true", help="hide the schema")
    group.add_argument("--no-entities", action="store_true", help="leave Query.entities out of the schema")
    group.add_argument("--no-exists", action="store_true", help="leave the field exists out of the schema")
    group.add_argument("--no-entity-exists", action="store_true", help="leave Query.entityExists out of the schema")
    group.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="KIND[,NAME=VALUE...]",
        help=f"one rule, like drop-after,operation=raiseIncident,times=1; repeatable. Kinds: {', '.join(FaultKind)}",
    )
    group.add_argument(
        "--faults",
        type=Path,
        metavar="FILE.json",
        help="read all of these from a file, as POST /sandbox/faults takes them",
    )


def _faults(args: argparse.Namespace) -> Faults:
    if args.faults is not None:
        return Faults.from_json(json.loads(args.faults.read_text(encoding="utf-8")))
    least, _, most = args.lag.partition("-")
    return Faults(
        rules=tuple(map(_rule, args.fault)),
        seed=args.seed,
        latency=args.latency,
        error_rate=args.error_rate,
        lag=(float(least), float(most)) if most else float(least),
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
        rule[name] = _NUMBERS.get(name, str)(value)
    return Faults.from_json({"rules": [rule]}).rules[0]


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) >= 1 << 16:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: use a number from 0 to 65535")
    return int(text)


def _on_interrupt() -> threading.Event:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stopped.set())
    return stopped
