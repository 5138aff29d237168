#!/usr/bin/env python3
"""PyPI python-ldap (libldap) against the server: what Django, PacketFence, Univention and most scripts bind with."""

import ldap
import ldap.controls
import ldap.controls.ppolicy
import ldap.modlist
import ldap.schema
from ldap.controls import SimplePagedResultsControl
from ldap.extop.passwd import PasswordModifyResponse  # noqa: F401  (registers the response)

from kit import tap
from kit.tap import case, equal, true

SERVER = tap.demo()
BASE = SERVER["base_dn"]
ADMIN, SERVICE = SERVER["admin"], SERVER["service"]
HOME = f"ou=python-ldap,{BASE}"


def connect(who=None, password=None, url=None, start_tls=False):
    connection = ldap.initialize(url or SERVER["ldap"])
    connection.set_option(ldap.OPT_NETWORK_TIMEOUT, 10)
    connection.set_option(ldap.OPT_TIMEOUT, 30)
    connection.set_option(ldap.OPT_REFERRALS, 0)
    connection.set_option(ldap.OPT_X_TLS_CACERTFILE, SERVER["ca_file"])
    connection.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND)
    connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
    if start_tls:
        connection.start_tls_s()
    if who:
        connection.simple_bind_s(who, password)
    return connection


def refused(error, call, *arguments):
    try:
        call(*arguments)
    except error:
        return
    raise AssertionError(f"no {error.__name__}")


def person(uid, **more):
    attributes = {"objectClass": [b"inetOrgPerson"], "uid": [uid.encode()], "cn": [b"Python Example"], "sn": [b"Example"], **more}
    return f"uid={uid},{HOME}", ldap.modlist.addModlist(attributes)


with case("bind: simple, StartTLS and LDAPS"):
    for options in [{}, {"start_tls": True}, {"url": SERVER["ldaps"]}, {"url": SERVER["ldapi"]}]:
        who = connect(SERVICE["dn"], SERVICE["password"], **options).whoami_s()
        equal(who.lower(), f"dn:{SERVICE['dn']}".lower())

with case("bind: SASL EXTERNAL over ldapi"):
    connection = connect(url=SERVER["ldapi"])
    connection.sasl_external_bind_s()
    true(connection.whoami_s(), "nobody")

with case("bind: a failure leaves the connection open and anonymous"):
    connection = connect(SERVICE["dn"], SERVICE["password"])
    refused(ldap.INVALID_CREDENTIALS, connection.simple_bind_s, SERVICE["dn"], "wrong")
    equal(connection.whoami_s(), "")
    connection.simple_bind_s(SERVICE["dn"], SERVICE["password"])
    true(connection.whoami_s(), "no second bind on the same connection")

with case("bind: fifty times on one connection, the admin and the reader in turn"):
    connection = connect()
    for turn in range(50):
        who = ADMIN if turn % 2 else SERVICE
        connection.simple_bind_s(who["dn"], who["password"])
    equal(connection.whoami_s().lower(), f"dn:{ADMIN['dn']}".lower())

with case("schema: ldap.schema.urlfetch parses all of it"):
    connection = connect(SERVICE["dn"], SERVICE["password"])
    where = connection.search_subschemasubentry_s("")
    schema = ldap.schema.SubSchema(connection.read_subschemasubentry_s(where), check_uniqueness=2)
    for kind in (ldap.schema.AttributeType, ldap.schema.ObjectClass, ldap.schema.MatchingRule, ldap.schema.LDAPSyntax):
        true(len(schema.listall(kind)) > 10, f"too few of {kind.__name__}")
    person_class = schema.get_obj(ldap.schema.ObjectClass, "inetOrgPerson")
    must, may = schema.attribute_types(["inetOrgPerson"])
    true("cn" in {n for o in must.values() for n in o.names} and "mail" in {n for o in may.values() for n in o.names},
         f"{person_class} is not whole")
    true(not schema.non_unique_oids, f"OIDs twice: {schema.non_unique_oids}")
    for attribute in schema.listall(ldap.schema.AttributeType):
        described = schema.get_obj(ldap.schema.AttributeType, attribute)
        for superior in described.sup:
            true(schema.get_obj(ldap.schema.AttributeType, superior), f"{described.names}: no SUP {superior}")

with case("search: asynchronous, two on one connection"):
    connection = connect(SERVICE["dn"], SERVICE["password"])
    first = connection.search(f"ou=people,{BASE}", ldap.SCOPE_ONELEVEL, "(uid=*)", ["uid"])
    second = connection.search(f"ou=groups,{BASE}", ldap.SCOPE_ONELEVEL, "(cn=*)", ["cn"])
    groups, people = connection.result(second)[1], connection.result(first)[1]
    true(len(groups) > 5 and len(people) > 50, f"{len(groups)} groups, {len(people)} people")

