#!/usr/bin/env python3
"""PyPI scim2-cli's `scim2 test` (scim2-tester): one case per check, with the token of a tenant that is otherwise empty, with several seeds."""

import os
import re
import subprocess
import sys

from kit import scim, tap
from kit.tap import case, equal, true

SERVER = tap.demo()
# Each draws other values: of `active`, of names, passwords and references.
SEEDS = [int(seed) for seed in os.environ.get("SCIM_TESTER_SEEDS", "1 2 3 4 6").split()]
DEADLINE_SECONDS = 600
# RFC 7643 alone has 23 writable attributes of a user, 3 of a group and 6 of the enterprise extension, each added, removed and replaced.
FEWEST_CHECKS = 120

# The tester's own command line, with all that it draws (numbers, choices, UUIDs, the order of sets) drawn from the seed.
SEEDED = """
import random, sys, uuid
random.seed(int(sys.argv[1]))
uuid.uuid4 = lambda: uuid.UUID(int=random.getrandbits(128), version=4)
sys.argv = ["scim2", "test"]
from scim2_cli import cli
cli()
"""


def run_tester(seed):
    """What the tester prints of each check: status, title and reason; and the finished process."""
    # A tenant each: the tester looks for what it makes in the first page of a list, and leaves some of it behind.
    scim.make_tenant(SERVER, f"scim2-tester-{seed}")
    token = scim.make_token(SERVER, f"scim2-tester-{seed}", "strict")
    environment = {**os.environ, "PYTHONHASHSEED": str(seed), "SCIM_CLI_URL": scim.base_of(SERVER), "SCIM_CLI_HEADERS": f"Authorization: Bearer {token}"}
    if SERVER.get("ca_file"):
        environment["SSL_CERT_FILE"] = SERVER["ca_file"]
    done = subprocess.run([sys.executable, "-c", SEEDED, str(seed)], capture_output=True, text=True, env=environment, timeout=DEADLINE_SECONDS, check=False)
    checks = []
    for row in done.stdout.splitlines():
        row = re.sub(r"\x1b\[[0-9;]*m", "", row)
        found = re.fullmatch(r"(SUCCESS|COMPLIANT|ACCEPTABLE|DEVIATION|ERROR|CRITICAL|SKIPPED) (\w+)", row)
        if found:
            checks.append([found[1], found[2], ""])
        elif checks:
            checks[-1][2] += " " + row.strip()
    return checks, done


for seed in SEEDS:
    checks, done = run_tester(seed)
    for status, title, reason in checks:
        # The checks are the same with every seed: a case each with the first, and afterwards only what goes wrong.
        if seed == SEEDS[0] or status != "SUCCESS":
            with case(f"{title}:{reason[:110]}"):
                true(status == "SUCCESS", f"seed {seed}: {status}: {reason}")
    with case(f"the tester ran to its end, seed {seed}"):
        true(len(checks) >= FEWEST_CHECKS, f"only {len(checks)} checks: {(done.stdout + done.stderr)[-600:]}")
        equal(done.returncode, 0, "exit code")

tap.finish()
