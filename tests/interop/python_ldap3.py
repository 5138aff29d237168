#!/usr/bin/env python3
"""PyPI ldap3 (pure Python, strict BER) against the server; it reads root DSE and schema at every bind (get_info=ALL)."""

import ssl

import ldap3
from ldap3 import ALL, BASE as SCOPE_BASE, LEVEL, MODIFY_ADD, MODIFY_DELETE, MODIFY_INCREMENT, MODIFY_REPLACE, SUBTREE
from ldap3.core.exceptions import LDAPInvalidCredentialsResult
from ldap3.utils.conv import escape_filter_chars

from kit import tap
from kit.tap import case, equal, true

SERVER = tap.demo()
BASE = SERVER["base_dn"]
ADMIN, SERVICE = SERVER["admin"], SERVER["service"]
HOME = f"ou=ldap3,{BASE}"
TLS = ldap3.Tls(ca_certs_file=SERVER["ca_file"], validate=ssl.CERT_REQUIRED)


def connect(who, password, url=None, start_tls=False, **options):
    server = ldap3.Server(url or SERVER["ldap"], get_info=ALL, tls=TLS, connect_timeout=10)
    connection = ldap3.Connection(server, who, password, receive_timeout=30, raise_exceptions=False, **options)
    connection.open()
    if start_tls:
        true(connection.start_tls(), f"StartTLS: {connection.result}")
    if not connection.bind():
        raise AssertionError(f"bind: {connection.result}")
    return connection


def done(connection, what):
    if connection.result["result"] != 0:
        raise AssertionError(f"{what}: {connection.result['result']} {connection.result['description']} {connection.result['message']}")


def code(connection):
    return connection.result["result"]


reader = None
with case("bind with get_info=ALL: root DSE and schema are understood"):
    reader = connect(SERVICE["dn"], SERVICE["password"])
    info, schema = reader.server.info, reader.server.schema
    true(BASE in info.naming_contexts, f"naming contexts {info.naming_contexts}")
    true(3 in [int(v) for v in info.supported_ldap_versions], "no version 3")
    true("mail" in schema.attribute_types and "inetOrgPerson" in schema.object_classes, "the schema is not whole")
    true(schema.attribute_types["uidNumber"].single_value, "uidNumber is single-valued")
    true(schema.object_classes["inetOrgPerson"].superior, "inetOrgPerson has a superior")

with case("bind: StartTLS and LDAPS with a verified certificate"):
    for options in [{"start_tls": True}, {"url": SERVER["ldaps"]}]:
        who = connect(SERVICE["dn"], SERVICE["password"], **options).extend.standard.who_am_i()
        equal(who.lower(), f"dn:{SERVICE['dn']}".lower())

with case("bind: rebind on the same connection, and a refused one"):
    connection = connect(SERVICE["dn"], SERVICE["password"])
    true(connection.rebind(ADMIN["dn"], ADMIN["password"]), "rebind")
    refused = ldap3.Connection(connection.server, SERVICE["dn"], "wrong", raise_exceptions=True)
    try:
        refused.bind()
        raise AssertionError("admitted")
    except LDAPInvalidCredentialsResult:
        pass

with case("search: typed values through the schema"):
    reader.search(f"ou=people,{BASE}", "(uidNumber=*)", LEVEL, attributes=["uidNumber", "createTimestamp", "memberOf"], size_limit=3)
    for entry in reader.entries:
        true(isinstance(entry.uidNumber.value, int), "uidNumber is no integer")
        true(entry.createTimestamp.value.tzinfo is not None, "createTimestamp is no time")
    equal(len(reader.entries), 3)

with case("search: all attributes and operational attributes"):
    reader.search(SERVICE["dn"], "(objectClass=*)", SCOPE_BASE, attributes=[ldap3.ALL_ATTRIBUTES, ldap3.ALL_OPERATIONAL_ATTRIBUTES])
    for name in ["entryUUID", "createTimestamp", "modifyTimestamp", "creatorsName", "modifiersName", "structuralObjectClass",
                 "subschemaSubentry", "hasSubordinates", "entryDN"]:
        true(name in reader.response[0]["raw_attributes"], f"no {name} in {sorted(reader.response[0]['raw_attributes'])}")

with case("search: extensible match by rule name, by rule OID, over the DN"):
    for text in ["(uid:caseIgnoreMatch:=SVC-WIKI)", "(uid:2.5.13.2:=SVC-wiki)", "(ou:dn:=applications)"]:
        reader.search(BASE, text, SUBTREE, attributes=["1.1"])
        true(any(e.entry_dn.lower().startswith("uid=svc-wiki,") for e in reader.entries), f"{text} finds {len(reader.entries)}")

with case("search: escaped characters in an assertion"):
    reader.search(BASE, f"(cn={escape_filter_chars('*)(uid=*')})", SUBTREE, attributes=["1.1"])
    equal((code(reader), len(reader.entries)), (0, 0))

with case("paging: paged_search brings everyone once"):
    rows = list(reader.extend.standard.paged_search(BASE, "(objectClass=inetOrgPerson)", SUBTREE, attributes=["uid"], paged_size=33,
                                                   generator=True))
    names = [row["dn"] for row in rows if row["type"] == "searchResEntry"]
    equal(len(names), len(set(names)), "an entry came twice")
    true(len(names) > 250, f"{len(names)} entries")

