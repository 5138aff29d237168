#!/usr/bin/env python3
"""Runs the interop scripts, each against a server of its own on an empty data directory, and adds up what they print.

run.py [--server rollbook|slapd|scim2-server] [--binary FILE] [--tools DIR] [--demo FILE] [NAME …]

--server slapd   the LDAP scripts against a private slapd, as a test of the scripts: what fails there is not plain LDAP
--server scim2-server   the SCIM scripts against that server of PyPI, for the same reason
--full           as many generated requests as docs/conformance/scim.md reports on
--demo FILE      against a server that runs already, described by this file as `rollbook demo --json` prints it
--tools DIR      where tests/run put venv/, npm/ and nss/ (target/tests)

A script prints `ok NAME` and `not ok NAME: why` and `# end` as its last line; one that ends without that line counts as a failure, and so
does a server that does not stop with exit code 0 on SIGTERM, or whose data `rollbook check` finds fault with. Last line:
`interop: N passed, N failed`.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

from kit import certs, ldif
from kit.scim_server import ScimServer
from kit.slapd import Slapd

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(HERE, "..", "..", "target"))
START_SECONDS, STOP_SECONDS, CHECK_SECONDS = 120, 60, 120

# name, file, what runs it, deadline in seconds
SCRIPTS = [
    ("ldap-utils", "ldap_utils.py", "python", 300),
    ("python-ldap", "python_ldap.py", "venv", 300),
    ("ldap3", "python_ldap3.py", "venv", 300),
    ("ldapts", "ldapts.mjs", "node", 300),
    ("nslcd", "nslcd.py", "python", 300),
    ("oracle", "oracle_slapd.py", "python", 1500),
    ("scim2-tester", "python_scim2_tester.py", "venv", 600),
    ("scim2-client", "python_scim2_client.py", "venv", 600),
    ("scim-tables", "python_scim_tables.py", "venv", 900),
    ("scim-filters", "python_scim_filters.py", "venv", 900),
    ("scim-patches", "python_scim_patches.py", "venv", 600),
    ("schemathesis", "python_schemathesis.py", "venv", 1800),
    ("openid-client", "oidc_clients.mjs", "node", 300),
    ("authlib", "python_authlib.py", "venv", 300),
    ("apache", "apache_oidc.py", "venv", 300),
    ("upstream", "upstream_sign_in.py", "venv", 600),
]
SCIM = {"scim2-tester", "scim2-client", "scim-tables", "scim-filters", "scim-patches", "schemathesis"}
OIDC = {"openid-client", "authlib", "apache", "upstream"}
WITH_SERVERS = {"apache", "upstream"}
FULL_FACTOR = 12


class Rollbook:
    """`rollbook demo` on free ports; its output goes to a log beside the others."""

    def __init__(self, binary, data, log, settings=()):
        self.binary, self.data, self.log = binary, data, log
        given = [word for setting in settings for word in ("--set", setting)]
        with open(log, "wb") as stderr:
            self.process = subprocess.Popen([binary, *given, "demo", "--data", data, "--ports", "ephemeral", "--json"], stdout=subprocess.PIPE,
                                            stderr=stderr, stdin=subprocess.DEVNULL)
        first, self._first = [], threading.Event()
        # The thread reads on after the first line, so that a full pipe never stops the server.
        threading.Thread(target=self._read, args=(first,), daemon=True).start()
        if not self._first.wait(START_SECONDS) or not first:
            ended = self.process.poll()
            self.process.kill()
            self.process.wait()
            why = f"within {START_SECONDS} s" if ended is None else f"before it ended with {ended}"
            raise RuntimeError(f"no line on standard output {why}: see {log}")
        self.description = json.loads(first[0])

    def _read(self, first):
        with open(self.log + ".out", "wb") as out:
            for line in self.process.stdout:
                if not first:
                    first.append(line)
                    self._first.set()
                out.write(line)
        self._first.set()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "a kill, after the deadline"


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def line(self, script, text):
        """Counts and prints one line of a script; comments go through."""
        if text.startswith("ok "):
            self.passed += 1
            print(f"ok {script}: {text[3:]}", flush=True)
        elif text.startswith("not ok "):
            self.failed += 1
            print(f"not ok {script}: {text[7:]}", flush=True)
        elif text != "# end":
            print(f"# {script}: {text.lstrip('# ')}", flush=True)

    def case(self, script, name, good, why):
        self.line(script, f"ok {name}" if good else f"not ok {name}: {why}")


def command(kind, tools):
    if kind == "venv":
        return [os.path.join(tools, "venv", "bin", "python")]
    return ["node"] if kind == "node" else [sys.executable]


def run_script(tally, name, file, kind, seconds, demo, tools, log):
    """One script to its end or its deadline; its whole output is kept in `log`."""
    environment = {**os.environ, "ROLLBOOK_DEMO": demo, "NODE_MODULES": os.path.join(tools, "npm", "node_modules"),
                   "INTEROP_TOOLS": tools, "NSS_ROOT": os.path.join(tools, "nss"), "PYTHONDONTWRITEBYTECODE": "1"}
    ended = False
    with open(log, "w", encoding="utf-8") as out:
        try:
            process = subprocess.Popen(command(kind, tools) + [os.path.join(HERE, file), demo], stdout=subprocess.PIPE, text=True,
                                       stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment, start_new_session=True,
                                       errors="replace")
        except OSError as error:
            tally.line(name, f"not ok runs to its end: {error}")
            return
        # The deadline ends the script and what it started: they are a process group of their own.
        deadline = threading.Timer(seconds, lambda: os.killpg(process.pid, signal.SIGKILL))
        deadline.start()
        for row in process.stdout:
            out.write(row)
            ended = row == "# end\n"
            tally.line(name, row.rstrip("\n"))
        code = process.wait()
        deadline.cancel()
    tally.case(name, "runs to its end", ended and code in (0, 1), f"exit code {code}, see {log}")


def with_rollbook(tally, script, options, logs):
    name, file, kind, seconds = script
    data = tempfile.mkdtemp(prefix="rollbook-interop-")
    try:
        settings = []
        if name in WITH_SERVERS:
            # What the script puts beside the server has certificates by this CA, and the server trusts it.
            os.environ["INTEROP_TLS"] = os.path.join(data, "tls")
            settings = [f"oidc.ca_file={certs.make(os.environ['INTEROP_TLS'])[0]}"]
        server = Rollbook(options.binary, os.path.join(data, "data"), os.path.join(logs, f"{name}.server.log"), settings)
        demo = os.path.join(data, "demo.json")
        with open(demo, "w", encoding="utf-8") as out:
            json.dump(server.description, out)
        run_script(tally, name, file, kind, seconds, demo, options.tools, os.path.join(logs, f"{name}.log"))
        tally.case(name, "the server is still there", server.process.poll() is None, f"exit code {server.process.returncode}")
        code = server.stop()
        tally.case(name, "the server stops with 0 on SIGTERM", code == 0, f"it ended with {code}")
        check = subprocess.run([options.binary, "check", "--data", server.data], capture_output=True, text=True, timeout=CHECK_SECONDS,
                               check=False)
        tally.case(name, "rollbook check finds nothing", check.returncode == 0, (check.stdout + check.stderr)[-800:].replace("\n", " | "))
    except (OSError, RuntimeError, ValueError, subprocess.TimeoutExpired) as error:
        tally.line(name, f"not ok has a server: {error}")
    finally:
        shutil.rmtree(data, ignore_errors=True)


def with_slapd(tally, script, options, logs):
    name, file, kind, seconds = script
    folder = tempfile.mkdtemp(prefix="rollbook-interop-slapd-")
    try:
        server = Slapd(folder, ldif.plain(ldif.organisation()), ppolicy=True)
        demo = os.path.join(folder, "demo.json")
        with open(demo, "w", encoding="utf-8") as out:
            json.dump(server.description, out)
        run_script(tally, name, file, kind, seconds, demo, options.tools, os.path.join(logs, f"{name}.log"))
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def with_scim_server(tally, script, options, logs):
    name, file, kind, seconds = script
    folder = tempfile.mkdtemp(prefix="rollbook-interop-scim-")
    try:
        server = ScimServer(folder, options.tools)
        demo = os.path.join(folder, "demo.json")
        with open(demo, "w", encoding="utf-8") as out:
            json.dump(server.description, out)
        run_script(tally, name, file, kind, seconds, demo, options.tools, os.path.join(logs, f"{name}.log"))
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=["rollbook", "slapd", "scim2-server"], default="rollbook")
    parser.add_argument("--binary", default=os.path.join(TARGET, "debug", "rollbook"))
    parser.add_argument("--tools", default=os.path.join(TARGET, "tests"))
    parser.add_argument("--demo")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME", help=" ".join(s[0] for s in SCRIPTS))
    options = parser.parse_args()
    options.tools = os.path.abspath(options.tools)
    os.environ["ROLLBOOK_BINARY"] = os.path.abspath(options.binary)
    if options.full:
        os.environ["INTEROP_FULL"] = "1"
    unknown = set(options.names) - {s[0] for s in SCRIPTS}
    if unknown:
        parser.error(f"no script {', '.join(sorted(unknown))}")
    logs = os.path.join(options.tools, "interop")
    os.makedirs(logs, exist_ok=True)
    tally = Tally()
    for script in SCRIPTS:
        if options.names and script[0] not in options.names:
            continue
        if options.server != "rollbook" and script[0] in OIDC:
            continue
        if options.server != "rollbook" and (options.server == "scim2-server") != (script[0] in SCIM):
            continue
        if options.full:
            script = (*script[:3], script[3] * FULL_FACTOR)
        print(f"# --- {script[0]}", flush=True)
        if options.demo:
            name, file, kind, seconds = script
            run_script(tally, name, file, kind, seconds, os.path.abspath(options.demo), options.tools, os.path.join(logs, f"{name}.log"))
        elif options.server == "scim2-server":
            with_scim_server(tally, script, options, logs)
        elif options.server == "slapd":
            with_slapd(tally, script, options, logs)
        else:
            with_rollbook(tally, script, options, logs)
    print(f"interop: {tally.passed} passed, {tally.failed} failed")
    sys.exit(1 if tally.failed or not tally.passed else 0)


if __name__ == "__main__":
    main()
