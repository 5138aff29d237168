"""The SCIM side of a server under test: a tenant of its own, tokens for it, and plain requests for what the client libraries hide.

With the stand-in (`run.py --server scim2-server`) there are no tenants and tokens: every dialect is the one server.
"""

import json
import os
import ssl
import subprocess
import uuid

import httpx

PREFIX = "urn:ietf:params:scim:"
USER = PREFIX + "schemas:core:2.0:User"
GROUP = PREFIX + "schemas:core:2.0:Group"
ENTERPRISE = PREFIX + "schemas:extension:enterprise:2.0:User"
PATCH = PREFIX + "api:messages:2.0:PatchOp"
SEARCH = PREFIX + "api:messages:2.0:SearchRequest"
LIST = PREFIX + "api:messages:2.0:ListResponse"
ERROR = PREFIX + "api:messages:2.0:Error"
MEDIA = "application/scim+json"


def is_stand_in(server):
    return server.get("stand_in") == "scim2-server"


def make_tenant(server, name):
    """An empty tenant, made over LDAP by the demo's administrator; its DN."""
    dn = f"o={name},{server['base_dn']}"
    if is_stand_in(server):
        return dn
    import ldap3

    connection = ldap3.Connection(ldap3.Server(server["ldap"]), server["admin"]["dn"], server["admin"]["password"], auto_bind=True)
    made = connection.add(dn, ["organization", "rollbookTenant"], {"o": name, "rollbookTenantName": name})
    if not made and connection.result["result"] != 68:
        raise AssertionError(f"the tenant {dn}: {connection.result}")
    connection.unbind()
    return dn


def make_token(server, tenant, dialect=None, *options):
    """A token made by `rollbook token create` on the demo's machine."""
    if is_stand_in(server):
        return server["scim"]["token"]
    command = [os.environ["ROLLBOOK_BINARY"], "token", "create", "--scim", "--tenant", tenant, "--json", "--socket", socket_of(server)]
    command += ["--label", f"interop-{dialect or 'none'}-{uuid.uuid4().hex[:8]}"]
    command += (["--dialect", dialect] if dialect else []) + list(options)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise AssertionError(f"{' '.join(command[1:])}: exit code {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)["token"]


def socket_of(server):
    """The path of `ldapi://%2Frun%2F…`."""
    from urllib.parse import unquote

    return unquote(server["ldapi"].removeprefix("ldapi://").split("/", 1)[0])


def base_of(server):
    return server["scim"]["base"].rstrip("/")


def trust(server):
    """What httpx and httpx2 take as `verify`."""
    return ssl.create_default_context(cafile=server["ca_file"]) if server.get("ca_file") else True


def headers(token):
    return {"Authorization": f"Bearer {token}"}


class Plain:
    """Requests as they are; JSON in, JSON out, the media type of RFC 7644 §8.1."""

    def __init__(self, server, token):
        self.base = base_of(server)
        self.http = httpx.Client(verify=trust(server), headers=headers(token), timeout=60)

    def send(self, method, path, body=None, **options):
        given = options.pop("headers", {})
        if body is not None:
            given = {"Content-Type": MEDIA, **given}
            options["content"] = body if isinstance(body, (bytes, str)) else json.dumps(body)
        return self.http.request(method, path if "://" in path else self.base + path, headers=given, **options)

    def good(self, method, path, body=None, status=200, **options):
        """The answer's JSON, after its status and its type are what they must be."""
        answer = self.send(method, path, body, **options)
        if answer.status_code != status:
            raise AssertionError(f"{method} {path}: {answer.status_code}, wanted {status}: {answer.text[:600]}")
        if status == 204:
            return None
        kind = answer.headers.get("content-type", "").split(";")[0]
        if kind != MEDIA:
            raise AssertionError(f"{method} {path}: content type {kind}")
        return answer.json()

    def bad(self, method, path, body=None, status=400, scim_type=None, **options):
        """An error in the form of RFC 7644 §3.12."""
        answer = self.send(method, path, body, **options)
        if answer.status_code != status:
            raise AssertionError(f"{method} {path}: {answer.status_code}, wanted {status}: {answer.text[:600]}")
        told = answer.json()
        if told.get("schemas") != [ERROR] or told.get("status") != str(status) or told.get("scimType") != scim_type:
            raise AssertionError(f"{method} {path}: the error is {told}, wanted scimType {scim_type}")
        return told

    def user(self, name, **more):
        return self.good("POST", "/Users", {"schemas": [USER], "userName": name, **more}, 201)

    def group(self, name, **more):
        return self.good("POST", "/Groups", {"schemas": [GROUP], "displayName": name, **more}, 201)

    def patch(self, path, *operations, **options):
        """RFC 7644 §3.5.2 leaves the choice between 200 with the resource and 204."""
        answer = self.send("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, **options)
        if answer.status_code not in (200, 204):
            raise AssertionError(f"PATCH {path}: {answer.status_code}: {answer.text[:600]}")
        return answer.json() if answer.status_code == 200 else None
