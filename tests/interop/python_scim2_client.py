#!/usr/bin/env python3
"""PyPI scim2-client with scim2-models: everything that a provisioning job does, every answer validated against what discovery promises.

The client refuses answers with unknown attributes, wrong types, missing required attributes, attributes that are never returned, wrong
status codes and wrong content types. What it cannot say (precondition headers, the sealing of cursors) goes by plain requests.
"""

import uuid

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import PatchOp, PatchOperation, SearchRequest

from kit import scim, tap
from kit.tap import case, equal, true

SERVER = tap.demo()
OURS = not scim.is_stand_in(SERVER)
TENANT = "scim2-client"
scim.make_tenant(SERVER, TENANT)
TOKEN = scim.make_token(SERVER, TENANT)
plain = scim.Plain(SERVER, TOKEN)
client = SyncSCIMClient(Client(base_url=scim.base_of(SERVER), headers=scim.headers(TOKEN), verify=scim.trust(SERVER), timeout=60))
User = Group = Enterprise = None


def patched(model, id, *operations):
    operations = [PatchOperation(op=op, path=path, value=value) for op, path, value in operations]
    client.modify(model, id, PatchOp[model](operations=operations))
    return client.query(model, id)


def name():
    return f"z{uuid.uuid4().hex[:12]}"


with case("discovery is what scim2-models makes its classes of"):
    client.discover()
    User, Group = client.get_resource_model("User"), client.get_resource_model("Group")
    Enterprise = User.get_extension_model("EnterpriseUser")
    true(User and Group and Enterprise, "a resource type or the enterprise extension is missing")
    config = client.provider.config
    for feature in [config.patch, config.bulk, config.filter, config.sort, config.etag, config.change_password]:
        true(feature.supported, f"{type(feature).__name__} is not supported")

if OURS:
    with case("discovery names what is ours: account states, roles"):
        true(User.get_extension_model("AccountState"), "no AccountState extension")
        true(client.get_resource_model("Role"), "no Role")
        roles = client.query(client.get_resource_model("Role"))
        true(roles.total_results >= 1, f"roles: {roles}")

FULL = {
    "displayName": "Zed Example", "nickName": "Zed", "title": "Clerk", "userType": "Employee", "preferredLanguage": "fr-CH", "locale": "fr-CH",
    "timezone": "Europe/Zurich", "profileUrl": "https://people.example/zed",
    "name": {"formatted": "Dr Zed Q. Example", "familyName": "Example", "givenName": "Zed", "middleName": "Q.", "honorificPrefix": "Dr",
             "honorificSuffix": "II"},
    "emails": [{"value": "home-{n}@ex.example", "type": "home"}, {"value": "{n}@ex.example", "type": "work", "primary": True, "display": "Zed at work"}],
    "phoneNumbers": [{"value": "+41 31 555 01 99", "type": "work"}, {"value": "+41 79 555 01 99", "type": "mobile"},
                     {"value": "tel:+1-201-555-0123", "type": "x-desk"}],
    "ims": [{"value": "zed@talk.example", "type": "xmpp"}],
    "photos": [{"value": "https://photos.example/zed.jpg", "type": "photo"}],
    "addresses": [{"type": "work", "streetAddress": "Gasse 1\n3. Stock", "locality": "Bern", "region": "BE", "postalCode": "3011", "country": "CH",
                   "formatted": "Gasse 1\n3011 Bern", "primary": True}, {"type": "home", "locality": "Biel"}],
    "entitlements": [{"value": "parking"}],
    "x509Certificates": [{"value": "MIIB0g=="}],
}


def full(n):
    text = {"schemas": [scim.USER, scim.ENTERPRISE], "userName": n, "externalId": f"ext-{n}", **FULL,
            "emails": [{**e, "value": e["value"].replace("{n}", n)} for e in FULL["emails"]],
            scim.ENTERPRISE: {"employeeNumber": "701984", "costCenter": "4130", "organization": "Ex", "division": "Parks", "department": "Tours"}}
    return User.model_validate(text)


def dumped(resource, *keys):
    data = resource.model_dump()
    return {key: data.get(key) for key in keys}


with case("a user with every attribute: created, read, and nothing is lost or invented"):
    n = name()
    made = client.create(full(n))
    read = client.query(User, made.id)
    for key in [k for k in FULL if k not in ("emails",)]:
        equal(read.model_dump()[key], FULL[key], key)
    equal([e["value"] for e in read.model_dump()["emails"]], [f"home-{n}@ex.example", f"{n}@ex.example"], "emails in their order")
    equal(read.external_id, f"ext-{n}")
    equal(read[Enterprise].model_dump(exclude_none=True)["costCenter"], "4130")
    equal(made.model_dump(), read.model_dump(), "what POST and GET answer")
    true(read.meta.location.endswith(f"/Users/{read.id}") and read.meta.version and read.meta.created <= read.meta.last_modified, f"meta {read.meta}")

