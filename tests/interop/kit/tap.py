"""One line per case: `ok NAME` or `not ok NAME: why`. The driver counts these lines.

A case that raises is a failure with the exception as its reason; the script goes on with the next one.
"""

import contextlib
import json
import os
import sys
import traceback

failed = 0


@contextlib.contextmanager
def case(name):
    """Runs the block as one case."""
    global failed
    try:
        yield
    except Exception as error:  # every reason is a finding
        failed += 1
        reason = f"{type(error).__name__}: {error}".replace("\n", " | ")
        print(f"not ok {name}: {reason[:1500]}", flush=True)
        for row in traceback.format_exc().splitlines()[-4:-1]:
            print(f"#   {row}", flush=True)
    else:
        print(f"ok {name}", flush=True)


def equal(got, wanted, what="value"):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, wanted {wanted!r}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def finish():
    """Ends the script. The driver takes an output without this last line for a crash."""
    print("# end", flush=True)
    sys.exit(1 if failed else 0)


def demo():
    """The server under test, as `rollbook demo --json` describes it: a file, named by the argument or ROLLBOOK_DEMO."""
    path = sys.argv[1] if len(sys.argv) > 1 else os.environ["ROLLBOOK_DEMO"]
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def is_slapd(server):
    """True for the stand-in of `run.py --server slapd`, which has no life cycle."""
    return server.get("stand_in") == "slapd"
