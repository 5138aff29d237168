"""The differences from slapd that are meant. Each is a row of docs/conformance/ldap.md, and a predicate that admits this one and no other.

A predicate sees the operation, the signature of the difference (`code 0 and 53`, `entries missing`, `attribute cn`, …), slapd's answer,
ours, and the pair of servers, for a look at what slapd holds.
"""

from collections import namedtuple

from kit import wire

Explained = namedtuple("Explained", "name reason applies")

SUFFIX = "dc=example,dc=com"
PRINTABLE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'()+,-./:=? "
DN_VALUED = ("member", "uniquemember", "manager", "seealso", "memberof", "owner", "roleoccupant", "secretary")


def filters(f):
    """A filter and all that it is made of."""
    yield f
    if f[0] in ("and", "or", "not"):
        for part in f[1:]:
            yield from filters(part)


def attribute_of(f):
    """The attribute that an item asks for, in lower case, without options."""
    name = f[2] if f[0] == ":=" else f[1] if f[0] in ("=", ">=", "<=", "~=", "sub", "present") else None
    return name.lower().split(";")[0] if name else None


def entries_differ(operation, signature):
    """A search that finds more or less; with a size limit it may be the limit that tells."""
    found = ("entries missing", "entries too many")
    return operation[0] == "search" and signature in (found + ("code 0 and 4", "code 4 and 0") if operation[6] else found)


def is_there(pair, dn):
    """Whether slapd holds this entry."""
    return pair.theirs.call(wire.search(dn, 0, attributes=["1.1"])).code == 0


def plain(dn):
    return dn.lower().replace(" ", "")


def approximate(operation, signature, theirs, ours, pair):
    return entries_differ(operation, signature) and any(f[0] == "~=" for f in filters(operation[3]))


def user_name_is_fixed(operation, signature, theirs, ours, pair):
    """A rename, or new values, that slapd did and that would have taken an account's user name."""
    return (theirs.code == 0 and ours.code == 19 and ours.text == "uid: the username of an account never changes"
            and operation[0] in ("modify_dn", "modify"))


def name_is_taken(operation, signature, theirs, ours, pair):
    """A user name or mail address that another entry has already."""
    if theirs.code != 0 or ours.code not in (19, 68) or "is taken" not in ours.text:
        return False
    if operation[0] == "add":
        values = [v for name, values in operation[2] if name.lower() in ("uid", "mail") for v in values]
    elif operation[0] == "modify":
        values = [v for kind, name, values in operation[2] if kind in (0, 2) and name.lower() in ("uid", "mail") for v in values]
    else:
        values = [operation[2].split("=", 1)[-1].encode()]
    return any(len(pair.theirs.call(wire.search(SUFFIX, 2, ("or", ("=", "uid", v), ("=", "mail", v)), ["1.1"])).entries) > 1
               for v in values)


def outside(operation, signature, theirs, ours, pair):
    """A write outside every naming context: slapd knows of no server to refer to and says 53, we have no such entry (RFC 4511 §4.1.9)."""
    return (operation[0] in ("add", "modify", "modify_dn", "delete") and theirs.code == 53 and ours.code in (32, 19, 65)
            and not plain(operation[1]).endswith(SUFFIX))


def root_as_superior(operation, signature, theirs, ours, pair):
    """A move to right below the root, where no naming context of ours is."""
    return signature == "code 71 and 32" and operation[0] == "modify_dn" and not plain(operation[4] or "").endswith(SUFFIX)


def references_follow(operation, signature, theirs, ours, pair):
    """slapd's value names an entry that is not there (any more); ours follows a rename, and goes with the entry."""
    if not signature.startswith("attribute ") or signature.split(" ", 1)[1] not in DN_VALUED:
        return False
    if operation[0] not in ("modify_dn", "delete", "search"):
        return False
    name = signature.split(" ", 1)[1]
    found = pair.theirs.call(wire.search(SUFFIX, 2, ("present", name), [name])).entries
    values = {v.decode("utf-8", "replace") for _, attributes in found for _, vs in attributes for v in vs}
    return any(not is_there(pair, value) for value in values)


def no_texts_in_groups(operation, signature, theirs, ours, pair):
    """A group that would hold the name of an entry that is not there."""
    return (operation[0] in ("add", "modify") and theirs.code in (0, 65) and ours.code == 19
            and ours.text.startswith("there is no entry ") and ours.text.endswith(" that could be a member"))


def no_cycles(operation, signature, theirs, ours, pair):
    """A group that would be its own member, through others or at once."""
    return operation[0] in ("add", "modify") and theirs.code == 0 and ours.code == 19 and "cycle" in ours.text


