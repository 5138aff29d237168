#!/usr/bin/env python3
"""OpenLDAP's slapd as a differential oracle: the same LDIF and the same generated operations to both, answers compared.

A part of fixtures/org is added below `ou=oracle` of the server under test and of a private slapd; then ORACLE_OPERATIONS (5000) operations
from ORACLE_SEED (1) go to both. Compared are the result code, the matched DN, and of a search the entries: names, attributes, values.
Not compared: diagnostic messages, the order of anything, and the operational attributes in OWN, which cannot be equal.
A difference is either in EXPLAINED, with its reason and a predicate of its own, or a failure. After a write that went differently the server
under test is brought back to what slapd holds, so that each difference stands alone.
"""

import json
import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from urllib.parse import urlparse

from explained import EXPLAINED
from kit import ldif, operations, tap, wire
from kit.slapd import ADMIN, PASSWORD, Slapd
from kit.tap import case, equal, true

SERVER = tap.demo()
BASE = SERVER["base_dn"]
HOME = f"ou=oracle,{BASE}"
COUNT = int(os.environ.get("ORACLE_OPERATIONS", "5000"))
SEED = int(os.environ.get("ORACLE_SEED", "1"))
SHOWN = 60

# Operational attributes that two servers cannot have alike, or that only one of them has.
OWN = {"entryuuid", "entrycsn", "contextcsn", "createtimestamp", "modifytimestamp", "creatorsname", "modifiersname", "subschemasubentry",
       "numsubordinates", "numallsubordinates"}
OWN_PREFIXES = ("pwd", "rollbook")
DN_VALUED = {"member", "uniquemember", "manager", "seealso", "memberof", "entrydn", "owner", "roleoccupant", "secretary"}
NO_CASE = {"objectclass", "structuralobjectclass"}


def same_dn(text):
    """One spelling of a DN that both servers made; they may differ in case, spaces and escapes."""
    text = re.sub(r"\\([0-9a-fA-F]{2})", lambda m: chr(int(m[1], 16)) if chr(int(m[1], 16)) not in ',+"\\<>;=' else m[0], text)
    text = re.sub(r"\s*([,+=])\s*", r"\1", text).lower()
    # The assertions of an RDN have no order.
    return ",".join("+".join(sorted(rdn.split("+"))) if "+" in rdn else rdn for rdn in text.split(","))


# We return an attribute under the name that the request gives it (RFC 4511 §4.5.1.8 allows either); slapd under its first name.
FIRST_NAMES = {"commonname": "cn", "surname": "sn", "rfc822mailbox": "mail", "userid": "uid", "2.5.4.3": "cn",
               "0.9.2342.19200300.100.1.3": "mail", "organizationalunitname": "ou"}


def normal(entry):
    """(DN, {attribute: values}) in a form that can be compared."""
    dn, attributes = entry
    out = {}
    for name, values in attributes:
        first, *options = name.lower().split(";")
        low = ";".join([FIRST_NAMES.get(first, first), *sorted(options)])
        if low in OWN or low.startswith(OWN_PREFIXES):
            continue
        if low in DN_VALUED:
            values = [same_dn(v.decode("utf-8", "replace")).encode() for v in values]
        elif low in NO_CASE:
            values = [v.lower() for v in values]
        out[low] = sorted(values)
    return same_dn(dn), out


def difference(operation, theirs, ours):
    """None, or (signature, text) of the first thing that differs: `theirs` is slapd's answer. The signature says what kind it is."""
    if theirs.code != ours.code:
        return f"code {theirs.code} and {ours.code}", f"slapd answers {theirs.code} ({theirs.text}), we {ours.code} ({ours.text})"
    if same_dn(theirs.matched) != same_dn(ours.matched):
        return "matched DN", f"slapd's matched DN is {theirs.matched!r}, ours {ours.matched!r}"
    if operation[0] == "search":
        if operation[6] and theirs.code == 4:
            # Which entries come before the limit is not said anywhere: only their number is.
            if len(theirs.entries) != len(ours.entries):
                return "number of entries at the limit", f"slapd sends {len(theirs.entries)}, we {len(ours.entries)}"
            return None
        return entries_differ(theirs.entries, ours.entries)
    return None