with case("search: a requested name comes back as it was asked for or in its canonical spelling, never lower-cased"):
    (_, entry), = connection.search_s(SERVICE["dn"], ldap.SCOPE_BASE, attrlist=["objectClass", "structuralObjectClass", "entryUUID"])
    equal(sorted(entry), ["entryUUID", "objectClass", "structuralObjectClass"])

with case("search: entryUUID by text and by its 16 octets"):
    import uuid
    (_, entry), = connection.search_s(SERVICE["dn"], ldap.SCOPE_BASE, attrlist=["entryUUID"])
    text = entry["entryUUID"][0].decode()
    octets = "".join(f"\\{octet:02x}" for octet in uuid.UUID(text).bytes)
    for value in [text, text.upper()] + ([] if tap.is_slapd(SERVER) else [octets]):
        found = connection.search_s(BASE, ldap.SCOPE_SUBTREE, f"(entryUUID={value})", ["1.1"])
        equal([dn for dn, _ in found], [SERVICE["dn"]], value)

with case("search: a filter on an unknown attribute is no error and finds nothing"):
    equal(connection.search_s(BASE, ldap.SCOPE_SUBTREE, "(noSuchThing=1)", ["1.1"]), [])
    equal(connection.search_s(BASE, ldap.SCOPE_SUBTREE, "(!(noSuchThing=1))", ["1.1"]), [])

with case("search: octets that are no UTF-8 in an assertion are no error"):
    equal(connection.search_s(BASE, ldap.SCOPE_SUBTREE, r"(mail=\ff\fe)", ["1.1"]), [])

with case("search: the AD-shaped filter that appliances send"):
    text = "(&(objectCategory=Person)(sAMAccountName=x)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))"
    equal(connection.search_s(BASE, ldap.SCOPE_SUBTREE, text, ["1.1"]), [])

with case("search: absolute true and false filters (RFC 4526)"):
    equal(len(connection.search_s(BASE, ldap.SCOPE_BASE, "(&)", ["1.1"])), 1, "(&)")
    equal(connection.search_s(BASE, ldap.SCOPE_BASE, "(|)", ["1.1"]), [], "(|)")

with case("search: extensible match without an attribute"):
    found = connection.search_s(BASE, ldap.SCOPE_SUBTREE, "(:caseIgnoreMatch:=SVC-wiki)", ["1.1"])
    true(any(dn.startswith("uid=svc-wiki,") for dn, _ in found), f"{len(found)} entries")

with case("paging: page size changed on the way, every entry once"):
    control, seen, size = SimplePagedResultsControl(True, size=10, cookie=""), [], 10
    while True:
        message = connection.search_ext(BASE, ldap.SCOPE_SUBTREE, "(objectClass=inetOrgPerson)", ["1.1"], serverctrls=[control])
        _, page, _, answered = connection.result3(message)
        seen += [dn for dn, _ in page]
        true(len(page) <= size, f"a page of {len(page)}")
        cookie = [c for c in answered if c.controlType == SimplePagedResultsControl.controlType][0].cookie
        if not cookie:
            break
        size += 7
        control = SimplePagedResultsControl(True, size=size, cookie=cookie)
    equal(len(seen), len(set(seen)), "an entry came twice")
    true(len(seen) > 250, f"{len(seen)} entries")

with case("paging: no response control unless asked"):
    message = connection.search_ext(BASE, ldap.SCOPE_BASE, "(objectClass=*)", ["1.1"])
    equal(connection.result3(message)[3], [])

with case("limits: sizeLimitExceeded brings what was found"):
    message = connection.search_ext(f"ou=people,{BASE}", ldap.SCOPE_ONELEVEL, "(uid=*)", ["1.1"], sizelimit=5)
    got = []
    try:
        while True:
            kind, rows = connection.result(message, all=0)
            got += rows
            if kind == ldap.RES_SEARCH_RESULT:
                raise AssertionError("no limit")
    except ldap.SIZELIMIT_EXCEEDED:
        equal(len(got), 5)

admin = connect(ADMIN["dn"], ADMIN["password"])
with case("write: add with octets and several values, read back as written"):
    admin.add_s(HOME, ldap.modlist.addModlist({"objectClass": [b"organizationalUnit"], "ou": [b"python-ldap"]}))
    picture = bytes(range(256)) * 40
    admin.add_s(*person("pl-one", jpegPhoto=[picture], mail=[b"pl-one@python.example", b"pl.one@python.example"]))
    (_, entry), = admin.search_s(f"uid=pl-one,{HOME}", ldap.SCOPE_BASE)
    equal(entry["jpegPhoto"], [picture])
    equal(sorted(entry["mail"]), [b"pl-one@python.example", b"pl.one@python.example"])