def matched_of_rename(operation, signature, theirs, ours, pair):
    """slapd names no matched DN when the parent of the entry to be renamed, or the new one, is not there, nor the alias that something was
    to be put below; we do, as everywhere."""
    if signature == "matched DN" and theirs.code == ours.code == 33 and theirs.matched == "" and operation[0] in ("add", "modify_dn"):
        return bool(pair.theirs.call(wire.search(ours.matched, 0, ("=", "objectClass", b"alias"))).entries)
    return (operation[0] == "modify_dn" and signature == "matched DN" and theirs.code == ours.code == 32 and theirs.matched == ""
            and any(plain(name or "").endswith("," + plain(ours.matched)) for name in (operation[1], operation[4]))
            and is_there(pair, ours.matched))


def exists_first(operation, signature, theirs, ours, pair):
    """An entry that is there already is said to be there, whatever else is wrong with the new one; so is a parent that is not."""
    if operation[0] != "add" or theirs.code not in (64, 65):
        return False
    above = operation[1].split(",", 1)[1]
    return ((ours.code == 68 and is_there(pair, operation[1])) or (ours.code == 32 and not is_there(pair, above))
            or (ours.code == 33 and bool(pair.theirs.call(wire.search(above, 0, ("=", "objectClass", b"alias"))).entries)))


def naming_value(operation, signature, theirs, ours, pair):
    """RFC 4511 §4.6: removing a value of the RDN is notAllowedOnRDN; slapd says namingViolation when it was the last one."""
    return operation[0] == "modify" and signature == "code 64 and 67" and "is not present in entry" in theirs.text


def boolean_case(operation, signature, theirs, ours, pair):
    """RFC 4517 §3.3.3 writes TRUE and FALSE in ABNF, which has no case: an assertion may too."""
    if operation[0] == "compare":
        return operation[2].lower() == "hassubordinates" and operation[3] in (b"true", b"false") and theirs.code == 21 and ours.code in (5, 6, 32)
    return entries_differ(operation, signature) and any(
        attribute_of(f) == "hassubordinates" and f[2 if f[0] == "=" else 3] in (b"true", b"false")
        for f in filters(operation[3]) if f[0] in ("=", ":="))


def spaces_in_parts(operation, signature, theirs, ours, pair):
    """RFC 4518 §2.6.1: a prepared value begins and ends with a space, so a part may too; a part of nothing but characters that §2.2 maps to
    nothing is a space."""
    def spaced(f):
        parts = (part.strip(b"\x00") for part in (f[2], *f[3], f[4]) if part) if f[0] == "sub" else ()
        return any(not part or part[:1] == b" " or part[-1:] == b" " for part in parts)
    return entries_differ(operation, signature) and any(spaced(f) for f in filters(operation[3]))


def structural_class(operation, signature, theirs, ours, pair):
    """structuralObjectClass has one value (RFC 4512 §3.4.3), compared by objectIdentifierMatch; slapd lets superclasses match too."""
    if operation[0] == "compare":
        return operation[2].lower() == "structuralobjectclass" and theirs.code == 6 and ours.code == 5
    return entries_differ(operation, signature) and any(attribute_of(f) == "structuralobjectclass" for f in filters(operation[3]))


def prohibited(operation, signature, theirs, ours, pair):
    """RFC 4518 §2.4: an assertion with a character that is prohibited (U+FFFD here) is Undefined."""
    def values(f):
        return [v for v in (f[2], *f[3], f[4]) if v] if f[0] == "sub" else [v for v in f[1:] if isinstance(v, bytes)]
    return entries_differ(operation, signature) and any(b"\xef\xbf\xbd" in v for f in filters(operation[3])
                                                        if f[0] not in ("and", "or", "not") for v in values(f))


def telephone_numbers(operation, signature, theirs, ours, pair):
    """An assertion with characters that no telephone number has: it is prepared like any other and equals none; slapd says Undefined."""
    def foreign(f):
        if f[0] not in ("=", ":=") or not (attribute_of(f) == "telephonenumber" or f[1] == "telephoneNumberMatch"):
            return False
        return any(chr(b) not in PRINTABLE for b in f[2 if f[0] == "=" else 3])
    return entries_differ(operation, signature) and any(foreign(f) for f in filters(operation[3]))


def compare_of_nothing(operation, signature, theirs, ours, pair):
    """slapd answers a compare with success, which is none of the answers that a compare has, where there is no entry."""
    return operation[0] == "compare" and theirs.code == 0 and ours.code == 32 and not is_there(pair, operation[1])


def both_member_attributes(operation, signature, theirs, ours, pair):
    """slapd's memberOf comes from an overlay per member attribute; when a member is renamed, each writes its own attribute into a group that
    may have both."""
    both = ("and", ("present", "member"), ("present", "uniqueMember"))
    return (operation[0] == "modify_dn" and signature in ("attribute member", "attribute uniquemember")
            and bool(pair.theirs.call(wire.search(SUFFIX, 2, both, ["1.1"])).entries))


