#!/usr/bin/env python3
"""Debian's ldap-utils against the server: every command line tool, every way in.

ldapsearch ldapadd ldapmodify ldapmodrdn ldapdelete ldappasswd ldapwhoami ldapcompare; plain, -ZZ, ldaps, ldapi; paging, ppolicy.
"""

import os
import re
import subprocess
import tempfile

from kit import ldif, tap
from kit.tap import case, equal, true

SERVER = tap.demo()
BASE = SERVER["base_dn"]
ADMIN, SERVICE = SERVER["admin"], SERVER["service"]
HOME = f"ou=ldap-utils,{BASE}"
WORK = tempfile.mkdtemp(prefix="rollbook-ldap-utils-")
# No user's own configuration, and the server's CA as the only one trusted.
ENVIRONMENT = {**os.environ, "LDAPTLS_CACERT": SERVER["ca_file"], "LDAPTLS_REQCERT": "demand", "HOME": WORK, "LC_ALL": "C.UTF-8"}


# What ldappasswd ends with when the server refuses; the result code stands in its output.
FAILED = tuple(range(1, 256))


def secret(text):
    """A password goes by file, as an administrator would do it; returns the file's path."""
    path = os.path.join(WORK, f"secret-{len(os.listdir(WORK))}")
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path


FILES = {ADMIN["dn"]: secret(ADMIN["password"]), SERVICE["dn"]: secret(SERVICE["password"])}


def run(tool, *arguments, who=ADMIN["dn"], url=SERVER["ldap"], code=0, text="", password=None):
    """Runs one tool with a simple bind; returns (standard output, standard error)."""
    command = [tool, "-H", url]
    if who == "EXTERNAL":
        command += ["-Q", "-Y", "EXTERNAL"]
    elif who:
        command += ["-x", "-D", who, "-y", secret(password) if password is not None else FILES[who]]
    else:
        command += ["-x"]
    done = subprocess.run(command + list(arguments), input=text, env=ENVIRONMENT, capture_output=True, text=True, timeout=60,
                          check=False)
    if done.returncode not in (code if isinstance(code, tuple) else (code,)):
        raise AssertionError(f"{tool} {' '.join(arguments)}: exit {done.returncode}, wanted {code}: {done.stderr.strip()}")
    return done.stdout, done.stderr


def search(*arguments, **options):
    """Entries of one search as [(dn, [(attribute, value)])]."""
    return ldif.parse(run("ldapsearch", "-LLL", "-o", "ldif_wrap=no", *arguments, **options)[0])


def values(entry, name):
    return sorted(v.decode() for n, v in entry[1] if n.lower() == name.lower())


def person(uid, extra=""):
    return (f"dn: uid={uid},{HOME}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid} Example\nsn: Example\n"
            f"mail: {uid}@ldap-utils.example\n{extra}\n")


def ways_in():
    with case("ldapwhoami: anonymous"):
        equal(run("ldapwhoami", who=None)[0].strip(), "anonymous")
    with case("ldapwhoami: simple bind"):
        equal(run("ldapwhoami", who=SERVICE["dn"])[0].strip().lower(), f"dn:{SERVICE['dn']}".lower())
    with case("ldapwhoami: the bind DN in another spelling"):
        spelled = ", ".join(part.upper() for part in SERVICE["dn"].split(","))
        equal(run("ldapwhoami", who=spelled, password=SERVICE["password"])[0].strip().lower(), f"dn:{SERVICE['dn']}".lower())
    with case("ldapwhoami: wrong password is 49 without a reason"):
        _, error = run("ldapwhoami", who=SERVICE["dn"], password="wrong-password", code=49)
        true("additional info" not in error, f"it says why: {error}")
    with case("ldapwhoami: an unknown name gets the same answer as a wrong password"):
        _, unknown = run("ldapwhoami", who=f"uid=nobody-here,ou=people,{BASE}", password="wrong-password", code=49)
        _, wrong = run("ldapwhoami", who=SERVICE["dn"], password="wrong-password", code=49)
        equal(unknown, wrong, "the answer")
    with case("ldapwhoami: a DN without a password never succeeds"):
        run("ldapwhoami", who=SERVICE["dn"], password="", code=53)
    with case("StartTLS, certificate verified (-ZZ)"):
        equal(run("ldapwhoami", "-ZZ", who=SERVICE["dn"])[0].strip().lower(), f"dn:{SERVICE['dn']}".lower())
    with case("LDAPS, certificate verified"):
        equal(run("ldapwhoami", url=SERVER["ldaps"], who=SERVICE["dn"])[0].strip().lower(), f"dn:{SERVICE['dn']}".lower())
    with case("LDAPS: a CA that did not sign is refused by the client"):
        other = {**ENVIRONMENT, "LDAPTLS_CACERT": "/dev/null"}
        done = subprocess.run(["ldapwhoami", "-x", "-H", SERVER["ldaps"]], env=other, capture_output=True, check=False)
        true(done.returncode != 0, "it connected")
    with case("ldapi: simple bind"):
        equal(run("ldapwhoami", url=SERVER["ldapi"], who=SERVICE["dn"])[0].strip().lower(), f"dn:{SERVICE['dn']}".lower())
    with case("ldapi: SASL EXTERNAL by peer credentials is an administrator"):
        out, _ = run("ldapwhoami", url=SERVER["ldapi"], who="EXTERNAL")
        true(out.startswith(("dn:", "u:")), f"who am I says {out!r}")
        true(search("-b", f"ou=people,{BASE}", "-s", "one", "-z", "5", "(uid=*)", "uid", url=SERVER["ldapi"], who="EXTERNAL",
                    code=4), "no entries")
    with case("SASL EXTERNAL over TCP is refused"):
        done = subprocess.run(["ldapwhoami", "-Q", "-Y", "EXTERNAL", "-H", SERVER["ldap"]], env=ENVIRONMENT, capture_output=True,
                              check=False)
        true(done.returncode != 0, "it was admitted")