def entries_differ(theirs, ours):
    names = Counter(same_dn(dn) for dn, _ in ours)
    twice = [dn for dn, n in names.items() if n > 1]
    # slapd itself does, for what aliases stand for in a search of the children.
    if twice and not tap.is_slapd(SERVER):
        return "an entry twice", f"we send {twice[0]} more than once"
    left, right = dict(map(normal, theirs)), dict(map(normal, ours))
    if left.keys() - right.keys():
        return "entries missing", f"slapd has {len(left)} entries, we {len(right)}; missing: {sorted(left.keys() - right.keys())[:3]}"
    if right.keys() - left.keys():
        return "entries too many", f"slapd has {len(left)} entries, we {len(right)}; too many: {sorted(right.keys() - left.keys())[:3]}"
    for dn, attributes in left.items():
        for name in sorted(attributes.keys() | right[dn].keys()):
            here, there = attributes.get(name), right[dn].get(name)
            if here != there:
                return f"attribute {name}", f"{dn}: {name}: slapd has {here}, we have {there}"
    return None


def request(operation):
    """The octets of an operation."""
    kind, *arguments = operation
    return getattr(wire, kind)(*arguments)


def text(operation):
    """An operation in a line that a person can run again."""
    kind, *a = operation
    if kind == "search":
        more = "".join(f" {name}={value}" for name, value in [("deref", a[4]), ("sizelimit", a[5]), ("typesonly", a[7]), *[("page", n) for n in a[8:]]]
                       if value)
        return f"search base={a[0]!r} scope={a[1]} filter={wire.filter_text(a[2])} attributes={list(a[3])}{more}"
    if kind == "modify":
        names = {0: "add", 1: "delete", 2: "replace", 3: "increment"}
        return f"modify {a[0]!r} " + "; ".join(f"{names.get(k, k)} {n!r} {list(v)}" for k, n, v in a[1])
    if kind == "add":
        return f"add {a[0]!r} {dict(a[1])}"
    if kind == "modify_dn":
        return f"modify_dn {a[0]!r} newrdn={a[1]!r} deleteoldrdn={a[2]} newsuperior={a[3]!r}"
    return f"{kind} " + " ".join(map(repr, a))


def smaller(operation):
    """Searches that ask for less than this one, the smallest first."""
    kind, base, scope, f, attributes, deref, size, time, types_only = operation[:9]
    if operation[9:]:
        yield operation[:9]
    if f[0] in ("and", "or", "not"):
        for part in f[1:]:
            yield kind, base, scope, part, attributes, deref, size, time, types_only
        if f[0] != "not" and len(f) > 2:
            for at in range(1, len(f)):
                yield kind, base, scope, f[:at] + f[at + 1:], attributes, deref, size, time, types_only
        for at in range(1, len(f)):
            if f[at][0] in ("and", "or", "not"):
                for part in f[at][1:]:
                    yield kind, base, scope, f[:at] + (part,) + f[at + 1:], attributes, deref, size, time, types_only
    if attributes != ("1.1",):
        yield kind, base, scope, f, ("1.1",), deref, size, time, types_only
    if len(attributes) > 1:
        for name in attributes:
            yield kind, base, scope, f, (name,), deref, size, time, types_only
    if f != ("present", "objectClass"):
        yield kind, base, scope, ("present", "objectClass"), attributes, deref, size, time, types_only
    if deref or size or types_only:
        yield kind, base, scope, f, attributes, 0, 0, time, False


def dn_values(name, values):
    return values if name.lower() in DN_VALUED else []


def gone(value, names):
    """A value names an entry of the sandbox that is not among `names`."""
    key = same_dn(value.decode("utf-8", "replace"))
    return key.endswith(HOME.lower()) and key not in names


