#!/usr/bin/env python3
"""The tables of fixtures/scim over HTTPS: one case each, its requests in order, and then what is true over SCIM and LDAP.

The form of the tables is in fixtures/scim/README.md. On the stand-in only SCIM is asked. `SCIM_TABLES=rfc/patch` runs a part.
"""

import glob
import json
import os
import re
import uuid

from kit import scim, tap
from kit.tap import case, equal, true

SERVER = tap.demo()
OURS = not scim.is_stand_in(SERVER)
TABLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "fixtures", "scim")
TENANT = "scim-tables"
DN = scim.make_tenant(SERVER, TENANT)
clients = {}


def client(dialect):
    if dialect not in clients:
        clients[dialect] = scim.Plain(SERVER, scim.make_token(SERVER, TENANT, dialect))
    return clients[dialect]


def filled(value, kept):
    """`<name>` replaced in every string; what was not kept stays as it is."""
    if isinstance(value, str):
        return re.sub(r"<(\w+)>", lambda m: kept.get(m[1], m[0]), value)
    if isinstance(value, list):
        return [filled(v, kept) for v in value]
    if isinstance(value, dict):
        return {filled(k, kept): filled(v, kept) for k, v in value.items()}
    return value


def lacks(got, wanted, where):
    """What `got` lacks of the subset `wanted`; None when nothing."""
    if wanted is None:
        return None if got is None else f"{where} is {got!r}, wanted absent"
    if wanted == "*":
        return None if got is not None else f"{where} is absent"
    if isinstance(wanted, dict):
        if not isinstance(got, dict):
            return f"{where} is {got!r}, wanted an object"
        return next(filter(None, (lacks(got.get(k), v, f"{where}.{k}") for k, v in wanted.items())), None)
    if isinstance(wanted, list):
        if not isinstance(got, list) or len(got) != len(wanted):
            return f"{where} is {got!r}, wanted {len(wanted)} elements"
        return None if pairs(got, wanted, where) else f"{where} is {got!r}, wanted {wanted!r}"
    same = got == wanted and isinstance(got, bool) == isinstance(wanted, bool)
    return None if same else f"{where} is {got!r}, wanted {wanted!r}"


def pairs(got, wanted, where):
    """Whether each of `wanted` finds an element of its own in `got`."""
    if not wanted:
        return True
    return any(lacks(one, wanted[0], where) is None and pairs(got[:i] + got[i + 1:], wanted[1:], where) for i, one in enumerate(got))


def at(answer, place):
    if place.startswith("header:"):
        return answer.headers[place[7:]]
    value = answer.json()
    for key in place.split("."):
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def ask(plain, request, kept):
    request = filled(request, kept)
    path, _, query = request["path"].partition("?")
    params = [tuple(part.split("=", 1)) if "=" in part else (part, "") for part in split_query(query)] if query else None
    answer = plain.send(request["method"], path, request.get("body"), headers=request.get("headers", {}), params=params)
    what, expect = f"{request['method']} {request['path']}", request["expect"]
    statuses = expect["status"] if isinstance(expect["status"], list) else [expect["status"]]
    true(answer.status_code in statuses, f"{what}: {answer.status_code}, wanted {statuses}: {answer.text[:400]}")
    for name, value in expect.get("headers", {}).items():
        got = answer.headers.get(name)
        true(got is not None and value in ("*", got), f"{what}: header {name} is {got!r}, wanted {value!r}")
    if "body" in expect and answer.status_code != 204:
        found = lacks(answer.json(), expect["body"], "body")
        true(not found, f"{what}: {found}")
    for name, place in expect.get("keep", {}).items():
        kept[name] = at(answer, place)


def split_query(query):
    """At `&` that begins a parameter: a value may hold spaces, quotes and `&` of its own."""
    return re.split(r"&(?=[A-Za-z]+(?:=|&|$))", query)


def ldap():
    import ldap3

    server = ldap3.Server(SERVER["ldap"], get_info=ldap3.NONE)
    return ldap3.Connection(server, SERVER["admin"]["dn"], SERVER["admin"]["password"], auto_bind=True)


def first_rdn(value):
    return value.split(",", 1)[0] if value.endswith(DN) else value


def entry(connection, rdn):
    """Attributes of the entry below the tenant with this first RDN, names in lower case, or None."""
    from ldap3.utils.conv import escape_filter_chars

    kind, _, name = rdn.partition("=")
    connection.search(DN, f"({kind}={escape_filter_chars(name)})", attributes=["*", "+"])
    found = [e for e in connection.response if e.get("type") == "searchResEntry" and e["dn"].lower().startswith(rdn.lower() + ",")]
    if not found:
        return None
    return {name.lower(): [first_rdn(v if isinstance(v, str) else v.decode("utf-8", "replace")) for v in values]
            for name, values in found[0]["raw_attributes"].items()}


def afterwards(plain, then, kept):
    then = filled(then, kept)
    for path, wanted in then.get("scim", {}).items():
        if isinstance(wanted, int):
            equal(plain.send("GET", path).status_code, wanted, f"GET {path}")
        else:
            found = lacks(plain.good("GET", path), wanted, path)
            true(not found, found)
    if not OURS:
        return
    connection = ldap() if then.get("ldap") else None
    for rdn, wanted in then.get("ldap", {}).items():
        got = entry(connection, rdn)
        if wanted is None:
            true(got is None, f"{rdn} is there")
            continue
        true(got is not None, f"{rdn} is not there")
        for name, values in wanted.items():
            present = got.get(name.lower()) or None
            if values == "*":
                true(present, f"{rdn}: no {name}")
            else:
                equal(present and sorted(present), values and sorted(values), f"{rdn}: {name}")
    for name, login in then.get("bind", {}).items():
        import ldap3

        dn = f"uid={name},ou=people,{DN}"
        good = ldap3.Connection(ldap3.Server(SERVER["ldap"]), dn, login["password"]).bind()
        equal(good, login["good"], f"the bind of {name}")


def main():
    only = os.environ.get("SCIM_TABLES", "")
    for file in sorted(glob.glob(os.path.join(TABLES, "*", "*.json"))):
        table = os.path.relpath(file, TABLES).removesuffix(".json")
        if not table.startswith(only):
            continue
        with open(file, encoding="utf-8") as text:
            cases = json.load(text)
        for one in cases:
            with case(f"{table}: {one['name']}"):
                kept = {"n": uuid.uuid4().hex[:10]}
                plain = client(one["dialect"])
                for request in one["requests"]:
                    ask(plain, request, kept)
                afterwards(plain, one.get("then", {}), kept)


main()
tap.finish()