with case("paging: a cookie that the server did not make is refused, the connection stays"):
    reader.search(BASE, "(uid=*)", SUBTREE, attributes=["1.1"], paged_size=5, paged_cookie=b"not-a-cookie-of-yours")
    true(code(reader) != 0, "it was taken")
    reader.search(BASE, "(objectClass=*)", SCOPE_BASE, attributes=["1.1"])
    done(reader, "the next search")

admin = connect(ADMIN["dn"], ADMIN["password"])
one = f"uid=l3-one,{HOME}"
with case("write: add and read back by the object abstraction"):
    admin.add(HOME, "organizationalUnit")
    done(admin, "add the container")
    admin.add(one, ["inetOrgPerson", "posixAccount"],
              {"cn": "Łukasz Źdźbło", "sn": "Źdźbło", "mail": "l3-one@ldap3.example", "uidNumber": 70001, "gidNumber": 70001,
               "homeDirectory": "/home/l3-one"})
    done(admin, "add the person")
    kind = ldap3.ObjectDef(["inetOrgPerson", "posixAccount"], admin)
    found = ldap3.Reader(admin, kind, HOME, "sn: Źdźbło").search()
    equal([(e.cn.value, e.uidNumber.value) for e in found], [("Łukasz Źdźbło", 70001)])

with case("write: modify add, replace, delete"):
    admin.modify(one, {"title": [(MODIFY_ADD, ["One"])], "mail": [(MODIFY_REPLACE, ["l3@ldap3.example"])], "cn": [(MODIFY_ADD, ["L Z"])]})
    done(admin, "modify")
    admin.modify(one, {"title": [(MODIFY_DELETE, [])]})
    done(admin, "delete")
    admin.search(one, "(objectClass=*)", SCOPE_BASE, attributes=["title", "mail", "cn"])
    entry = admin.response[0]["attributes"]
    equal((entry["mail"], sorted(entry["cn"]), entry["title"]), (["l3@ldap3.example"], ["L Z", "Łukasz Źdźbło"], []))

with case("write: modify increment (RFC 4525)"):
    admin.modify(one, {"uidNumber": [(MODIFY_INCREMENT, [5])]})
    done(admin, "increment")
    admin.search(one, "(uidNumber=70006)", SCOPE_BASE, attributes=["uidNumber"])
    equal(len(admin.entries), 1, "the entry with the new number")
    admin.modify(one, {"cn": [(MODIFY_INCREMENT, [1])]})
    true(code(admin) != 0, "a name was counted up")

with case("write: compare"):
    equal([admin.compare(one, "mail", "L3@LDAP3.example"), admin.compare(one, "mail", "no")], [True, False])

with case("write: rename and move"):
    admin.add(f"ou=below,{HOME}", "organizationalUnit")
    admin.add(f"cn=thing,{HOME}", "device")
    admin.modify_dn(f"cn=thing,{HOME}", "cn=thing two", delete_old_dn=True, new_superior=f"ou=below,{HOME}")
    done(admin, "modify_dn")
    admin.search(f"ou=below,{HOME}", "(cn=thing two)", LEVEL, attributes=["cn"])
    equal([e.cn.values for e in admin.entries], [["thing two"]])

with case("password: the extended operation by an administrator, then by the owner"):
    first, second = "Amber-Ferry-11-first", "Amber-Ferry-12-second"
    true(admin.extend.standard.modify_password(one, new_password=first), admin.result)
    server = ldap3.Server(SERVER["ldap"], connect_timeout=10)
    owner = ldap3.Connection(server, one, first, receive_timeout=30)
    owner.open()
    # The policy control: with it a bind after a reset is admitted, to change the password and nothing else.
    owner.bind(controls=[("1.3.6.1.4.1.42.2.27.8.5.1", False, None)])
    done(owner, "the owner's first bind")
    true(owner.extend.standard.modify_password(one, first, second), owner.result)
    true(ldap3.Connection(server, one, second).bind(), "the new one does not bind")
    true(not ldap3.Connection(server, one, first).bind(), "the old one binds")

with case("groups: a member once, and not twice in another spelling"):
    group = f"cn=l3-group,{HOME}"
    admin.add(group, "groupOfNames", {"member": ADMIN["dn"] if tap.is_slapd(SERVER) else SERVICE["dn"]})
    done(admin, "add the group")
    admin.modify(group, {"member": [(MODIFY_ADD, [one])]})
    done(admin, "add a member")
    admin.modify(group, {"member": [(MODIFY_ADD, [one.upper().replace("UID=", "uid=")])]})
    equal(code(admin), 20, "the same member in another spelling")
    admin.search(one, "(objectClass=*)", SCOPE_BASE, attributes=["memberOf"])
    equal([v.lower() for v in admin.entries[0].memberOf.values], [group])

with case("delete: the subtree, leaves first"):
    admin.search(HOME, "(objectClass=*)", SUBTREE, attributes=["1.1"])
    for dn in sorted((e.entry_dn for e in admin.entries), key=len, reverse=True):
        admin.delete(dn)
        done(admin, f"delete {dn}")
    admin.search(HOME, "(objectClass=*)", SCOPE_BASE)
    equal(code(admin), 32)

tap.finish()