class Pair:
    """slapd and the server under test, asked the same."""

    def __init__(self, theirs, ours):
        self.theirs, self.ours = theirs, ours
        self.slapds = [theirs, ours] if tap.is_slapd(SERVER) else [theirs]

    def ask(self, operation):
        if operation[0] == "search" and operation[9:]:
            octets = wire.search(*operation[1:9])
            return self.theirs.pages(octets, operation[9]), self.ours.pages(octets, operation[9])
        octets = request(operation)
        return tuple(self.call(client, octets, operation) for client in (self.theirs, self.ours))

    def call(self, client, octets, operation):
        if operation[0] != "modify_dn" or client not in self.slapds:
            return client.call(octets)
        parked = self.park(client, operation[1])
        answer = client.call(octets)
        self.unpark(client, parked)
        return answer

    def park(self, client, dn):
        """slapd's memberOf follows a group that is renamed, but not one whose ancestor is, and is beyond repair then (a client may not
        write it). So the groups below give up their members before a rename, and get them back after it."""
        groups = client.call(wire.search(dn, 3, ("or", ("present", "member"), ("present", "uniqueMember")),
                                              ["member", "uniqueMember", "entryUUID"])).entries
        parked = []
        for name, attributes in groups:
            uuid = next(v[0] for n, v in attributes if n == "entryUUID")
            for attribute, values in attributes:
                if attribute != "entryUUID" and client.call(wire.modify(name, [(2, attribute, [BASE])])).code == 0:
                    parked.append((uuid, attribute, values))
        return parked

    def unpark(self, client, parked):
        for uuid, attribute, values in parked:
            (name, _), = client.call(wire.search(HOME, 2, ("=", "entryUUID", uuid), ["1.1"])).entries
            answer = client.call(wire.modify(name, [(2, attribute, values)]))
            if answer.code != 0:
                raise RuntimeError(f"{name} does not get its members back: {answer.code} {answer.text}")

    def differ(self, operation):
        answers = self.ask(operation)
        return difference(operation, *answers), answers

    def shrink(self, operation, signature):
        """The smallest search on the way down that still differs in the same way."""
        again = True
        while again:
            again = False
            for candidate in smaller(operation):
                found, _ = self.differ(candidate)
                if found and found[0] == signature:
                    operation, again = candidate, True
                    break
        return operation

    def dump(self, client):
        """All of the sandbox: {comparable DN: (DN, attributes as sent)}."""
        answer = client.call(wire.search(HOME, attributes=["*", "memberOf"]))
        if answer.code != 0:
            raise RuntimeError(f"the sandbox cannot be read: {answer.code} {answer.text}")
        return {same_dn(dn): (dn, attributes) for dn, attributes in answer.entries}

    def mend(self):
        """slapd's values that name what is not there any more become what ours are."""
        left, right = self.dump(self.theirs), self.dump(self.ours)
        for key in left.keys() & right.keys():
            ours = {n.lower(): v for n, v in right[key][1]}
            for name, values in left[key][1]:
                if name.lower() != "memberof" and any(gone(v, left) for v in dn_values(name, values)):
                    kept = [v for v in ours.get(name.lower(), []) if not gone(v, left)]
                    if any([c.call(wire.modify(left[key][0], [(2, name, kept)])).code for c in self.slapds]):
                        # A group without a member, which slapd cannot hold.
                        self.drop(left[key][0])
                        break

    def reconcile(self):
        """Makes the server under test hold what slapd holds; what it refuses goes away in both. Returns the DNs that are left."""
        for _ in range(3):
            self.mend()
            left, right = self.dump(self.theirs), self.dump(self.ours)
            for key in sorted(right.keys() - left.keys(), key=len, reverse=True):
                self.ours.call(wire.delete(right[key][0]))
            for key in sorted(k for k in left.keys() & right.keys() if normal(left[k]) != normal(right[k])):
                wanted, have = ({n.lower(): v for n, v in side[key][1] if n.lower() != "memberof"} for side in (left, right))
                changes = [(2, n, v) for n, v in wanted.items()] + [(2, n, ()) for n in have.keys() - wanted.keys()]
                if self.ours.call(wire.modify(right[key][0], changes)).code != 0:
                    self.drop(left[key][0])
            for key in sorted(left.keys() - right.keys(), key=len):
                dn, attributes = left[key]
                if self.ours.call(wire.add(dn, [(n, v) for n, v in attributes if n.lower() != "memberof"])).code != 0:
                    self.drop(left[key][0])
            left, right = self.dump(self.theirs), self.dump(self.ours)
            if {k: normal(v) for k, v in left.items()} == {k: normal(v) for k, v in right.items()}:
                return [dn for dn, _ in left.values()]
            for key in left:
                if key in right and key != HOME.lower() and normal(left[key]) != normal(right[key]):
                    self.drop(left[key][0])
        raise RuntimeError(f"the two cannot be made to hold the same: {entries_differ(left.values(), right.values())}")

    def drop(self, dn):
        """An entry and what is below it, out of both."""
        for client in (self.theirs, self.ours):
            below = client.call(wire.search(dn, attributes=["1.1"])).entries
            for name in sorted((name for name, _ in below), key=len, reverse=True):
                client.call(wire.delete(name))