with case("PUT: what is left out is cleared, what is read-only is ignored, the rest stands"):
    thin = User(user_name=n, id=read.id, display_name="Thin", schemas=[scim.USER])
    client.replace(thin)
    now = client.query(User, read.id)
    equal(dumped(now, "displayName", "title", "emails", "externalId"), {"displayName": "Thin", "title": None, "emails": None, "externalId": None})
    equal(now.user_name, n)
    equal(now.active, True, "active is not reset by its absence")

with case("PATCH: add, replace, remove by path, by value path and without a path; all in one request"):
    now = patched(User, read.id, ("add", "emails", [{"value": f"w-{n}@ex.example", "type": "work", "primary": True}]),
                  ("add", "emails", [{"value": f"h-{n}@ex.example", "type": "home", "primary": True}]),
                  ("replace", 'emails[type eq "work"].value', f"w2-{n}@ex.example"), ("add", "nickName", "Zett"), ("remove", "displayName", None))
    emails = {e.type: (e.value, e.primary) for e in now.emails}
    equal(emails["work"][0], f"w2-{n}@ex.example")
    equal(emails["home"], (f"h-{n}@ex.example", True))
    true(not emails["work"][1], "the new primary takes it from the old one")
    equal(dumped(now, "nickName", "displayName"), {"nickName": "Zett", "displayName": None})
    now = patched(User, read.id, ("remove", 'emails[type eq "home"]', None), ("replace", f"{scim.ENTERPRISE}:department", "Ops"))
    equal([e.type for e in now.emails], ["work"])
    equal(now[Enterprise].department, "Ops")

with case("PATCH is atomic: the second operation fails, the first is not done"):
    plain.bad("PATCH", f"/Users/{read.id}", {"schemas": [scim.PATCH], "Operations": [{"op": "replace", "path": "nickName", "value": "lost"},
                                                                                 {"op": "replace", "path": "noSuchThing", "value": "x"}]}, 400, "invalidPath")
    equal(client.query(User, read.id).nick_name, "Zett")

with case("active: false and true, and the manager"):
    boss = client.create(full(name()))
    now = patched(User, read.id, ("replace", "active", False), ("add", f"{scim.ENTERPRISE}:manager", {"value": boss.id}))
    equal(now.active, False)
    equal(now[Enterprise].manager.value, boss.id)
    equal(patched(User, read.id, ("replace", "active", True)).active, True)

with case("groups: members come and go one by one, user.groups follows"):
    group = client.create(Group(display_name=f"G {n}", schemas=[scim.GROUP]))
    patched(Group, group.id, ("add", "members", [{"value": read.id}, {"value": boss.id}]))
    now = patched(Group, group.id, ("add", "members", [{"value": read.id}]))
    equal(sorted(m.value for m in now.members), sorted([read.id, boss.id]), "members, once each")
    equal([g.value for g in client.query(User, read.id).groups], [group.id])
    now = patched(Group, group.id, ("remove", f'members[value eq "{read.id}"]', None))
    equal([m.value for m in now.members], [boss.id])
    equal(client.query(User, read.id).groups, None)

with case("deleting a user takes it out of its groups, and it is gone: 404, then 404"):
    client.delete(User, boss.id)
    equal(client.query(Group, group.id).members, None)
    equal(client.query(User, boss.id, raise_scim_errors=False).status, 404)
    plain.bad("DELETE", f"/Users/{boss.id}", status=404)

with case("a taken userName is 409 uniqueness, in any case of its letters"):
    plain.bad("POST", "/Users", {"schemas": [scim.USER], "userName": n.upper()}, 409, "uniqueness")

with case("filter, sort and projections over GET and POST /.search"):
    client.create(full(f"{n}b"))
    wanted = {"filter": f'userName sw "{n}" and (emails.type eq "work" or not (title pr))', "sort_by": "userName", "sort_order": "descending"}
    got = client.search(SearchRequest(**wanted, attributes=["userName"]))
    equal([u.user_name for u in got.resources], [f"{n}b", n])
    true(all(u.emails is None and u.id for u in got.resources), "only what was asked for, and what is always returned")
    got = client.query(User, query_parameters=SearchRequest(filter=f'userName eq "{n.upper()}"', excluded_attributes=["emails", "name"]))
    equal((got.total_results, got.resources[0].emails, got.resources[0].name), (1, None, None))

with case("index paging covers everything once"):
    seen, start = [], 1
    while True:
        page = client.query(User, query_parameters=SearchRequest(start_index=start, count=2))
        seen += [u.id for u in page.resources or []]
        start += 2
        if start > page.total_results:
            break
    equal(len(seen), len(set(seen)), "ids seen")
    equal(len(seen), page.total_results)
    equal(client.query(User, query_parameters=SearchRequest(start_index=10_000, count=5)).resources or [], [])
    equal(client.query(User, query_parameters=SearchRequest(count=0)).resources or [], [])

