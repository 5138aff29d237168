#!/usr/bin/env python3
"""The server's filters against two others: PyPI scim2-models (parses and evaluates) and PyPI scim2-filter-parser (parses).

A tenant is filled with drawn users. Drawn filters then go to the server and to scim2-models' `ScimFilter.match` over the very same
resources, and the ids must be equal. Drawn texts, well-formed and broken, go to all three parsers: where both libraries agree, the
server must agree with them. What is meant to differ is a row of EXPLAINED, with a predicate that admits this alone.

SCIM_FILTER_SEED (1), SCIM_FILTERS (1500; 10000 with --full).
"""

import os
import random
import re

from scim2_filter_parser.lexer import SCIMLexer
from scim2_filter_parser.parser import SCIMParser
from scim2_models import EnterpriseUser, SearchRequest, User

from kit import scim, tap
from kit.tap import case, equal, true

SERVER = tap.demo()
SEED = int(os.environ.get("SCIM_FILTER_SEED", "1"))
FILTERS = int(os.environ.get("SCIM_FILTERS", "10000" if os.environ.get("INTEROP_FULL") else "1500"))
USERS, SHOWN = 60, 5
draw = random.Random(SEED)
scim.make_tenant(SERVER, "scim-filters")
plain = scim.Plain(SERVER, scim.make_token(SERVER, "scim-filters", "strict"))
Model = User[EnterpriseUser]

WORDS = ["anna", "Anna", "ANNA", "bob", "bo", "Zoë", "zoe\u0308", "straße", "o'neil", 'quo"te', "back\\slash", "a b", "1", "10", "true", "x@y", "Ω"]
NAMES = {
    "userName": None, "displayName": WORDS, "nickName": WORDS, "title": WORDS, "userType": ["Employee", "Guest"], "externalId": ["e-1", "E-1", "e-2"],
    "name.givenName": WORDS, "name.familyName": WORDS, "emails.type": ["work", "home"], "emails.value": None,
    "emails.display": WORDS, "phoneNumbers.type": ["work", "mobile"], "addresses.locality": WORDS, f"{scim.ENTERPRISE}:department": WORDS,
    f"{scim.ENTERPRISE}:employeeNumber": ["1", "2", "10"], f"{scim.USER}:displayName": WORDS,
}
TEXT = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]
# Two servers may order letters differently (RFC 7644 names no collation), so that order is compared on ASCII only.
ORDERED = {"gt", "ge", "lt", "le"}
ASCII_WORDS = ["anna", "bob", "bo", "1", "10", "zed"]