def sandbox():
    """Part of the organisation, below HOME: everyone's user name and mail address is unique in a deployment, so they get others here."""
    entries = []
    kept = {HOME.lower()}
    for dn, attributes in ldif.plain(ldif.organisation()):
        low = dn.lower()
        classes = {v.decode().lower() for n, v in attributes if n.lower() == "objectclass"}
        if low == BASE.lower() or "simplesecurityobject" in classes or "o=nordlicht" in low:
            continue
        if "inetorgperson" in classes and ("o=aurora" in low) + len([k for k in kept if k.startswith("uid=")]) > 90:
            continue
        kept.add(moved(dn).lower())
        entries.append((moved(dn), attributes))
    out = [(HOME, [("objectClass", b"organizationalUnit"), ("ou", b"oracle")])]
    aliases = []
    for dn, _ in entries[::11][:12]:
        name = f"alias-{len(aliases)}"
        aliases.append((f"cn={name},{HOME}", [("objectClass", b"alias"), ("objectClass", b"extensibleObject"), ("cn", name.encode()),
                                              ("aliasedObjectName", dn.encode())]))
    aliases.append((f"cn=alias-chain,{HOME}", [("objectClass", b"alias"), ("objectClass", b"extensibleObject"), ("cn", b"alias-chain"),
                                               ("aliasedObjectName", aliases[0][0].encode())]))
    for dn, attributes in entries:
        changed = []
        for name, value in attributes:
            low = name.lower()
            if low == "userpassword":
                continue
            if low in DN_VALUED:
                value = moved(value.decode()).encode()
                if value.decode().lower() not in kept:
                    continue
            if low in ("uid", "mail", "memberuid"):
                value = b"o." + value
            changed.append((name, value))
        classes = {v.decode().lower() for n, v in changed if n.lower() == "objectclass"}
        if "groupofnames" in classes and not any(n.lower() == "member" for n, _ in changed):
            changed.append(("member", HOME.encode()))
        if "groupofuniquenames" in classes and not any(n.lower() == "uniquemember" for n, _ in changed):
            changed.append(("uniqueMember", HOME.encode()))
        out.append((dn, changed))
    return out + aliases


def moved(dn):
    return re.sub(r"(?i)\buid=", "uid=o.", dn[: len(dn) - len(BASE)]) + HOME


def grouped(attributes):
    out = {}
    for name, value in attributes:
        out.setdefault(name, []).append(value)
    return list(out.items())


def checks_itself():
    """The comparison sees what it is there to see: an oracle that cannot fail says nothing."""
    a = ("cn=a,dc=x", [("cn", [b"a"]), ("sn", [b"1", b"2"])])
    operation = ("search", "dc=x", 2, ("present", "cn"), (), 0, 0, 0, False)
    alike = [([a], [("CN=a, dc=x", [("sn", [b"2", b"1"]), ("CN", [b"a"])])])]
    unlike = [([a], []), ([], [a]), ([a], [a, a]), ([a], [("cn=a,dc=x", [("cn", [b"a"])])]),
              ([a], [("cn=a,dc=x", [("cn", [b"A"]), ("sn", [b"1", b"2"])])])]
    for left, right in alike:
        equal(difference(operation, wire.Answer(0, entries=left), wire.Answer(0, entries=right)), None)
    for left, right in unlike:
        true(difference(operation, wire.Answer(0, entries=left), wire.Answer(0, entries=right)), f"{left} and {right} pass for alike")
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "conformance", "ldap.md"), encoding="utf-8") as page:
        rows = page.read()
    for row in EXPLAINED:
        true(f"| {row.name} |" in rows, f"docs/conformance/ldap.md does not explain {row.name!r}")
    true(difference(operation, wire.Answer(0), wire.Answer(32)), "codes")
    true(difference(operation, wire.Answer(32, "dc=x"), wire.Answer(32, "")), "matched DN")


def explanation(operation, found, theirs, ours, pair):
    """The entry of EXPLAINED that this difference falls under, or None."""
    for explained in EXPLAINED:
        if explained.applies(operation, found[0], theirs, ours, pair):
            return explained.name
    return None


def compare_all(pair, world):
    """Runs the operations; returns counts by kind, explained counts, and findings by signature."""
    alike, explained, findings = Counter(), Counter(), {}
    for _ in range(COUNT):
        operation = operations.operation(world)
        kind = operation[0]
        found, (theirs, ours) = pair.differ(operation)
        written = kind in ("add", "modify", "modify_dn", "delete")
        if not found and written and theirs.code == 0:
            found = after(pair, operation)
        if not found:
            alike[kind] += 1
        else:
            name = explanation(operation, found, theirs, ours, pair)
            if name:
                explained[name] += 1
            else:
                least = pair.shrink(operation, found[0]) if kind == "search" else operation
                detail = (pair.differ(least)[0] or found)[1] if kind == "search" else found[1]
                # A smaller search may be what an explanation speaks of.
                name = explanation(least, found, *pair.ask(least), pair) if kind == "search" else None
                if name:
                    explained[name] += 1
                else:
                    signature = (kind, found[0], shape(least))
                    count, best = findings.get(signature, (0, None))
                    line = (text(least), detail)
                    findings[signature] = (count + 1, line if best is None or len(line[0]) < len(best[0]) else best)
        if written and (found or theirs.code == 0):
            if not found and kind in ("delete", "modify_dn"):
                # Without a difference that anybody asked for, slapd may name what is gone: see mend().
                pair.mend()
            world.names = pair.reconcile() if found else names_after(world.names, operation, pair)
    return alike, explained, findings


