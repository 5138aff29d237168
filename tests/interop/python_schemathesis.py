#!/usr/bin/env python3
"""PyPI schemathesis against the OpenAPI document that the server itself serves.

Drawn requests, well-formed and broken, to every operation of the document: no answer of 5xx, none that the document does not describe (status, content
type, headers, body), none to a caller without a token, and nothing that is still there after its deletion. SCIM_REQUESTS: the fewest
requests that count (3000; 50000 with --full). Rounds with seeds 1, 2, … are run until so many were sent.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

from kit import scim, tap
from kit.tap import case, equal, true

SERVER = tap.demo()
FEWEST = int(os.environ.get("SCIM_REQUESTS", "50000" if os.environ.get("INTEROP_FULL") else "3000"))
CLI = os.path.join(os.path.dirname(sys.executable), "st")
CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
          "response_schema_conformance", "ignored_auth", "use_after_free", "unsupported_method"]
ROUND_SECONDS = 7200
LOG = os.path.join(os.environ.get("INTEROP_TOOLS", "."), "interop", "schemathesis.findings.log")
# The stand-in serves no document of its own.
MINI = {"openapi": "3.1.0", "info": {"title": "stand-in", "version": "1"}, "components": {"securitySchemes": {"b": {"type": "http", "scheme": "bearer"}}},
        "security": [{"b": []}], "paths": {"/Users/{id}": {"get": {"parameters": [{"in": "path", "name": "id", "required": True, "schema": {"type": "string"}}],
                                                               "responses": {"200": {"description": "the user"}, "404": {"description": "none"},
                                                                             "401": {"description": "no"}, "400": {"description": "bad"}}}}}}

scim.make_tenant(SERVER, "schemathesis")
token = scim.make_token(SERVER, "schemathesis")
plain = scim.Plain(SERVER, token)
folder = tempfile.mkdtemp(prefix="rollbook-schemathesis-")
document, report = os.path.join(folder, "openapi.json"), os.path.join(folder, "report.json")

with case("the document is served"):
    served = MINI if scim.is_stand_in(SERVER) else plain.send("GET", "/openapi.json").json()
    true(served["openapi"].startswith("3."), f"OpenAPI {served['openapi']}")
    operations = [f"{method.upper()} {path}" for path, item in served["paths"].items() for method in item
                  if method in ("get", "put", "post", "patch", "delete")]
    true(operations, "no operations")
    with open(document, "w", encoding="utf-8") as out:
        json.dump(served, out)


def run(seed, examples):
    """One round: its report, and what it printed."""
    command = [CLI, "--no-color", "run", document, "--url", scim.base_of(SERVER), "-H", f"Authorization: Bearer {token}", "--checks", ",".join(CHECKS),
               "--max-examples", str(examples), "--seed", str(seed), "--continue-on-failure", "--generation-database", "none", "--no-shrink",
               "--report", "json", "--report-json-path", report, "--rate-limit", "auto", "--request-timeout", "60", "--suppress-health-check", "all"]
    if SERVER.get("ca_file"):
        command += ["--tls-verify", SERVER["ca_file"]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=ROUND_SECONDS, check=False, cwd=folder)
    if not os.path.exists(report):
        raise AssertionError(f"no report: exit code {done.returncode}: {(done.stdout + done.stderr)[-800:]}")
    with open(report, encoding="utf-8") as file:
        return json.load(file), done.stdout


sent, seed, findings = 0, 0, []
# The coverage phase sends some hundred requests to each operation by itself, whatever --max-examples says.
examples = 200 if FEWEST > 10_000 else 10
with case(f"at least {FEWEST} requests and no finding"):
    while sent < FEWEST and not findings:
        seed += 1
        told, output = run(seed, examples)
        with open(LOG, "w" if seed == 1 else "a", encoding="utf-8") as log:
            log.write(output)
        sent += told["test_cases"]["generated"]
        findings += [f"{f['title']} ({f['severity']}, {f['count']} times): {', '.join(f['operations'][:4])}" for f in told["failures"]]
        findings += [f"error: {json.dumps(e)[:300]}" for e in told["errors"]]
        print(f"# seed {seed}: {told['test_cases']['generated']} requests to {told['operations']['tested']} operations "
              f"in {told['running_time']:.0f} s, {len(findings)} findings", flush=True)
        true(told["operations"]["tested"] == told["operations"]["total"], f"not every operation was tested: {told['operations']}")
        os.unlink(report)
    for finding in findings[:20]:
        print(f"# {finding}")
    true(not findings, f"{len(findings)} findings after {sent} requests, see {LOG}")
    print(f"# {sent} requests, no finding", flush=True)

with case("the server answers as before"):
    equal(plain.send("GET", "/ServiceProviderConfig").status_code, 200)

shutil.rmtree(folder, ignore_errors=True)
tap.finish()
