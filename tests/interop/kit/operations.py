"""Makes LDAP operations from a seed: mostly sensible ones on what is there, some that are wrong in a chosen way.

The same seed and the same directory give the same operations. `World` holds what the generator knows of the directory: the names that
are there, and values to ask for. An operation is a tuple of its kind and the arguments of the function of that name in `wire`.
"""

import random

PERSON = [("objectClass", [b"top", b"person", b"organizationalPerson", b"inetOrgPerson"])]

TEXT = ["uid", "cn", "sn", "givenName", "displayName", "mail", "telephoneNumber", "title", "ou", "employeeNumber", "l",
        "preferredLanguage", "description", "gecos", "homeDirectory", "loginShell", "memberUid"]
NUMBERS = ["uidNumber", "gidNumber"]
NAMES = ["manager", "member", "uniqueMember", "seeAlso"]
SPECIAL = ["objectClass", "name", "name", "entryDN", "structuralObjectClass", "hasSubordinates", "createTimestamp", "jpegPhoto", "c",
           "memberOf", "memberOf", "aliasedObjectName", "userCertificate", "distinguishedName"]
# RFC 3866 and private options; the last is a range of languages, which only requests have.
OPTIONS = [";lang-de", ";lang-en", ";x-a", ";x-a;lang-fr", ";LANG-de-AT", ";lang-"]
RULES = [None, "caseIgnoreMatch", "2.5.13.2", "caseExactMatch", "integerMatch", "distinguishedNameMatch", "noSuchMatch", "2.5.13.5",
         "1.2.840.113556.1.4.803", "1.2.840.113556.1.4.804", "caseIgnoreOrderingMatch", "caseIgnoreSubstringsMatch", "integerOrderingMatch",
         "telephoneNumberMatch", "caseExactIA5Match", "caseIgnoreIA5Match", "objectIdentifierMatch", "booleanMatch", "generalizedTimeMatch",
         "octetStringMatch", "numericStringMatch", "uniqueMemberMatch"]
ALIASES = ["commonName", "surname", "rfc822Mailbox", "userid", "2.5.4.3", "0.9.2342.19200300.100.1.3", "organizationalUnitName"]
UNKNOWN = ["noSuchAttribute", "sAMAccountName", "1.2.3.4.5.6.7", "x-unknown"]
BROKEN_TYPES = ["", " cn", "c n", "1cn", "cn;", "1..2", "cn;lang de", "*"]
BROKEN_DNS = ["this is no dn", "uid=", "=x,{home}", "uid=a,,{home}", "uid=a+,{home}", "uid=a\\,{home}x\\", "{home},", ",{home}",
              "cn=a;b=c=d,{home}", "1.2.=x,{home}", "uid=a\\zz,{home}", "noSuchAttribute=x,{home}", "cn=\"a,{home}"]
ADD, DELETE, REPLACE, INCREMENT = 0, 1, 2, 3


class World:
    """What the generator knows. `names`: DNs that are there; `values`: attribute in lower case → values seen."""

    def __init__(self, home, entries, seed):
        self.home = home
        self.random = random.Random(seed)
        self.names = [dn for dn, _ in entries]
        self.values = {}
        # As they were loaded; what was changed since then is asked for as well, and then it is a near miss.
        self.facts = [(dn, name, value) for dn, attributes in entries for name, value in attributes]
        self.containers = {dn for dn in self.names if dn.lower().startswith(("ou=", "o="))}
        self.fresh = 0
        for _, attributes in entries:
            for name, value in attributes:
                pool = self.values.setdefault(name.lower(), [])
                if value not in pool:
                    pool.append(value)

    def chance(self, percent):
        return self.random.random() * 100 < percent

    def of(self, items):
        return items[int(self.random.random() * len(items))]

    def new_name(self, prefix):
        self.fresh += 1
        return f"{prefix}-{self.fresh}"

    def leaves(self):
        parents = {dn.split(",", 1)[1].lower() for dn in self.names if "," in dn}
        return [dn for dn in self.names if dn.lower() not in parents]

    def inner(self):
        return [dn for dn in self.names if dn.lower().startswith(("ou=", "o="))]


