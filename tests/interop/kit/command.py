"""`rollbook` commands that ask the server under test over its Unix socket."""

import json
import os
import subprocess
from urllib.parse import unquote, urlsplit


def run(demo, *arguments):
    """Runs a command; what it printed, parsed when it is JSON. `demo` is the server's description."""
    socket = unquote(urlsplit(demo["ldapi"]).netloc)
    command = [os.environ["ROLLBOOK_BINARY"], *arguments, "--socket", socket]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments[:3])}: exit code {done.returncode}: {done.stderr.strip()[:500]}")
    try:
        return json.loads(done.stdout)
    except ValueError:
        return done.stdout
