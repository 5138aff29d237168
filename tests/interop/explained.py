"""The differences from slapd that are meant. Each is a row of docs/conformance/ldap.md, and a predicate that admits this one and no other.

A predicate sees the operation, the signature of the difference (`code 0 and 53`, `entries missing`, `attribute cn`, …), slapd's answer,
ours, and the pair of servers, for a look at what slapd holds.
"""

from collections import namedtuple

from kit import wire

Explained = namedtuple("Explained", "name reason applies")


def filters(f):
    """A filter and all that it is made of."""
    yield f
    if f[0] in ("and", "or", "not"):
        for part in f[1:]:
            yield from filters(part)


def approximate(operation, signature, theirs, ours, pair):
    return (operation[0] == "search" and signature in ("entries missing", "entries too many")
            and any(f[0] == "~=" for f in filters(operation[3])))


def user_name_is_fixed(operation, signature, theirs, ours, pair):
    """A rename of an account's user name that slapd did and we refuse."""
    return (operation[0] == "modify_dn" and theirs.code == 0 and ours.code == 53 and operation[1].lower().startswith("uid=")
            and operation[2].lower() != operation[1].split(",", 1)[0].lower())


def name_is_taken(operation, signature, theirs, ours, pair):
    """A user name or mail address that another entry has already."""
    if theirs.code != 0 or ours.code not in (19, 68):
        return False
    if operation[0] == "add":
        values = [v for name, values in operation[2] if name.lower() in ("uid", "mail") for v in values]
    elif operation[0] == "modify":
        values = [v for kind, name, values in operation[2] if kind in (0, 2) and name.lower() in ("uid", "mail") for v in values]
    else:
        return False
    return any(len(pair.theirs.call(wire.search("dc=example,dc=com", 2, ("or", ("=", "uid", v), ("=", "mail", v)), ["1.1"])).entries) > 1
               for v in values)


def outside(operation, signature, theirs, ours, pair):
    """A write outside every naming context: slapd knows of no server to refer to and says 53, we have no such entry (RFC 4511 §4.1.9)."""
    return (signature == "code 53 and 32" and operation[0] in ("add", "modify", "modify_dn", "delete")
            and theirs.text == "no global superior knowledge" and not operation[1].lower().replace(" ", "").endswith("dc=example,dc=com"))


EXPLAINED = [
    Explained("approximate match", "RFC 4511 leaves it to the server; slapd compares by sound, we compare for equality", approximate),
    Explained("outside the naming contexts", "noSuchObject for writes as for reads, where slapd says unwillingToPerform", outside),
    Explained("user names never change", "a user name is fixed once an account has it: unwillingToPerform", user_name_is_fixed),
    Explained("user names and mail addresses are unique", "one account per name in the whole deployment: refused", name_is_taken),
]
