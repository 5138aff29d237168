"""A private Apache httpd with mod_auth_openidc: own folder, own ports on the loopback, own configuration; no service of the system. Behind it
an application that answers every request with the headers that it was sent, as JSON."""

import http.server
import json
import os
import pwd
import shutil
import socket
import subprocess
import threading
import time

MODULES = "/usr/lib/apache2/modules"
PROGRAM = "/usr/sbin/apache2"
LOADED = ["mpm_event", "authn_core", "authz_core", "authz_user", "alias", "headers", "proxy", "proxy_http", "ssl", "auth_openidc"]

CONFIG = """
ServerRoot "{folder}"
ServerName 127.0.0.1
{user}
DefaultRuntimeDir "{folder}"
PidFile "{folder}/httpd.pid"
ErrorLog "{folder}/error.log"
LogLevel warn auth_openidc:{level}
{modules}
StartServers 1
MinSpareThreads 8
MaxSpareThreads 16
ThreadsPerChild 16
MaxRequestWorkers 16
Listen 127.0.0.1:{port}

SSLEngine on
SSLCertificateFile "{leaf}"
SSLCertificateKeyFile "{key}"

OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCRedirectURI {redirect_uri}
OIDCCryptoPassphrase {passphrase}
OIDCCABundlePath "{ca}"
OIDCPKCEMethod S256
OIDCScope "openid profile email offline_access"
OIDCCacheType shm
OIDCSessionType server-cache
OIDCRemoteUserClaim preferred_username
OIDCPassClaimsAs headers
OIDCPassIDTokenAs claims
OIDCPassUserInfoAs claims
OIDCPassRefreshToken On
OIDCInfoHook iat access_token access_token_expires id_token userinfo refresh_token session
OIDCOAuthIntrospectionEndpoint {issuer}/oauth2/introspect
OIDCOAuthClientID {client_id}
OIDCOAuthClientSecret {client_secret}
OIDCOAuthTokenIntrospectionInterval -1
OIDCOAuthRemoteUserClaim sub

ProxyPass /app/return !
ProxyPass / http://127.0.0.1:{behind}/
RequestHeader set X-Entered-As "expr=%{{REMOTE_USER}}"

<Location /app>
  AuthType openid-connect
  Require valid-user
</Location>
<Location /app/staff>
  Require claim preferred_username:nobody-of-this-name
</Location>
<Location /api>
  AuthType oauth20
  Require claim scope~profile
</Location>
"""


class Application(http.server.BaseHTTPRequestHandler):
    """Answers with what it was sent."""

    def do_GET(self):
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Apache:
    """`url` is known before it is started: an application is registered with addresses below it first."""

    def __init__(self, folder):
        # The workers of a server that root starts are somebody else, and read the certificates that they trust from here.
        self.folder = folder
        os.chmod(folder, 0o755)
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.return_to = f"{self.url}/app/return"
        self.process = None
        self.behind = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application)
        threading.Thread(target=self.behind.serve_forever, daemon=True).start()

    def start(self, issuer, client, ca, leaf, key, level="warn"):
        trusted = os.path.join(self.folder, "trusted.pem")
        shutil.copy(ca, trusted)
        os.chmod(trusted, 0o644)
        user = ""
        if os.geteuid() == 0:
            names = {entry.pw_name for entry in pwd.getpwall()}
            user = "User www-data\nGroup www-data" if "www-data" in names else "User nobody\nGroup nogroup"
        modules = [f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in LOADED]
        text = CONFIG.format(folder=self.folder, user=user, modules="\n".join(modules), port=self.port, leaf=leaf, key=key, issuer=issuer,
                             redirect_uri=self.return_to, ca=trusted, behind=self.behind.server_address[1], level=level,
                             passphrase=os.urandom(16).hex(), **client)
        config = os.path.join(self.folder, "httpd.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(text)
        log = open(os.path.join(self.folder, "out.log"), "ab")
        self.process = subprocess.Popen([PROGRAM, "-f", config, "-DFOREGROUND"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError(f"Apache did not start: {self.told()}") from None
                time.sleep(0.05)

    def told(self, rows=6):
        """The end of its logs."""
        out = []
        for name in ("out.log", "error.log"):
            path = os.path.join(self.folder, name)
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    out += file.read().splitlines()[-rows:]
        return " | ".join(out)

    def stop(self):
        self.behind.shutdown()
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