def operation(w):
    """The next operation."""
    kind = w.random.random() * 100
    for bound, make in [(56, search), (68, compare), (82, modify), (90, add), (96, modify_dn), (100, delete)]:
        if kind < bound:
            return make(w)
    return search(w)


def dn(w, broken=4, missing=8):
    """A name: of an entry, in one of its spellings; of none; or none at all."""
    if w.chance(broken):
        return w.of(BROKEN_DNS).format(home=w.home)
    name = w.of(w.names)
    if w.chance(missing):
        return w.of([f"cn=nobody,{name}", f"uid=missing,ou=nowhere,{w.home}", "dc=nowhere", "dc=com", f"ou=a,ou=b,{name}"])
    if w.chance(15):
        return spelled(w, name)
    return name


def spelled(w, name):
    """The same DN in another spelling."""
    way = int(w.random.random() * 4)
    if way == 0:
        return name.upper() if name.isascii() and "\\" not in name else name
    if way == 1:
        return name.replace(",", " , ").replace("=", " = ") if "\\" not in name else name
    if way == 2:
        return name.replace("uid=", "0.9.2342.19200300.100.1.1=").replace("ou=", "2.5.4.11=").replace("dc=", "DC=")
    head, _, rest = name.partition("=")
    return f"{head}=\\{ord(rest[0]):02x}{rest[1:]}" if rest and rest[0].isalnum() and rest[0].isascii() else name


def search(w):
    base = w.home if w.chance(60) else w.of(w.inner()) if w.chance(50) else dn(w)
    scope = w.of([2, 2, 2, 1, 1, 0, 3]) if not w.chance(1) else w.of([4, 9])
    deref = 0 if not w.chance(10) else w.of([0, 1, 2, 3, 3, 7])
    if deref and w.chance(60):
        aliases = [n for n in w.names if n.lower().startswith("cn=alias-")]
        base = w.of(aliases) if aliases else base
        base = f"cn=below,{base}" if w.chance(10) else base
    size = 0 if not w.chance(5) else w.of([1, 2, 5, 1000])
    made = ("search", base, scope, filter_of(w, 3 if w.chance(95) else 7), attributes_of(w), deref, size, 0, w.chance(5))
    return (*made, w.of([1, 3, 10, 50, 500])) if not size and scope < 4 and w.chance(5) else made


def filter_of(w, depth):
    if depth and w.chance(45):
        kind = w.of(["and", "or", "not"])
        if kind == "not":
            return ("not", filter_of(w, depth - 1))
        return (kind, *(filter_of(w, depth - 1) for _ in range(w.of([0, 1, 2, 2, 2, 3, 3]) if w.chance(10) else w.of([2, 3]))))
    attribute = w.of(TEXT * 3 + NUMBERS * 3 + NAMES * 2 + SPECIAL + ALIASES + UNKNOWN)
    if w.chance(3):
        attribute = w.of(BROKEN_TYPES)
    elif w.chance(6):
        attribute += w.of(OPTIONS + [";binary"])
    if w.chance(15):
        attribute = w.of([attribute.upper(), attribute.lower()])
    value = value_of(w, attribute)
    if w.chance(40):
        _, attribute, value = w.of(w.facts)
        if w.chance(10):
            # By a type above it, or without its options.
            attribute = "name" if attribute.lower() in ("cn", "sn", "ou", "givenname", "title", "l") else attribute.split(";")[0]
    if w.chance(8):
        return membership(w)
    shape = w.random.random() * 100
    if shape < 45:
        return ("=", attribute, value)
    if shape < 62:
        return ("present", attribute)
    if shape < 80:
        return substring(w, attribute, value)
    if shape < 90:
        return (w.of([">=", "<="]), attribute, value)
    if shape < 91:
        return ("~=", attribute, value)
    rule = w.of(RULES)
    return (":=", rule, attribute if rule is None or w.chance(75) else None, value, w.chance(25))


