"""Reads LDIF content records (RFC 2849) and makes those of fixtures/org fit a server that knows no class of ours."""

import base64
import os

ORG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "fixtures", "org", "org.ldif")
PRIVATE_CLASSES = {"rollbooktenant", "rollbookaccount"}


def parse(text):
    """[(dn, [(attribute, value as bytes)])], in the order of the text."""
    rows = []
    for row in text.split("\n"):
        if row.startswith(" ") and rows:
            rows[-1] += row[1:]
        elif not row.startswith("#"):
            rows.append(row)
    entries, current = [], None
    for row in rows:
        if not row:
            current = None
            continue
        name, _, value = row.partition(":")
        data = base64.b64decode(value[1:].strip()) if value.startswith(":") else value.strip().encode()
        if name == "version":
            continue
        if name.lower() == "dn":
            current = []
            entries.append((data.decode(), current))
        else:
            current.append((name, data))
    return entries


def organisation():
    with open(ORG, encoding="utf-8") as file:
        return parse(file.read())


def plain(entries):
    """The same without our classes and attributes and without facts of the life cycle; roles are left out.

    A server with the schema of RFC 2307 has posixGroup as a structural class, so there such a group is no groupOfNames.
    """
    out, gone = [], set()
    for dn, attributes in entries:
        classes = {v.decode().lower() for n, v in attributes if n.lower() == "objectclass"}
        if "rollbookrole" in classes:
            gone.add(dn)
            continue
        posix_group = "posixgroup" in classes
        kept = []
        for name, value in attributes:
            low = name.lower()
            if low.startswith(("rollbook", "pwd")):
                continue
            if low == "objectclass" and value.decode().lower() in PRIVATE_CLASSES:
                continue
            if posix_group and (low == "member" or (low == "objectclass" and value.decode().lower() == "groupofnames")):
                continue
            kept.append((name, value))
        out.append((dn, kept))
    return out


def write(entries):
    """LDIF text; every value in base64, which is always right."""
    blocks = []
    for dn, attributes in entries:
        rows = [f"dn:: {base64.b64encode(dn.encode()).decode()}"]
        rows += [f"{name}:: {base64.b64encode(value).decode()}" for name, value in attributes]
        blocks.append("\n".join(rows) + "\n")
    return "\n".join(blocks)
