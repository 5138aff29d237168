"""A private slapd: own folder, own ports, own configuration. The oracle of the differential test, and the stand-in that the scripts
are tried on. Nothing outside the folder is read but Debian's modules and schema files, and nothing is written."""

import os
import socket
import subprocess
import time
from urllib.parse import quote

from . import certs, ldif

ADMIN = "cn=admin,dc=example,dc=com"
PASSWORD = "stand-in-secret"
SERVICE = "uid=svc-directory-reader,ou=applications,dc=example,dc=com"
SLAPD = "/usr/sbin/slapd"

CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload ppolicy
pidfile {folder}/slapd.pid
attributeoptions lang- x-
loglevel 0
sizelimit unlimited
timelimit unlimited
TLSCACertificateFile {ca}
TLSCertificateFile {leaf}
TLSCertificateKeyFile {key}
authz-regexp gidNumber={gid}\\\\+uidNumber={uid},cn=peercred,cn=external,cn=auth {admin}
database mdb
suffix dc=example,dc=com
rootdn {admin}
rootpw {password}
directory {folder}/db
maxsize 268435456
dbnosync
access to attrs=userPassword by self write by anonymous auth by * none
access to * by self write by users read by anonymous none
overlay memberof
memberof-refint TRUE
overlay memberof
memberof-group-oc groupOfUniqueNames
memberof-member-ad uniqueMember
memberof-refint TRUE
{overlays}
"""

PPOLICY = "overlay ppolicy\nppolicy_default cn=policy,ou=system,dc=example,dc=com\n"
POLICY = ("cn=policy,ou=system,dc=example,dc=com",
          [("objectClass", b"device"), ("objectClass", b"pwdPolicy"), ("cn", b"policy"), ("pwdAttribute", b"userPassword"),
           ("pwdLockout", b"TRUE"), ("pwdMaxFailure", b"5"), ("pwdMustChange", b"TRUE"), ("pwdSafeModify", b"FALSE")])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Slapd:
    """Started on an empty database; `entries` are loaded by slapadd first."""

    def __init__(self, folder, entries, ppolicy=False):
        self.folder = os.path.abspath(folder)
        os.makedirs(os.path.join(self.folder, "db"), exist_ok=True)
        ca, leaf, key = certs.make(os.path.join(self.folder, "tls"))
        self.config = os.path.join(self.folder, "slapd.conf")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(folder=self.folder, ca=ca, leaf=leaf, key=key, admin=ADMIN, password=PASSWORD,
                                     uid=os.getuid(), gid=os.getgid(), overlays=PPOLICY if ppolicy else ""))
        data = os.path.join(self.folder, "data.ldif")
        with open(data, "w", encoding="utf-8") as file:
            file.write(ldif.write(entries + ([POLICY] if ppolicy else [])))
        loaded = subprocess.run([SLAPD, "-T", "add", "-f", self.config, "-l", data], capture_output=True, text=True)
        if loaded.returncode:
            raise RuntimeError(f"slapadd: {loaded.stderr[-800:]}")
        self.port, tls_port = free_port(), free_port()
        # A Unix socket's path holds about a hundred octets, and target/ may be deep.
        sock = f"/tmp/rollbook-slapd-{os.getpid()}-{self.port}.sock"
        self.socket = sock
        # Not "localhost": for that name libldap compares the certificate with the name of the machine.
        self.description = {
            "stand_in": "slapd", "ldap": f"ldap://127.0.0.1:{self.port}", "ldaps": f"ldaps://127.0.0.1:{tls_port}",
            "ldapi": f"ldapi://{quote(sock, safe='')}", "base_dn": "dc=example,dc=com", "ca_file": ca,
            "admin": {"dn": ADMIN, "username": "admin", "password": PASSWORD},
            "service": {"dn": SERVICE, "password": "Rollbook-demo-svc-directory-reader"},
        }
        urls = f"ldap://127.0.0.1:{self.port}/ ldaps://127.0.0.1:{tls_port}/ {self.description['ldapi']}/"
        with open(os.path.join(self.folder, "slapd.log"), "ab") as log:
            self.process = subprocess.Popen([SLAPD, "-d", "0", "-f", self.config, "-h", urls], stdout=log, stderr=log)
        self.description["pid"] = self.process.pid
        self._wait()

    def _wait(self):
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.stop()
                    raise RuntimeError(f"slapd did not start: see {self.folder}/slapd.log") from None
                time.sleep(0.02)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        return self.process.returncode
