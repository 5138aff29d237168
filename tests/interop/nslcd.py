#!/usr/bin/env python3
"""nslcd and libnss-ldapd: a Linux machine that resolves its users and groups from the server, by getent and id.

nslcd knows its files by fixed paths (/etc/nslcd.conf, /var/run/nslcd), so it runs in a mount namespace of its own with a private /etc and
/run; this machine's are not touched. NSS_ROOT names the folder into which the Debian packages were unpacked (not installed).
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from kit import ldif, tap
from kit.tap import case, equal, true

SERVER = tap.demo()
ROOT = os.environ.get("NSS_ROOT", "")
NSLCD = os.path.join(ROOT, "usr/sbin/nslcd")
LIBRARIES = ":".join(os.path.join(ROOT, lib, os.uname().machine + "-linux-gnu") for lib in ["lib", "usr/lib"])
SOCKET = "/run/nslcd/socket"

CONFIG = """uri {uri}/
base {base}
binddn {dn}
bindpw {password}
ssl start_tls
tls_reqcert demand
tls_cacertfile {ca}
bind_timelimit 10
timelimit 10
idle_timelimit 60
threads 2
"""


def outside():
    """Makes the private folders and starts this script again inside the namespace."""
    work = tempfile.mkdtemp(prefix="rollbook-nslcd-")
    try:
        for folder in ["etc", "run/nslcd"]:
            os.makedirs(os.path.join(work, folder))
        for name in ["ld.so.cache", "ld.so.conf", "localtime"]:
            if os.path.exists(f"/etc/{name}"):
                shutil.copy(f"/etc/{name}", os.path.join(work, "etc", name))
        ca = os.path.join(work, "etc", "ca.pem")
        shutil.copy(SERVER["ca_file"], ca)
        files = {
            "passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
            "group": "root:x:0:\nnogroup:x:65534:\n",
            "hosts": "127.0.0.1 localhost\n::1 localhost\n",
            "nsswitch.conf": "passwd: files ldap\ngroup: files ldap\nshadow: files\nhosts: files\n",
            "nslcd.conf": CONFIG.format(uri=SERVER["ldap"], base=SERVER["base_dn"], ca="/etc/ca.pem", **SERVER["service"]),
        }
        for name, text in files.items():
            with os.fdopen(os.open(os.path.join(work, "etc", name), os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.write(text)
            if name != "nslcd.conf":
                os.chmod(os.path.join(work, "etc", name), 0o644)
        command = namespace() + [sys.executable, os.path.abspath(__file__), sys.argv[1], "--inside", work]
        return subprocess.run(command, timeout=180, check=False).returncode
    finally:
        shutil.rmtree(work, ignore_errors=True)


def namespace():
    """The way into a mount namespace that this machine allows: as root, in a chroot (whose / is no mount), or without root."""
    root = os.geteuid() == 0
    ways = [["unshare", "--mount"], ["unshare", "--mount", "--propagation", "unchanged"]] if root else \
        [["unshare", "--map-root-user", "--mount"]]
    reasons = []
    for way in ways:
        tried = subprocess.run(way + ["true"], capture_output=True, text=True, check=False)
        if tried.returncode == 0:
            return way
        reasons.append(tried.stderr.strip())
    raise RuntimeError(f"no mount namespace: {reasons}")


def mounted(work, body):
    """Runs `body` with the private /etc and /run in place; unmounts them, in case the namespace shares its mounts."""
    targets = []
    try:
        for folder in ["etc", "run"]:
            subprocess.run(["mount", "--bind", os.path.join(work, folder), f"/{folder}"], check=True)
            targets.append(f"/{folder}")
        return body()
    finally:
        for target in reversed(targets):
            subprocess.run(["umount", "-l", target], check=False)


def inside():
    with open("/run/nslcd.log", "wb") as log:
        daemon = subprocess.Popen([NSLCD, "-d"], stdout=log, stderr=log)
    try:
        with case("nslcd starts"):
            deadline = time.monotonic() + 15
            while True:
                try:
                    with socket.socket(socket.AF_UNIX) as probe:
                        probe.connect(SOCKET)
                    break
                except OSError:
                    true(time.monotonic() < deadline and daemon.poll() is None, "no socket")
                    time.sleep(0.05)
        resolve()
        if tap.failed:
            with open("/run/nslcd.log", errors="replace") as log:
                for row in [r for r in log.read().splitlines() if "error" in r.lower() or "fail" in r.lower()][-15:]:
                    print(f"#   {row}")
    finally:
        daemon.send_signal(signal.SIGTERM)
        try:
            daemon.wait(timeout=10)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
    print("# end", flush=True)
    return 1 if tap.failed else 0


def ask(*command):
    """(exit code, standard output) of a program that uses the machine's name service."""
    done = subprocess.run(command, env={**os.environ, "LD_LIBRARY_PATH": LIBRARIES}, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


def resolve():
    people = [{n: v.decode() for n, v in attributes} | {"dn": dn} for dn, attributes in ldif.organisation()
              if ("objectClass", b"posixAccount") in attributes and ("rollbookState", b"ACTIVE") in attributes]
    one = people[0]
    with case("getent passwd NAME"):
        code, line = ask("getent", "passwd", one["uid"])
        equal(code, 0, "exit code")
        fields = line.strip().split(":")
        equal([fields[0], fields[2], fields[3], fields[5], fields[6]],
              [one["uid"], one["uidNumber"], one["gidNumber"], one["homeDirectory"], one["loginShell"]])
    with case("getent passwd NUMBER"):
        equal(ask("getent", "passwd", one["uidNumber"])[1].split(":")[0], one["uid"])
    with case("getent passwd: everyone"):
        names = {row.split(":")[0] for row in ask("getent", "passwd")[1].splitlines()}
        missing = {p["uid"] for p in people} - names
        true(not missing, f"missing {sorted(missing)[:5]} of {len(people)}")
    with case("getent passwd: an unknown name, and a filter for a name"):
        equal([ask("getent", "passwd", name)[0] for name in ["nobody-here", "*", "a)(uid=*"]], [2, 2, 2])
    group = next((dn, attributes) for dn, attributes in ldif.organisation() if ("objectClass", b"posixGroup") in attributes)
    number = next(v.decode() for n, v in group[1] if n == "gidNumber")
    members = {v.decode() for n, v in group[1] if n == "memberUid"}
    with case("getent group NAME: all members"):
        code, line = ask("getent", "group", "platform")
        fields = line.strip().split(":")
        equal((code, fields[2]), (0, number))
        # DELETED people are in no list; they are in no group of the fixture either.
        equal(set(fields[3].split(",")), members, "members")
    with case("getent group NUMBER"):
        equal(ask("getent", "group", number)[1].split(":")[0], "platform")
    with case("id: the groups of a user"):
        member = next(p for p in people if p["uid"] in members)
        true("(platform)" in ask("id", member["uid"])[1], ask("id", member["uid"])[1])
    with case("the calls of the C library agree (getpwnam by Python)"):
        code = f"import pwd; print(pwd.getpwnam({one['uid']!r}).pw_uid)"
        equal(ask("/usr/bin/python3", "-c", code)[1].strip(), str(one["uidNumber"]))


if __name__ == "__main__":
    if not os.path.exists(NSLCD):
        sys.exit(f"no nslcd at {NSLCD!r}: NSS_ROOT names the folder into which nslcd and libnss-ldapd are unpacked")
    if "--inside" in sys.argv:
        sys.exit(mounted(sys.argv[sys.argv.index("--inside") + 1], inside))
    sys.exit(outside())