def literal(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def case_of(text):
    return "".join(draw.choice([c.upper(), c.lower()]) if c.isascii() else c for c in text)


def comparison():
    kind = draw.random()
    if kind < 0.08:
        return f"active {draw.choice(['eq', 'ne'])} {draw.choice(['true', 'false'])}"
    if kind < 0.14:
        return f"emails.primary eq {draw.choice(['true', 'false'])}"
    if kind < 0.20:
        return f"meta.created {draw.choice(['gt', 'lt', 'ge', 'le'])} \"{draw.choice(['2020-01-01T00:00:00Z', '2099-01-01T00:00:00+01:00'])}\""
    path = draw.choice(list(NAMES))
    if kind < 0.30:
        return f"{case_of(path) if not path.startswith('urn') else path} pr"
    op = draw.choice(TEXT)
    words = NAMES[path] or known[path]
    word = draw.choice(ASCII_WORDS if op in ORDERED else words)
    if op in ("co", "sw", "ew") and len(word) > 1:
        at = draw.randrange(len(word) - 1)
        word = {"co": word[at:at + 2], "sw": word[:at + 1], "ew": word[at:]}[op]
    name = path if path.startswith("urn") or draw.random() < 0.5 else case_of(path)
    return f"{name} {op if draw.random() < 0.7 else op.upper()} {literal(word)}"


def value_path():
    inner = {"emails": [f'type eq "{draw.choice(["work", "home"])}"', f'value sw {literal(draw.choice(ASCII_WORDS))}', "primary eq true", "display pr"],
             "phoneNumbers": ['type eq "mobile"', "value pr"], "addresses": [f"locality eq {literal(draw.choice(WORDS))}", 'type eq "work"']}
    name = draw.choice(list(inner))
    parts = [draw.choice(inner[name]) for _ in range(draw.randint(1, 3))]
    text = parts[0]
    for part in parts[1:]:
        text += f" {draw.choice(['and', 'or'])} {'not (' + part + ')' if draw.random() < 0.2 else part}"
    return f"{name}[{text}]"


def drawn(depth=0):
    kind = draw.random()
    if depth > 3 or kind < 0.45:
        return value_path() if draw.random() < 0.2 else comparison()
    if kind < 0.60:
        return f"not ({drawn(depth + 1)})"
    if kind < 0.70:
        return f"({drawn(depth + 1)})"
    return f"{drawn(depth + 1)} {draw.choice(['and', 'or', 'AND', 'Or'])} {drawn(depth + 1)}"


def broken(text):
    """One or two small injuries."""
    for _ in range(draw.randint(1, 2)):
        if not text:
            return text
        at = draw.randrange(len(text))
        text = draw.choice([lambda: text[:at] + text[at + 1:], lambda: text[:at] + draw.choice(list('()[]" \\.:a0-')) + text[at:],
                            lambda: text[:at], lambda: text.replace(" eq ", draw.choice([" = ", " eq", " eqq "]), 1),
                            lambda: text.replace("(", "", 1), lambda: text + draw.choice([" and", ")", " x", ' "', " pr"])])()
    return text


def maybe(share, make):
    return make() if draw.random() < share else None


known = {"userName": [], "emails.value": []}
resources = {}
with case(f"{USERS} drawn users"):
    for number in range(USERS):
        n = f"{draw.choice(ASCII_WORDS)}-{number}"
        known["userName"].append(n)
        mails = [{"value": f"{kind}.{n}@ex.example", "type": kind, **({"display": draw.choice(WORDS)} if draw.random() < 0.4 else {})}
                 for kind in draw.sample(["work", "home"], draw.randint(0, 2))]
        if mails and draw.random() < 0.6:
            mails[0]["primary"] = True
        known["emails.value"] += [m["value"] for m in mails]
        body = {"displayName": maybe(0.7, lambda: draw.choice(WORDS)), "nickName": maybe(0.4, lambda: draw.choice(WORDS)),
                "title": maybe(0.4, lambda: draw.choice(WORDS)), "userType": maybe(0.5, lambda: draw.choice(NAMES["userType"])),
                "externalId": maybe(0.5, lambda: f"{draw.choice(['e', 'E'])}-{number}"), "active": draw.random() < 0.8, "emails": mails or None,
                "name": maybe(0.6, lambda: {"givenName": draw.choice(WORDS), "familyName": draw.choice(WORDS)}),
                "phoneNumbers": maybe(0.4, lambda: [{"value": f"+41 31 555 {number:04}", "type": draw.choice(["work", "mobile"])}]),
                "addresses": maybe(0.4, lambda: [{"type": "work", "locality": draw.choice(WORDS)}]),
                scim.ENTERPRISE: maybe(0.4, lambda: {"department": draw.choice(WORDS), "employeeNumber": draw.choice(["1", "2", "10"])})}
        body = {key: value for key, value in body.items() if value is not None}
        schemas = [scim.USER] + ([scim.ENTERPRISE] if scim.ENTERPRISE in body else [])
        plain.good("POST", "/Users", {"schemas": schemas, "userName": n, **body}, 201)
    start = 1
    while True:
        page = plain.good("GET", "/Users", params={"startIndex": start, "count": 50})
        for one in page.get("Resources", []):
            resources[one["id"]] = Model.model_validate(one)
        start += 50
        if start > page["totalResults"]:
            break
    true(len(resources) >= USERS, f"{len(resources)} users")


def ask(text):
    """(status, ids) of the server."""
    found, start = set(), 1
    while True:
        answer = plain.send("GET", "/Users", params={"filter": text, "attributes": "id", "startIndex": start, "count": 50})
        if answer.status_code != 200:
            return answer.status_code, answer.text
        page = answer.json()
        found |= {one["id"] for one in page.get("Resources") or []}
        start += 50
        if start > page["totalResults"]:
            return 200, found


def model_parser(text):
    """With the refusal of unknown attributes."""
    return SearchRequest[Model](filter=text).filter


def oracle(text):
    parsed = model_parser(text)
    return {id for id, resource in resources.items() if parsed.match(resource)}


# Differences that are meant: (why, predicate on the filter's text and the resources that only one side found).
EXPLAINED = [("scim2-models takes only whole addresses for emails.value (RFC 7643 §4.1.2 says SHOULD)",
              lambda text, _: re.search(r'(?i)emails\.value +(eq|ne|gt|ge|lt|le) +"[^"@]*"', text)),
             ("ne of several values holds when any of them differs (RFC 7644 §3.4.2.2); scim2-models wants all to differ",
              lambda text, _: re.search(r"(?i)(emails|phonenumbers|addresses)\.\w+ ne ", text)),
             ("without case, ß is ss (Unicode's case folding); scim2-models takes small letters",
              lambda text, found: found and re.search(r'(?i) (co|sw|ew) "[^"]*s', text) and folds_explain(text, found)),
             ("co, sw and ew with an empty text ask for nothing and are refused; both libraries take it for pr", lambda text, _: re.search(r'(?i) (co|sw|ew) ""', text)),
             ("both libraries take a zone without its colon, which xsd:dateTime (RFC 7643 §2.3.5) has", lambda text, _: re.search(r'[+-]\d{4}"', text)),
             ("both libraries take a missing space, which the grammar of RFC 7644 §3.4.2.2 demands",
              lambda text, _: re.search(r'(?i)\b(eq|ne|co|sw|ew|gt|ge|lt|le)"|[\])](and|or)\b|"(and|or)\b|(not|and|or)\(', text))]


def folds_explain(text, found_by_one):
    """Whether the library finds each of them here, too, once their ß is written as ss."""
    parsed = model_parser(text)
    return all(parsed.match(Model.model_validate_json(one.model_dump_json().replace("ß", "ss"))) != parsed.match(one) for one in found_by_one)


def explained(text, found_by_one=()):
    return next((why for why, admits in EXPLAINED if admits(text, found_by_one)), None)


differences, compared, hits, seen_why = [], 0, 0, {}
with case(f"{FILTERS} drawn filters find what scim2-models finds (seed {SEED})"):
    for _ in range(FILTERS):
        text = drawn()
        try:
            wanted = oracle(text)
        except Exception as error:
            wanted = error
        status, got = ask(text)
        true(status != 200 or not got - set(resources), f"{text}: found what is not in the tenant")
        found_by_one = [resources[i] for i in got ^ wanted] if status == 200 and isinstance(wanted, set) else []
        if isinstance(wanted, Exception):
            if status == 400:
                continue
            problem = f"{text}: scim2-models refuses ({wanted}), the server answers {status}"
        elif status != 200:
            problem = f"{text}: the server refuses: {got[:200]}"
        elif got != wanted:
            problem = f"{text}: {len(got)} here, {len(wanted)} there; {sorted(one.user_name for one in found_by_one)[:4]}"
        else:
            compared += 1
            hits += bool(got)
            continue
        why = explained(text, found_by_one) if status in (200, 400) else None
        if why:
            seen_why[why] = seen_why.get(why, 0) + 1
        else:
            differences.append(problem)
    for problem in sorted(differences, key=len)[:SHOWN]:
        print(f"# {problem}")
    for why, count in seen_why.items():
        print(f"# meant, {count} times: {why}")
    print(f"# {compared} filters compared, {hits} of them with hits")
    equal(len(differences), 0, "differences")
    true(hits > FILTERS // 4, f"only {hits} filters found anything")


def accepts(parse, text):
    try:
        parse(text)
    except Exception:
        return False
    return True


def other_parser(text):
    SCIMParser().parse(SCIMLexer().tokenize(text))


with case(f"{FILTERS} drawn texts, most of them broken: accepted and refused as both libraries do where they agree"):
    agreed, differences = 0, []
    for _ in range(FILTERS):
        text = broken(drawn()) if draw.random() < 0.85 else drawn()
        one, two = accepts(model_parser, text), accepts(other_parser, text)
        status, told = ask(text) if text.strip() else (None, "")
        if status is None or one != two:
            continue
        agreed += 1
        if status not in (200, 400):
            differences.append(f"{text}: status {status}")
        elif (status == 200) != one and not (one and explained(text)):
            differences.append(f"{text}: {'both accept, the server refuses' if one else 'both refuse, the server accepts'} {told if one else ''}"[:300])
    for problem in sorted(differences, key=len)[:SHOWN]:
        print(f"# {problem}")
    print(f"# {agreed} texts on which both agree")
    equal(len(differences), 0, "differences")

tap.finish()