def reading():
    with case("root DSE: anonymous, operational attributes by +"):
        root = search("-b", "", "-s", "base", "+", "*", who=None)
        equal(len(root), 1, "entries")
        true(BASE in values(root[0], "namingContexts"), "the suffix is not a naming context")
        equal(values(root[0], "supportedLDAPVersion"), ["3"])
        for oid, what in [("1.3.6.1.4.1.1466.20037", "StartTLS"), ("1.3.6.1.4.1.4203.1.11.1", "Password Modify"),
                          ("1.3.6.1.4.1.4203.1.11.3", "Who am I")]:
            true(oid in values(root[0], "supportedExtension"), f"{what} is not announced")
        for oid, what in [("1.2.840.113556.1.4.319", "paged results"), ("2.16.840.1.113730.3.4.2", "ManageDsaIT")]:
            true(oid in values(root[0], "supportedControl"), f"{what} is not announced")
        true("1.3.6.1.1.14" in values(root[0], "supportedFeatures"), "increment is not announced")
    with case("anonymous sees no people"):
        out, _ = subprocess_any("ldapsearch", "-x", "-LLL", "-H", SERVER["ldap"], "-b", BASE, "(uid=*)", "uid")
        true("dn:" not in out, f"it sees {out[:200]!r}")
    with case("subschema: found through subschemaSubentry, with the types that we use"):
        where = values(search("-b", "", "-s", "base", "subschemaSubentry", who=SERVICE["dn"])[0], "subschemaSubentry")[0]
        schema = search("-b", where, "-s", "base", "(objectClass=subschema)", "attributeTypes", "objectClasses",
                        who=SERVICE["dn"])[0]
        for name in ["'mail'", "'uid'", "'memberOf'", "'uidNumber'", "'entryUUID'"]:
            true(any(name in v for v in values(schema, "attributeTypes")), f"no attribute type {name}")
        for name in ["'inetOrgPerson'", "'groupOfNames'", "'posixAccount'"]:
            true(any(name in v for v in values(schema, "objectClasses")), f"no object class {name}")
    with case("scopes: base, one, sub, children"):
        counts = [len(search("-b", f"ou=groups,{BASE}", "-s", s, "(objectClass=*)", "1.1", who=SERVICE["dn"]))
                  for s in ["base", "one", "sub", "children"]]
        equal(counts[0], 1, "base")
        true(counts[1] > 5, "one level finds too little")
        equal([counts[2], counts[3]], [counts[1] + 1, counts[1]], "sub and children")
    with case("1.1 gives names and no attributes"):
        true(all(not attributes for _, attributes in search("-b", f"ou=groups,{BASE}", "1.1", who=SERVICE["dn"])), "attributes came")
    with case("attribute selection: *, +, @class, any case"):
        group = f"cn=everyone,ou=groups,{BASE}"
        user, both, by_class = (search("-b", group, "-s", "base", *a, who=SERVICE["dn"])[0] for a in [["*"], ["*", "+"], ["@groupOfNames"]])
        true(values(user, "cn") and not values(user, "entryUUID"), "* gives user attributes and no operational ones")
        true(values(both, "entryUUID") and values(both, "modifyTimestamp"), "+ gives operational attributes")
        true(values(by_class, "member") and values(by_class, "cn"), "@groupOfNames gives member and cn")
        true(values(search("-b", group, "-s", "base", "DESCRIPTION", who=SERVICE["dn"])[0], "description"), "names have no case")
    with case("password hashes never leave, not even to an administrator"):
        entry = search("-b", SERVICE["dn"], "-s", "base", "*", "+", "userPassword")[0]
        if not tap.is_slapd(SERVER):
            equal(values(entry, "userPassword"), [], "userPassword")
    with case("filters: equality, substring, presence, and, or, not, range"):
        people = f"ou=people,{BASE}"
        count = {f: len(search("-b", people, f, "1.1", who=SERVICE["dn"])) for f in
                 ["(uid=*)", "(ou=legal)", "(ou=leg*)", "(&(uid=*)(!(ou=legal)))", "(|(ou=legal)(ou=security))", "(ou=security)",
                  "(employeeNumber>=10000)"]}
        equal(count["(ou=legal)"], count["(ou=leg*)"], "substring")
        equal(count["(&(uid=*)(!(ou=legal)))"], count["(uid=*)"] - count["(ou=legal)"], "not")
        equal(count["(|(ou=legal)(ou=security))"], count["(ou=legal)"] + count["(ou=security)"], "or")
        true(count["(ou=legal)"] > 3, "too few")
    with case("filters beyond ASCII, in any case"):
        true(search("-b", BASE, "(sn=MÜLLER)", "sn", who=SERVICE["dn"]), "nobody is called Müller")
    with case("paging: -E pr=25/noprompt brings what one search brings"):
        at_once = {dn for dn, _ in search("-b", BASE, "(objectClass=inetOrgPerson)", "1.1", who=SERVICE["dn"])}
        out, _ = run("ldapsearch", "-LLL", "-b", BASE, "-E", "pr=25/noprompt", "(objectClass=inetOrgPerson)", "1.1", who=SERVICE["dn"])
        paged = [row for row in out.splitlines() if row.startswith("dn:")]
        equal(len(paged), len(at_once), "entries")
        true(len(at_once) > 250, f"only {len(at_once)} people")
    with case("size limit: 4, with the entries so far"):
        out, _ = run("ldapsearch", "-LLL", "-z", "3", "-b", f"ou=people,{BASE}", "(uid=*)", "1.1", who=SERVICE["dn"], code=4)
        equal(out.count("dn:"), 3, "entries")
    with case("a base that is not there: 32 and the nearest that is"):
        out, error = run("ldapsearch", "-b", f"uid=x,ou=nowhere,{BASE}", who=SERVICE["dn"], code=32)
        true(f"matcheddn: {BASE}" in (out + error).lower(), f"no matched DN: {error!r}")
    with case("a base that is no DN: 34"):
        run("ldapsearch", "-b", "this is no dn", who=SERVICE["dn"], code=34)
    with case("an unknown critical control: 12"):
        run("ldapsearch", "-b", BASE, "-s", "base", "-e", "!1.2.3.4.5.6", who=SERVICE["dn"], code=12)
    with case("an unknown control that is not critical is ignored"):
        run("ldapsearch", "-b", BASE, "-s", "base", "-e", "1.2.3.4.5.6", who=SERVICE["dn"])