def membership(w):
    """Who is in a group, what holds an entry, who is in any."""
    groups = [n for n in w.names if n.lower().startswith("cn=")]
    group = w.of(groups) if groups else w.home
    return w.of([("=", "memberOf", (spelled(w, group) if w.chance(20) else group).encode()), ("=", "member", w.of(w.names).encode()),
                 ("=", "member", group.encode()), ("present", "memberOf"), ("present", "member"), ("=", "uniqueMember", w.of(w.names).encode()),
                 (":=", "distinguishedNameMatch", "memberOf", group.encode(), False), ("=", "entryDN", w.of(w.names).encode())])


def value_of(w, attribute):
    """A value that some entry has, in a spelling that matches or nearly does; or one that nobody has; or one against the syntax."""
    if w.chance(7):
        return w.of([b"", b"nothing", b"*", b"\xff\xfe", b"\x00", "Ünïcode".encode(), b"  ", b"TRUE", b"20260101000000Z", b"-1", b"007"])
    low = attribute.lower().split(";")[0]
    low = {"commonname": "cn", "2.5.4.3": "cn", "surname": "sn", "rfc822mailbox": "mail", "0.9.2342.19200300.100.1.3": "mail",
           "userid": "uid", "organizationalunitname": "ou", "name": w.of(["cn", "sn", "ou"])}.get(low, low)
    if low in ("member", "uniquemember", "manager", "seealso", "entrydn", "memberof", "aliasedobjectname"):
        return dn(w, 5, 10).encode()
    if low == "hassubordinates":
        return w.of([b"TRUE", b"FALSE", b"true", b"1"])
    if low in ("structuralobjectclass", "objectclass"):
        return w.of([b"inetOrgPerson", b"PERSON", b"groupOfNames", b"organizationalUnit", b"top", b"2.5.6.6", b"noSuchClass", b"device"])
    value = w.of(w.values.get(low) or w.values["cn"])
    way = int(w.random.random() * 10)
    if way == 0:
        return value.upper() if value.isascii() else value
    if way == 1:
        return b"  " + value.replace(b" ", b"   ") + b" "
    if way == 2:
        return value + b"x"
    return value


def substring(w, attribute, value):
    if not value or w.chance(5):
        return ("sub", attribute, b"a", (), None)
    text = value.decode("utf-8", "replace")
    a, b = sorted(int(w.random.random() * (len(text) + 1)) for _ in range(2))
    initial, middle, final = text[:a].encode(), text[a:b].encode(), text[b:].encode()
    parts = [initial or None, (middle,) if middle else (), final or None]
    for at in range(3):
        if w.chance(35):
            parts[at] = () if at == 1 else None
    if parts == [None, (), None]:
        return ("sub", attribute, None, (value,), None)
    return ("sub", attribute, *parts)


def attributes_of(w):
    kind = w.random.random() * 100
    if kind < 25:
        return ()
    if kind < 40:
        return ("1.1",)
    if kind < 50:
        return ("*",)
    if kind < 57:
        return w.of([("+",), ("*", "+"), ("+", "cn")])
    if kind < 62:
        return w.of([("@inetOrgPerson",), ("@groupOfNames",), ("@noSuchClass",), ("@person", "mail"), ("@2.5.6.6",)])
    names = TEXT + NUMBERS + NAMES + SPECIAL + ALIASES + UNKNOWN + ["1.1", "*", "memberOf", "dn", "distinguishedName"]
    names += [f"{name}{option}" for name in ("description", "title", "cn", "name") for option in OPTIONS]
    chosen = [w.of(names) for _ in range(w.of([1, 1, 2, 3, 5]))]
    return tuple(n.upper() if w.chance(10) else n for n in chosen)


def compare(w):
    if w.chance(45):
        name, attribute, value = w.of(w.facts)
        return ("compare", name if w.chance(85) else spelled(w, name), attribute, value if w.chance(60) else value_of(w, attribute))
    attribute = w.of(TEXT + NUMBERS + NAMES + SPECIAL + ALIASES + UNKNOWN) if not w.chance(3) else w.of(BROKEN_TYPES)
    if w.chance(5):
        attribute += w.of(OPTIONS)
    return ("compare", dn(w), attribute, value_of(w, attribute))