with case("Bulk: a user and two groups that name each other's members, by bulkId"):
    job = {"schemas": [scim.PREFIX + "api:messages:2.0:BulkRequest"], "failOnErrors": 1, "Operations": [
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"schemas": [scim.GROUP], "displayName": f"bulk {n}",
                                                                     "members": [{"value": "bulkId:u", "type": "User"}]}},
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"schemas": [scim.USER], "userName": f"bulk-{n}"}},
        {"method": "PATCH", "path": "/Users/bulkId:u", "data": {"schemas": [scim.PATCH], "Operations": [{"op": "add", "path": "title", "value": "T"}]}}]}
    done = plain.good("POST", "/Bulk", job)
    equal([str(o["status"]) for o in done["Operations"]], ["201", "201", "200"])
    ids = {o["bulkId"]: o["location"].rsplit("/", 1)[1] for o in done["Operations"] if "bulkId" in o}
    equal([m["value"] for m in plain.good("GET", f"/Groups/{ids['g']}")["members"]], [ids["u"]])

with case("versions: 304 for what is known, 412 for what is stale"):
    there = plain.send("GET", f"/Users/{read.id}")
    tag = there.headers["etag"]
    equal(there.json()["meta"]["version"], tag)
    equal(plain.send("GET", f"/Users/{read.id}", headers={"If-None-Match": tag}).status_code, 304)
    plain.patch(f"/Users/{read.id}", {"op": "replace", "path": "title", "value": "newer"}, headers={"If-Match": tag})
    plain.bad("PATCH", f"/Users/{read.id}", {"schemas": [scim.PATCH], "Operations": [{"op": "replace", "path": "title", "value": "lost"}]}, 412,
              headers={"If-Match": tag})

with case("errors: an unknown filter attribute, a bad filter, a password in a filter, an unknown id, a wrong method"):
    for bad in ["noSuch eq \"a\"", "userName eq", "password sw \"a\"", "userName zz \"a\""]:
        plain.bad("GET", "/Users", None, 400, "invalidFilter", params={"filter": bad})
    plain.bad("GET", f"/Users/{uuid.uuid4()}", None, 404)
    equal(plain.send("POST", "/Schemas", {}).status_code, 405)
    plain.bad("POST", "/Users", "{not json", 400, "invalidSyntax")
    plain.bad("POST", "/Users", {"schemas": [scim.USER]}, 400, "invalidValue")

with case("no token, a wrong one: 401 with a challenge, in the form of a SCIM error"):
    for given in [{"Authorization": ""}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}]:
        answer = plain.send("GET", "/Users", headers=given)
        equal(answer.status_code, 401)
        true("Bearer" in answer.headers.get("www-authenticate", ""), "WWW-Authenticate")
        equal(answer.json()["status"], "401")

if OURS:
    with case("cursor paging (RFC 9865) covers everything once, and a forged cursor is refused"):
        seen, cursor = [], ""
        while cursor is not None:
            page = plain.good("GET", "/Users", params={"cursor": cursor, "count": 2})
            seen += [u["id"] for u in page["Resources"]]
            cursor = page.get("nextCursor")
        equal(len(seen), len(set(seen)))
        equal(len(seen), plain.good("GET", "/Users", params={"count": 0})["totalResults"])
        plain.bad("GET", "/Users", None, 400, "invalidCursor", params={"cursor": "AAAAAAAA", "count": 2})

    with case("a dry run tells what would change and changes nothing"):
        answer = plain.send("PATCH", f"/Users/{read.id}", {"schemas": [scim.PATCH], "Operations": [{"op": "replace", "path": "title", "value": "never"}]},
                            headers={"Prefer": "handling=dry-run"})
        true(answer.status_code == 200 and "dry-run" in answer.headers.get("preference-applied", ""), f"{answer.status_code} {answer.text[:300]}")
        true(plain.good("GET", f"/Users/{read.id}")["title"] != "never", "it was changed")

    with case("the account's state is there to read, and not to write"):
        urn = "urn:ietf:params:scim:schemas:extension:rollbook:2.0:AccountState"
        equal(plain.good("GET", f"/Users/{read.id}")[urn]["state"], "ENABLED", "after disabling and enabling")
        equal(plain.user(name())[urn]["state"], "UNVERIFIED")
        plain.bad("PATCH", f"/Users/{read.id}", {"schemas": [scim.PATCH], "Operations": [{"op": "replace", "path": f"{urn}:locked", "value": True}]},
                  400, "mutability")

    with case("/Me is the token's account, or says plainly that it has none"):
        true(plain.send("GET", "/Me").status_code in (200, 404, 501), "status of /Me")

    with case("another tenant's token finds nothing here"):
        scim.make_tenant(SERVER, f"{TENANT}-other")
        other = scim.Plain(SERVER, scim.make_token(SERVER, f"{TENANT}-other"))
        other.bad("GET", f"/Users/{read.id}", None, 404)
        equal(other.good("GET", "/Users", params={"filter": f'userName eq "{n}"'})["totalResults"], 0)
        other.bad("POST", "/Groups", {"schemas": [scim.GROUP], "displayName": "x", "members": [{"value": read.id}]}, 400, "invalidValue")

tap.finish()