def subprocess_any(*command):
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout, done.stderr


def writing():
    with case("ldapadd: a container and people, one by base64"):
        run("ldapadd", text=f"dn: {HOME}\nobjectClass: organizationalUnit\nou: ldap-utils\n")
        run("ldapadd", text=person("lu-one") + person("lu-two", "displayName:: w4lsw6lvbm9yZQ==\n") + person("lu-three"))
        equal(len(search("-b", HOME, "-s", "one", "1.1")), 3, "entries")
        equal(values(search("-b", f"uid=lu-two,{HOME}", "displayName")[0], "displayName"), ["Éléonore"])
    with case("ldapadd: the same once more is 68"):
        run("ldapadd", text=person("lu-one"), code=68)
    with case("ldapadd: under a parent that is not there is 32"):
        run("ldapadd", text=person("lu-x").replace(HOME, f"ou=nowhere,{HOME}"), code=32)
    with case("ldapadd: without a required attribute is 65"):
        run("ldapadd", text=f"dn: uid=lu-y,{HOME}\nobjectClass: inetOrgPerson\nuid: lu-y\ncn: Y\n", code=65)
    with case("ldapadd: an unknown attribute is 17, a value against its syntax is 21"):
        run("ldapadd", text=person("lu-y", "noSuchAttribute: 1\n"), code=17)
        run("ldapadd", text=person("lu-y", "manager: this is no dn\n"), code=21)
    with case("ldapmodify: add, replace, delete in one change"):
        run("ldapmodify", text=f"dn: uid=lu-one,{HOME}\nchangetype: modify\nadd: title\ntitle: Engineer\n-\nreplace: sn\n"
            f"sn: Replaced\n-\ndelete: mail\nmail: lu-one@ldap-utils.example\n-\n")
        entry = search("-b", f"uid=lu-one,{HOME}", "*")[0]
        equal([values(entry, n) for n in ["title", "sn", "mail"]], [["Engineer"], ["Replaced"], []])
    with case("ldapmodify: one bad part and nothing is changed"):
        run("ldapmodify", code=16, text=f"dn: uid=lu-one,{HOME}\nchangetype: modify\nreplace: title\ntitle: Lost\n-\n"
            f"delete: description\ndescription: not there\n-\n")
        equal(values(search("-b", f"uid=lu-one,{HOME}", "title")[0], "title"), ["Engineer"])
    with case("ldapmodify: a value twice is 20"):
        run("ldapmodify", code=20, text=f"dn: uid=lu-one,{HOME}\nchangetype: modify\nadd: title\ntitle: engineer\n-\n")
    with case("ldapmodify: the RDN's value stays (67)"):
        # slapd says 64 here; RFC 4511 §4.6 has 67 for it.
        run("ldapmodify", code=(67, 64) if tap.is_slapd(SERVER) else 67, text=f"dn: uid=lu-one,{HOME}\nchangetype: modify\ndelete: uid\nuid: lu-one\n-\n")
    with case("ldapmodify: operational attributes are not for users"):
        _, error = run("ldapmodify", code=19, text=f"dn: uid=lu-one,{HOME}\nchangetype: modify\nreplace: creatorsName\n"
                       f"creatorsName: {BASE}\n-\n")
        true("19" in error, error)
    with case("ldapmodify: a reader may not write (50)"):
        run("ldapmodify", who=SERVICE["dn"], code=50,
            text=f"dn: uid=lu-one,{HOME}\nchangetype: modify\nreplace: title\ntitle: Intruder\n-\n")
    with case("groups: member makes memberOf at once, and takes it away"):
        group, member = f"cn=lu-group,{HOME}", f"uid=lu-one,{HOME}"
        run("ldapadd", text=f"dn: {group}\nobjectClass: groupOfNames\ncn: lu-group\nmember: {member}\nmember: uid=lu-two,{HOME}\n")
        equal([v.lower() for v in values(search("-b", member, "-s", "base", "memberOf")[0], "memberOf")], [group])
        equal(len(search("-b", HOME, f"(memberOf={group})", "1.1")), 2, "found by memberOf")
        run("ldapmodify", text=f"dn: {group}\nchangetype: modify\ndelete: member\nmember: {member}\n-\n")
        equal(values(search("-b", member, "-s", "base", "memberOf")[0], "memberOf"), [])
    with case("ldapcompare: true is 6, false is 5, an absent attribute is 16"):
        run("ldapcompare", f"uid=lu-one,{HOME}", "TITLE:engineer", code=6)
        run("ldapcompare", f"uid=lu-one,{HOME}", "title:gardener", code=5)
        run("ldapcompare", f"uid=lu-one,{HOME}", "description:x", code=16)
    with case("ldapmodrdn: a new name, the old one gone, the id kept"):
        # A user name never changes, so it is a cn that is renamed.
        run("ldapadd", text=f"dn: cn=old-name,{HOME}\nobjectClass: device\ncn: old-name\n")
        before = values(search("-b", f"cn=old-name,{HOME}", "entryUUID")[0], "entryUUID")
        run("ldapmodrdn", "-r", f"cn=old-name,{HOME}", "cn=new-name")
        entry = search("-b", f"cn=new-name,{HOME}", "cn", "entryUUID")[0]
        equal([values(entry, "cn"), values(entry, "entryUUID")], [["new-name"], before])
        run("ldapsearch", "-b", f"cn=old-name,{HOME}", "-s", "base", code=32)
    with case("ldapmodrdn: a subtree under another parent"):
        run("ldapadd", text=f"dn: ou=from,{HOME}\nobjectClass: organizationalUnit\nou: from\n\n"
            f"dn: ou=to,{HOME}\nobjectClass: organizationalUnit\nou: to\n\ndn: cn=leaf,ou=from,{HOME}\nobjectClass: device\ncn: leaf\n")
        run("ldapmodrdn", "-r", "-s", f"ou=to,{HOME}", f"ou=from,{HOME}", "ou=moved")
        equal(len(search("-b", f"cn=leaf,ou=moved,ou=to,{HOME}", "-s", "base", "1.1")), 1, "the leaf")
    with case("ldapmodrdn: onto one that is there is 68"):
        run("ldapadd", text=f"dn: cn=taken,{HOME}\nobjectClass: device\ncn: taken\n")
        run("ldapmodrdn", "-r", f"cn=taken,{HOME}", "cn=new-name", code=68)
    with case("ldapdelete: with children is 66, leaves first works"):
        run("ldapdelete", f"ou=to,{HOME}", code=66)
        run("ldapdelete", f"cn=leaf,ou=moved,ou=to,{HOME}", f"ou=moved,ou=to,{HOME}", f"ou=to,{HOME}")
        run("ldapsearch", "-b", f"ou=to,{HOME}", "-s", "base", code=32)