def new_value(w, attribute):
    """A value to be written; for mail and uid one that nobody has."""
    if w.chance(10):
        return value_of(w, attribute)
    if attribute in NUMBERS:
        return str(30000 + int(w.random.random() * 30000)).encode()
    if attribute in NAMES:
        return w.of(w.names).encode()
    if attribute == "mail":
        return f"{w.new_name('m')}@oracle.example".encode()
    if attribute == "telephoneNumber":
        return f"+44 1632 960{int(w.random.random() * 1000):03d}".encode()
    if attribute == "preferredLanguage":
        return b"en-GB"
    if attribute in ("employeeNumber", "homeDirectory", "loginShell", "gecos"):
        return w.new_name("v").encode()
    return w.of(["Plain", "Größe", "two  words", " edge ", "comma, inside", "日本", "x" * 200]).encode() + w.of([b"", b" 1", b" 2"])


def modify(w):
    if w.chance(12):
        # A value that is there, or was: also of the RDN, of the object class, and the last one of a required attribute.
        name, attribute, value = w.of(w.facts)
        return ("modify", name, ((DELETE, attribute, (value,)),))
    changes = []
    for _ in range(w.of([1, 1, 1, 2, 3])):
        attribute = w.of(["title", "description", "l", "mail", "telephoneNumber", "givenName", "displayName", "manager", "seeAlso", "uidNumber",
                          "gidNumber", "employeeNumber", "preferredLanguage", "sn", "member", "homeDirectory"])
        if w.chance(4):
            attribute = w.of(["objectClass", "createTimestamp", "entryUUID", "structuralObjectClass", "cn", "ou"] + UNKNOWN + BROKEN_TYPES)
        if attribute in ("description", "title", "givenName") and w.chance(25):
            attribute += w.of(OPTIONS[:-1] + [";binary", ";lang-"])
        kind = w.of([ADD, ADD, DELETE, REPLACE, REPLACE]) if not w.chance(6) else w.of([INCREMENT, INCREMENT, 4, 9])
        if kind == INCREMENT:
            attribute = w.of(NUMBERS + NUMBERS + ["title"])
            values = [w.of([b"1", b"-1", b"100", b"x"])]
        elif kind == DELETE:
            values = [] if w.chance(50) else [value_of(w, attribute)]
        elif kind == REPLACE and w.chance(20):
            values = []
        else:
            values = [new_value(w, attribute) for _ in range(w.of([1, 1, 1, 2]))]
            if w.chance(3):
                values.append(values[0])
        changes.append((kind, attribute, tuple(values)))
        if kind in (ADD, REPLACE) and values and ";" in attribute:
            w.facts += [(w.home, attribute, values[0])]
    if w.chance(3):
        # Auxiliary classes come and go, with what they demand or without.
        kind = w.of([ADD, DELETE])
        changes.append((kind, "objectClass", (w.of([b"posixAccount", b"shadowAccount", b"extensibleObject", b"dcObject"]),)))
        if w.chance(50):
            changes += [(REPLACE, n, (v,)) for n, v in [("uidNumber", b"40001"), ("gidNumber", b"40001"), ("homeDirectory", b"/home/a")]]
    name = dn(w, 2, 5)
    if w.chance(25):
        # What is known of one entry's attributes: a delete that finds its value, an increment that finds its number.
        posix = [n for n in w.names if n.lower().startswith("uid=")]
        name = w.of(posix) if posix else name
    return ("modify", name, tuple(changes))


