#!/usr/bin/env python3
"""The server's PATCH against PyPI scim2-models: drawn operations on a user, the same resource afterwards, or a refusal from both.

Each round reads the user, lets scim2-models apply the drawn PATCH to what was read, sends the same PATCH to the server, reads the user
again and compares. What is meant to differ is a row of EXPLAINED. SCIM_PATCH_SEED (1), SCIM_PATCHES (600; 6000 with --full).
"""

import json
import os
import random

from scim2_models import Context, EnterpriseUser, PatchOp, User

from kit import scim, tap
from kit.tap import case, equal, true

SERVER = tap.demo()
SEED = int(os.environ.get("SCIM_PATCH_SEED", "1"))
PATCHES = int(os.environ.get("SCIM_PATCHES", "6000" if os.environ.get("INTEROP_FULL") else "600"))
SHOWN, USERS = 6, 12
draw = random.Random(SEED)
scim.make_tenant(SERVER, "scim-patches")
plain = scim.Plain(SERVER, scim.make_token(SERVER, "scim-patches", "strict"))
Model = User[EnterpriseUser]
E = scim.ENTERPRISE

TYPES = {"emails": ["work", "home", "other"], "phoneNumbers": ["work", "mobile", "home"], "ims": ["xmpp", "skype"], "addresses": ["work", "home"]}
WORDS = ["a", "b", "A", "Zoë", "x y", 'q"uote', "1"]
PLAIN = ["displayName", "nickName", "title", "userType", "locale", "name.givenName", "name.familyName", "name.middleName", f"{E}:department",
         f"{E}:costCenter", f"{scim.USER}:nickName"]


def value_of(name):
    """A value of a multi-valued attribute; addresses of people are unique in the deployment."""
    kind = draw.choice(TYPES[name])
    if name == "addresses":
        return {"type": kind, **{k: draw.choice(WORDS) for k in draw.sample(["locality", "streetAddress", "postalCode"], draw.randint(1, 3))}}
    made = {"emails": lambda: f"{draw.choice('abc')}.{current}@ex.example", "phoneNumbers": lambda: f"+41 31 555 01 0{draw.randint(0, 3)}",
            "ims": lambda: f"im-{draw.randint(0, 3)}"}[name]()
    out = {"value": made, "type": kind}
    if draw.random() < 0.25:
        out["primary"] = True
    if draw.random() < 0.2:
        out["display"] = draw.choice(WORDS)
    return out


def operation():
    kind = draw.random()
    many = draw.choice(list(TYPES))
    some = draw.choice(TYPES[many])
    if kind < 0.25:
        return {"op": draw.choice(["add", "replace"]), "path": draw.choice(PLAIN), "value": draw.choice(WORDS)}
    if kind < 0.35:
        return {"op": "remove", "path": draw.choice([*PLAIN, "name", E, many])}
    if kind < 0.50:
        return {"op": draw.choice(["add", "replace"]), "path": many, "value": [value_of(many) for _ in range(draw.randint(1, 2))]}
    if kind < 0.60:
        return {"op": "remove", "path": f'{many}[type eq "{some}"]'}
    if kind < 0.70:
        sub = draw.choice(["locality", "postalCode"]) if many == "addresses" else "display"
        return {"op": draw.choice(["replace", "add"]), "path": f'{many}[type eq "{some}"].{sub}', "value": draw.choice(WORDS)}
    if kind < 0.75:
        sub = "locality" if many == "addresses" else "display"
        return {"op": "remove", "path": f'{many}[type eq "{some}"].{sub}'}
    if kind < 0.88:
        value = {"displayName": draw.choice(WORDS)}
        if draw.random() < 0.5:
            value["name"] = {draw.choice(["givenName", "familyName"]): draw.choice(WORDS)}
        if draw.random() < 0.3:
            value[many] = [value_of(many)]
        return {"op": draw.choice(["add", "replace"]), "value": value}
    if kind < 0.93:
        return {"op": "replace", "path": "active", "value": draw.random() < 0.5}
    return draw.choice([{"op": "replace", "path": "noSuch", "value": "x"}, {"op": "remove", "path": "userName"}, {"op": "remove"}, {"op": "add", "path": "id", "value": "x"},
                        {"op": "replace", "path": "meta.created", "value": "2020-01-01T00:00:00Z"}, {"op": "replace", "path": "active", "value": "x"}])


def content(resource):
    """What is compared: without what changes with every change, empty parts and the order of values."""
    found = {k: v for k, v in resource.items() if k not in ("meta", "schemas", "groups") and "rollbook" not in k}
    return json.dumps(bare(found), sort_keys=True, ensure_ascii=False)