def shape(operation):
    """What a search's filter or a modification is about, so that a hundred findings of one cause are one."""
    if operation[0] == "search":
        return operation[3][0] if operation[3] != ("present", "objectClass") else "everything"
    if operation[0] == "modify" and len(operation[2]) == 1:
        return operation[2][0][:2]
    return ""


def after(pair, operation):
    """What a write left behind, where it went well in both: the entry, or the whole sandbox after a rename."""
    if operation[0] in ("add", "modify"):
        return pair.differ(("search", operation[1], 0, ("present", "objectClass"), ("*",), 0, 0, 0, False))[0]
    return pair.differ(("search", HOME, 2, ("present", "objectClass"), ("1.1",) if operation[0] == "delete" else ("*",), 0, 0, 0, False))[0]


def names_after(names, operation, pair):
    if operation[0] == "modify":
        return names
    return [dn for dn, _ in pair.theirs.call(wire.search(HOME, attributes=["1.1"])).entries]


def load(pair, entries):
    for dn, attributes in entries:
        for who, client in (("slapd", pair.theirs), ("the server", pair.ours)):
            answer = client.call(wire.add(dn, grouped(attributes)))
            if answer.code != 0:
                raise RuntimeError(f"{who} refuses {dn}: {answer.code} {answer.text}")


def run(folder):
    slapd = Slapd(folder, [(BASE, [("objectClass", b"organization"), ("objectClass", b"dcObject"), ("o", b"Oracle"), ("dc", b"example")])])
    try:
        url = urlparse(SERVER["ldap"])
        pair = Pair(wire.Client("127.0.0.1", slapd.port, ADMIN, PASSWORD),
                    wire.Client(url.hostname, url.port, SERVER["admin"]["dn"], SERVER["admin"]["password"]))
        entries = sandbox()
        loaded = False
        with case("the same LDIF is taken by both"):
            load(pair, entries)
            loaded = True
            found = pair.differ(("search", HOME, 2, ("present", "objectClass"), ("*", "memberOf"), 0, 0, 0, False))[0]
            true(not found, found and found[1])
        if loaded:
            world = operations.World(HOME, [(dn, attributes) for dn, attributes in entries], SEED)
            world.names = pair.reconcile()
            alike, explained, findings = compare_all(pair, world)
            report(alike, explained, findings)
            with case("the sandbox can be taken away"):
                pair.drop(HOME)
                equal([c.call(wire.search(HOME, 0)).code for c in (pair.theirs, pair.ours)], [32, 32])
    finally:
        slapd.stop()


def report(alike, explained, findings):
    for entry in EXPLAINED:
        print(f"# explained, {explained[entry.name]} times: {entry.name}: {entry.reason}")
    by_kind = Counter()
    for (kind, _, _), (count, _) in findings.items():
        by_kind[kind] += count
    for kind in ["search", "compare", "modify", "add", "modify_dn", "delete"]:
        with case(f"{kind}: as slapd does"):
            true(alike[kind] > COUNT // 200, f"only {alike[kind]} were alike")
            true(not by_kind[kind], f"{by_kind[kind]} differences beside {alike[kind]} alike")
        print(f"# {kind}: {alike[kind]} alike, {by_kind[kind]} different")
    for (kind, signature, what), (count, (line, detail)) in sorted(findings.items(), key=lambda f: -f[1][0])[:SHOWN]:
        print(f"# {count} times, {kind}, {signature}, {what}:\n#     {line}\n#     {detail[:600]}")
    if len(findings) > SHOWN:
        print(f"# and {len(findings) - SHOWN} more kinds of difference")
    print(f"# {COUNT} operations from seed {SEED}: {sum(alike.values())} alike, {sum(explained.values())} explained, "
          f"{sum(by_kind.values())} different in {len(findings)} ways")
    summary = {"operations": COUNT, "seed": SEED, "alike": sum(alike.values()), "explained": dict(explained), "different": sum(by_kind.values())}
    print(f"# {json.dumps(summary)}")


if __name__ == "__main__":
    with case("the comparison sees differences, and all that is explained is documented"):
        checks_itself()
    work = tempfile.mkdtemp(prefix="rollbook-oracle-")
    try:
        run(work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    tap.finish()