def add(w):
    parent = w.of(w.inner()) if w.chance(85) else dn(w, 3, 30)
    kind = w.of(["person", "person", "posix", "group", "group", "posix-group", "unit", "unit", "device"])
    short = w.new_name(kind)
    if kind == "unit":
        name, attributes = f"ou={short},{parent}", [("objectClass", [b"top", b"organizationalUnit"]), ("ou", [short.encode()])]
    elif kind == "device":
        name, attributes = f"cn={short},{parent}", [("objectClass", [b"top", b"device"]), ("cn", [short.encode()])]
    elif kind == "posix-group":
        name = f"cn={short},{parent}"
        attributes = [("objectClass", [b"top", b"posixGroup"]), ("cn", [short.encode()]), ("gidNumber", [new_value(w, "gidNumber")]),
                      ("memberUid", [b"one", b"Two"])]
    elif kind == "group":
        members = {w.of(w.names).encode() for _ in range(3)}
        name = f"cn={short},{parent}"
        attributes = [("objectClass", [b"top", b"groupOfNames"]), ("cn", [short.encode()]), ("member", sorted(members))]
    else:
        name = f"uid={short},{parent}"
        attributes = [*PERSON, ("uid", [short.encode()]), ("cn", [new_value(w, "cn")]), ("sn", [new_value(w, "sn")])]
        if kind == "posix":
            attributes[0] = ("objectClass", PERSON[0][1] + [b"posixAccount"])
            attributes += [("uidNumber", [new_value(w, "uidNumber")]), ("gidNumber", [b"20000"]), ("homeDirectory", [b"/home/x"])]
    if w.chance(20):
        name, attributes = spoiled(w, name, attributes, parent)
    return ("add", name, tuple((n, tuple(v)) for n, v in attributes))


def spoiled(w, name, attributes, parent):
    """One thing wrong with an add, or unusual about it."""
    way = int(w.random.random() * 14)
    attributes = list(attributes)
    if way == 0:
        attributes.pop()
    elif way == 1:
        attributes.append((w.of(UNKNOWN), [b"x"]))
    elif way == 2:
        attributes[0] = ("objectClass", [b"top"])
    elif way == 3:
        attributes[0] = ("objectClass", list(attributes[0][1]) + [b"noSuchClass"])
    elif way == 4:
        attributes[0] = ("objectClass", list(attributes[0][1]) + [b"domain", b"device"])
    elif way == 5:
        name = w.of(w.names)
    elif way == 6:
        attributes = attributes[1:]
    elif way == 7:
        attributes.append(("description", []))
    elif way == 8:
        attributes.append(("description", [b"same", b"SAME"]))
    elif way == 9:
        attributes.append(("createTimestamp", [b"20260101000000Z"]))
    elif way == 10:
        head = name.split(",", 1)[0]
        name = f"{head}+description=multi,{parent}"
        attributes.append(("description", [b"multi"]))
    elif way == 11:
        name = f"description=not among the values,{parent}"
    elif way == 12:
        attributes.append(("seeAlso", [b"this is no dn"]))
    else:
        # RFC 4511 §4.7: the RDN's own values may be left out.
        kind = name.split("=", 1)[0]
        attributes = [(n, v) for n, v in attributes if n != kind]
    return name, attributes


def modify_dn(w):
    # A person's user name never changes here, so mostly others are renamed; what was loaded stays where later operations look for it.
    others = [n for n in w.names if not n.lower().startswith("uid=") and "-" in n.split(",", 1)[0]]
    name = w.of(others) if others and w.chance(80) else dn(w, 10, 30)
    if name in w.containers:
        name = w.of(w.names[-5:])
    kind = name.split("=", 1)[0] if "=" in name else "cn"
    fresh = w.new_name("renamed")
    new = f"{kind}={fresh}"
    if w.chance(15):
        new = w.of(["", "no rdn", f"cn={fresh},ou=x", f"noSuchAttribute={fresh}", f"{kind}={fresh}+description=multi", f"description={fresh}",
                    name.split(",", 1)[0], name.split(",", 1)[0].upper(), "cn=", w.of(w.names).split(",", 1)[0]])
    superior = None
    if w.chance(35):
        superior = w.of([w.of(w.inner()), w.of(w.inner()), w.of(w.names), name, f"cn=x,{name}", dn(w, 30, 30), ""])
    return ("modify_dn", name, new, w.chance(70), superior)


def delete(w):
    fresh = [n for n in w.leaves() if "-" in n.split(",", 1)[0]]
    return ("delete", w.of(fresh) if fresh and w.chance(75) else dn(w, 10, 30) if w.chance(60) else w.of(w.inner()))