with case("write: modify, all kinds; a list of changes is one step"):
    dn = f"uid=pl-one,{HOME}"
    admin.modify_s(dn, [(ldap.MOD_ADD, "title", [b"Clerk"]), (ldap.MOD_REPLACE, "sn", ["Groß".encode()]), (ldap.MOD_DELETE, "jpegPhoto", None)])
    refused(ldap.NO_SUCH_ATTRIBUTE, admin.modify_s, dn, [(ldap.MOD_REPLACE, "title", [b"Lost"]), (ldap.MOD_DELETE, "jpegPhoto", None)])
    (_, entry), = admin.search_s(dn, ldap.SCOPE_BASE)
    equal((entry["title"], entry["sn"], "jpegPhoto" in entry), ([b"Clerk"], ["Groß".encode()], False))

with case("write: replace with nothing on an absent attribute is no error"):
    admin.modify_s(f"uid=pl-one,{HOME}", [(ldap.MOD_REPLACE, "description", None)])

with case("write: compare, true, false and undefined"):
    dn = f"uid=pl-one,{HOME}"
    equal([admin.compare_s(dn, "title", b"CLERK"), admin.compare_s(dn, "title", b"x")], [True, False])
    refused(ldap.NO_SUCH_OBJECT, admin.compare_s, f"uid=nobody,{HOME}", "title", b"x")

with case("write: a DN with escapes survives"):
    dn = f"cn=a\\,b \\+ \\\"c\\\"\\3d \\C3\\A9,{HOME}"
    admin.add_s(dn, ldap.modlist.addModlist({"objectClass": [b"device"], "cn": ['a,b + "c"= é'.encode()]}))
    (_, entry), = admin.search_s(dn, ldap.SCOPE_BASE)
    equal(entry["cn"], ['a,b + "c"= é'.encode()])
    admin.delete_s(dn)

with case("write: rename with deleteoldrdn false keeps the value"):
    admin.add_s(f"cn=first,{HOME}", ldap.modlist.addModlist({"objectClass": [b"device"], "cn": [b"first"]}))
    admin.rename_s(f"cn=first,{HOME}", "cn=second", delold=0)
    (_, entry), = admin.search_s(f"cn=second,{HOME}", ldap.SCOPE_BASE)
    equal(sorted(entry["cn"]), [b"first", b"second"])

with case("password: the extended operation, by the owner with the old one"):
    dn, old, new = f"uid=pl-one,{HOME}", "Teal-Lantern-31-old", "Teal-Lantern-32-new"
    admin.passwd_s(dn, None, old)
    owner = connect()
    policy = ldap.controls.ppolicy.PasswordPolicyControl()
    owner.simple_bind_s(dn, old, serverctrls=[policy])
    owner.passwd_s(dn, old, new)
    connect(dn, new)
    refused(ldap.INVALID_CREDENTIALS, connect, dn, old)

with case("password: the policy control comes with the bind's answer when asked, and only then"):
    connection = connect()
    policy = ldap.controls.ppolicy.PasswordPolicyControl()
    message = connection.simple_bind(f"uid=pl-one,{HOME}", "Teal-Lantern-32-new", serverctrls=[policy])
    answered = [c.controlType for c in connection.result3(message)[3]]
    equal(answered, [policy.controlType])
    message = connection.simple_bind(f"uid=pl-one,{HOME}", "Teal-Lantern-32-new")
    equal(connection.result3(message)[3], [])

with case("password: delete the old and add the new in one modify (the owner)"):
    dn, old, new = f"uid=pl-one,{HOME}", "Teal-Lantern-32-new", "Teal-Lantern-33-newer"
    connect(dn, old).modify_s(dn, [(ldap.MOD_DELETE, "userPassword", [old.encode()]), (ldap.MOD_ADD, "userPassword", [new.encode()])])
    connect(dn, new)

with case("delete: leaves first, and what is gone is gone"):
    refused(ldap.NOT_ALLOWED_ON_NONLEAF, admin.delete_s, HOME)
    for dn, _ in reversed(admin.search_s(HOME, ldap.SCOPE_SUBTREE, attrlist=["1.1"])):
        admin.delete_s(dn)
    refused(ldap.NO_SUCH_OBJECT, admin.search_s, HOME, ldap.SCOPE_BASE)

tap.finish()