def class_by_rule(operation, signature, theirs, ours, pair):
    """RFC 4512 §2.4.1: the superclasses are values of objectClass too; slapd's objectIdentifierMatch does not know that."""
    return entries_differ(operation, signature) and any(f[0] == ":=" and f[1] == "objectIdentifierMatch" for f in filters(operation[3]))


def nameless_posix_group(operation, signature, theirs, ours, pair):
    """posixGroup here is that of RFC 2307bis, which goes with groupOfNames and does not demand cn."""
    return (operation[0] in ("add", "modify", "modify_dn") and theirs.code == 65 and ours.code == 0
            and theirs.text == "object class 'posixGroup' requires attribute 'cn'")


def has_subordinates(operation, signature, theirs, ours, pair):
    """slapd computes hasSubordinates for equality and presence only; in an extensible match no entry has it."""
    return entries_differ(operation, signature) and any(f[0] == ":=" and attribute_of(f) == "hassubordinates" for f in filters(operation[3]))


def entry_dn(operation, signature, theirs, ours, pair):
    """RFC 5020 gives entryDN an equality rule; slapd does not compare by it."""
    return operation[0] == "compare" and operation[2].lower() == "entrydn" and theirs.text == "entryDN compare not supported"


def empty_groups(operation, signature, theirs, ours, pair):
    """A group that nobody is in (any more)."""
    return (operation[0] in ("add", "modify") and theirs.code == 65 and ours.code == 0
            and theirs.text.endswith(("requires attribute 'member'", "requires attribute 'uniqueMember'")))


def addresses(operation, signature, theirs, ours, pair):
    """An account's mail value that is no address, or a user name that cannot be one."""
    return (operation[0] in ("add", "modify", "modify_dn") and theirs.code == 0 and ours.code == 19
            and ours.text.startswith(("the e-mail address cannot be used", "the username cannot be used")))


EXPLAINED = [
    Explained("approximate match", "RFC 4511 leaves it to the server; slapd compares by sound, we compare for equality", approximate),
    Explained("outside the naming contexts", "noSuchObject for writes as for reads, where slapd says unwillingToPerform", outside),
    Explained("below the root", "noSuchObject for a new superior outside the naming contexts, where slapd says affectsMultipleDSAs",
              root_as_superior),
    Explained("user names never change", "a user name is fixed once an account has it: constraintViolation", user_name_is_fixed),
    Explained("user names and mail addresses are unique", "one account per name in the whole deployment: refused", name_is_taken),
    Explained("references follow", "values that name an entry follow its rename and go with it; slapd's name what is not there",
              references_follow),
    Explained("groups with both member attributes", "a rename changes the value that is there; slapd's overlays write both attributes",
              both_member_attributes),
    Explained("groups hold entries", "a member is an entry, not a text: constraintViolation for one that is not there", no_texts_in_groups),
    Explained("groups have no cycles", "nested groups are followed, so a cycle is refused: constraintViolation", no_cycles),
    Explained("matched DN of a rename", "always the deepest entry that is there, where slapd's modifyDN names none", matched_of_rename),
    Explained("the tree before the schema", "an add of what is there is 68, below what is not is 32, whatever its attributes; slapd looks at the "
              "schema first", exists_first),
    Explained("notAllowedOnRDN", "RFC 4511 §4.6 asks for it; slapd says namingViolation for the last value", naming_value),
    Explained("classes by objectIdentifierMatch", "superclasses are values of objectClass (RFC 4512 §2.4.1); slapd's rule passes them over",
              class_by_rule),
    Explained("posixGroup of RFC 2307bis", "cn is optional there; slapd's nis.schema is RFC 2307's", nameless_posix_group),
    Explained("prohibited characters", "RFC 4518 §2.4: an assertion with one is Undefined; slapd compares it", prohibited),
    Explained("telephone numbers in other characters", "an assertion is prepared (RFC 4518 §2.6.3, foreign hyphens too) and equals none; slapd "
              "takes it for Undefined", telephone_numbers),
    Explained("compare of what is not there", "noSuchObject; slapd answers success for hasSubordinates", compare_of_nothing),
    Explained("compare of entryDN", "by its equality rule (RFC 5020); slapd has no comparison for it", entry_dn),
    Explained("hasSubordinates in extensible matches", "is evaluated as anywhere else; slapd takes it for absent", has_subordinates),
    Explained("groups may be empty", "nobody is made a member for the schema's sake: member and uniqueMember are optional", empty_groups),
    Explained("addresses and user names have a form", "what cannot be signed in with is refused: constraintViolation", addresses),
    Explained("booleans without case", "TRUE and true are the same assertion", boolean_case),
    Explained("spaces at the ends of substrings", "RFC 4518 §2.6.1: they match the space that every prepared value begins and ends with",
              spaces_in_parts),
    Explained("structuralObjectClass", "matches the class itself; slapd lets superclasses match", structural_class),
]