def bare(value):
    if isinstance(value, dict):
        return {k: b for k, v in value.items() if (b := bare(v)) not in (None, {}, [])}
    if isinstance(value, list):
        return sorted((bare(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True))
    return value


def oracle(before, body):
    """The resource after scim2-models applied the PATCH, or the exception with which it refuses."""
    try:
        resource = Model.model_validate(before)
        PatchOp[Model].model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(resource)
        return resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    except Exception as error:
        return error


def is_within(small, large):
    """Whether an object says nothing that the other does not say, but for which of them is the primary one. Words are compared without case."""
    said = {k: v for k, v in small.items() if k != "primary"}
    return all(str(large.get(k)).casefold() == str(v).casefold() for k, v in said.items())


def without_repetitions(values):
    """The values that say more than any other; of two that say the same, the first. A primary one stays it, whatever it is a part of."""
    kept = []
    for value in sorted(values, key=len, reverse=True):
        whole = next((one for one in kept if is_within(value, one)), None)
        if whole is None:
            kept.append(dict(value))
        elif value.get("primary"):
            whole["primary"] = True
    return bare([{k: v for k, v in one.items() if v is not False} for one in kept])


def fewer_repetitions(after, wanted):
    """Whether the two differ only in values that the server holds already, or holds with more to them."""
    if not isinstance(wanted, dict):
        return False
    reduced = lambda r: {k: without_repetitions(v) if isinstance(v, list) else v for k, v in r.items() if k not in ("meta", "schemas", "groups")}
    return content(reduced(after)) == content(reduced(wanted))


def is_only_a_type(wanted):
    return isinstance(wanted, dict) and any(set(bare(one)) <= {"type", "primary"} for values in wanted.values() if isinstance(values, list)
                                            for one in values if isinstance(one, dict))


def is_primary_twice(body):
    return sum(json.dumps(o).count('"primary": true') for o in body["Operations"]) > 1


# (why, predicate on the body, the state before, the status, the oracle's answer, the state after)
EXPLAINED = [
    ("add by a value path that finds nothing makes the element (RFC 7644 §3.5.2.1: where there is no target, the value is added)",
     lambda body, before, status, wanted, after: status != 400 and isinstance(wanted, Exception) and "NoTarget" in type(wanted).__name__
     and any(o["op"] == "add" and "[" in o.get("path", "") for o in body["Operations"])),
    ("an element of which nothing but its type is left is gone", lambda body, before, status, wanted, after: is_only_a_type(wanted)),
    ("a value that is there already is not added again (RFC 7644 §3.5.2.1), nor the same one twice by one request",
     lambda body, before, status, wanted, after: status != 400 and fewer_repetitions(after, wanted)),
    ("remove by a value path that finds nothing: noTarget here (RFC 7644 table 9), no error there",
     lambda body, before, status, wanted, after: status == 400 and not isinstance(wanted, Exception)
     and any(o["op"] == "remove" and "[" in o.get("path", "") for o in body["Operations"])),
    ("two primary values in one request: refused by one, the last one wins for the other", lambda body, *_: is_primary_twice(body)),
]


users, differences, refused, same, meant = [], [], 0, 0, {}
with case(f"{PATCHES} drawn PATCH requests leave what scim2-models leaves (seed {SEED})"):
    for number in range(USERS):
        users.append(plain.user(f"patch-{SEED}-{number}", active=True)["id"])
    for round in range(PATCHES):
        current = round % USERS
        path = f"/Users/{users[current]}"
        before = plain.good("GET", path)
        body = {"schemas": [scim.PATCH], "Operations": [operation() for _ in range(draw.choice([1, 1, 2, 3]))]}
        wanted = oracle(before, body)
        answer = plain.send("PATCH", path, body)
        after = plain.good("GET", path)
        problem = None
        if answer.status_code not in (200, 204, 400):
            problem = f"status {answer.status_code}: {answer.text[:200]}"
        elif answer.status_code == 400:
            if content(before) != content(after):
                problem = "refused, and yet something changed"
            elif not isinstance(wanted, Exception):
                problem = f"refused here: {answer.json().get('scimType')} {answer.json().get('detail')}"
            else:
                refused += 1
        elif isinstance(wanted, Exception):
            problem = f"done here, refused there: {type(wanted).__name__} {str(wanted)[:200]}"
        elif content(after) != content(wanted):
            problem = f"here {content(after)}\n#   there {content(wanted)}\n#   before {content(before)}"
        else:
            same += 1
            if answer.status_code == 200 and content(answer.json()) != content(after):
                problem = "the answer is not what a GET then tells"
        if problem:
            why = next((why for why, admits in EXPLAINED if admits(body, before, answer.status_code, wanted, after)), None)
            if why:
                meant[why] = meant.get(why, 0) + 1
            else:
                differences.append(f"{json.dumps(body['Operations'], ensure_ascii=False)}\n#   {problem}")
    for difference in sorted(differences, key=len)[:SHOWN]:
        print(f"# {difference}")
    for why, count in meant.items():
        print(f"# meant, {count} times: {why}")
    print(f"# {same} the same afterwards, {refused} refused by both")
    equal(len(differences), 0, "differences")
    true(same > PATCHES // 3, f"only {same} were carried out by both")

tap.finish()