def passwords():
    one, two = f"uid=lu-three,{HOME}", f"uid=lu-two,{HOME}"
    first, second, third = "Plum-Harbour-71-first", "Plum-Harbour-72-second", "Plum-Harbour-73-third"
    with case("ldappasswd: an administrator sets one, and it binds"):
        run("ldappasswd", "-T", secret(first), one)
        # A password that an administrator set may have to be changed first; the owner's change ends that.
        run("ldappasswd", "-a", first, "-T", secret(second), who=one, password=first) if tap.is_slapd(SERVER) else \
            change_after_reset(one, first, second)
        equal(run("ldapwhoami", who=one, password=second)[0].strip().lower(), f"dn:{one}".lower())
    with case("ldappasswd: the owner changes it, the old one is dead"):
        run("ldappasswd", "-a", second, "-T", secret(third), who=one, password=second)
        run("ldapwhoami", who=one, password=second, code=49)
        run("ldapwhoami", who=one, password=third)
    with case("ldappasswd: a wrong old password changes nothing"):
        run("ldappasswd", "-a", "not-the-old-one", "-T", secret("Plum-Harbour-74-fourth"), who=one, password=third, code=FAILED)
        run("ldapwhoami", who=one, password=third)
    with case("ldappasswd: nobody changes another's"):
        out, _ = run("ldappasswd", "-T", secret(first), two, who=one, password=third, code=FAILED)
        # A server that hides other people's entries does not say that this one exists.
        true("(50)" in out or "(32)" in out, out)
    with case("ldappasswd: without a new one, the server makes one that binds"):
        out, _ = run("ldappasswd", one)
        made = re.search(r"New password: (.+)", out)
        true(made, f"none in {out!r}")
        done, error = subprocess_any("ldapwhoami", "-x", "-e", "ppolicy", "-H", SERVER["ldap"], "-D", one, "-y", secret(made[1]))
        true("Invalid credentials" not in error, f"{done}{error}")
    with case("-e ppolicy: a change after a reset is told, and is the only thing allowed"):
        run("ldapadd", text=person("lu-reset", f"userPassword: {first}\n"))
        run("ldapmodify", text=f"dn: uid=lu-reset,{HOME}\nchangetype: modify\nreplace: userPassword\nuserPassword: {second}\n-\n"
                               + ("" if tap.is_slapd(SERVER) else "replace: pwdReset\npwdReset: TRUE\n-\n"))
        out, error = subprocess_any("ldapwhoami", "-x", "-e", "ppolicy", "-H", SERVER["ldap"], "-D", f"uid=lu-reset,{HOME}",
                                    "-y", secret(second))
        true("must be changed" in (out + error).lower() or "change after reset" in (out + error).lower(), out + error)
    with case("-e ppolicy: a wrong password says nothing more than 49"):
        out, error = subprocess_any("ldapwhoami", "-x", "-e", "ppolicy", "-H", SERVER["ldap"], "-D", one, "-y", secret("wrong"))
        true("(49)" in error and "locked" not in (out + error).lower(), out + error)


def change_after_reset(who, old, new):
    """The owner's first change: bind with the ppolicy control, which admits to nothing else."""
    out, error = subprocess_any("ldappasswd", "-x", "-e", "ppolicy", "-H", SERVER["ldap"], "-D", who, "-y", secret(old),
                                "-a", old, "-T", secret(new))
    true("(49)" not in error and "(50)" not in error and "(53)" not in error, f"{out}{error}")


def removing():
    with case("ldapdelete: all that this script made"):
        for dn, _ in reversed(search("-b", HOME, "1.1")):
            run("ldapdelete", dn)
        run("ldapsearch", "-b", HOME, "-s", "base", code=32)


ways_in()
reading()
writing()
passwords()
removing()
tap.finish()
