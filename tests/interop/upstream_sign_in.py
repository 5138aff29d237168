#!/usr/bin/env python3
"""People sign in here by other providers: npm oidc-provider dressed as Entra and as Google, a plain one, and one that lies about everything it
can. What the right ones prove lets the linked account in and nobody else; of the liar nothing is believed, the password way stays, and
`rollbook login explain` names the rule.
"""

import itertools
import os
import re
import shutil
import tempfile
import time
from urllib.parse import parse_qs, urlsplit

import ldap3

from kit import command, ldif, tap
from kit.browser import Browser, text
from kit.mimics import Mimics
from kit.tap import case, equal, true

SERVER = tap.demo()
ISSUER = SERVER["oidc"]["issuer"]
TLS = os.environ["INTEROP_TLS"]
GROUP = f"cn=upstream-staff,ou=groups,{SERVER['base_dn']}"

# lie → the rule that refuses it; of a token, an answer through the browser, an answer of the token endpoint
TOKEN_RULES = {"wrong iss": "R5", "no sub": "R5"}
ANSWERS = {"wrong iss parameter": "R3", "no iss parameter": "R3", "another state": "R1", "no state": "R1", "state twice": "R1",
           "code of another": "R15", "denied": "R15"}
ENDPOINT = {"no id_token": "R4", "not JSON": "R17", "endless": "R17", "redirect": "R17", "slow": "R17"}
METADATA = {"metadata of another issuer": "R18", "endless metadata": "R17", "endpoints inside": "R17"}


def person(uid):
    return {"username": uid, "password": f"Rollbook-demo-{uid}"}


def people():
    """People of the fixture who can sign in with their password: user name → name as the pages say it."""
    out = {}
    for dn, attributes in ldif.organisation():
        has = {name.lower(): value.decode("utf-8", "replace") for name, value in attributes}
        if ",ou=people," in dn and has.get("rollbookstate") == "ACTIVE" and has.get("rollbookusertype") == "native" \
                and not {"pwdreset", "pwdaccountlockedtime"} & set(has):
            out[has["uid"]] = has.get("displayname") or has["cn"]
    return out


def logs_in(uid):
    name = f"uid={uid},ou=people,{SERVER['base_dn']}"
    return ldap3.Connection(ldap3.Server(SERVER["ldap"]), name, person(uid)["password"]).bind()


NAMES = people()
# An account that is linked while nobody has verified its address loses its password: every case has people of its own.
ONE, OFF, AT_GOOGLE, AT_ENTRA, AT_TENANTS, MAPPED, DECEIVED, UNTOUCHED = \
    itertools.islice((uid for uid in list(NAMES)[10:] if logs_in(uid)), 8)


class Visit:
    """Somebody in front of our sign-in page."""

    def __init__(self, both, uid):
        self.browser = Browser(both, person(uid))

    def way(self, name):
        """The address of a provider's button; none when it is not offered."""
        page = self.browser.go(f"{ISSUER}/sign-in")
        found = re.search(rf'href="(/sso/{re.escape(name)}\?[^"]*)"', page.body)
        return ISSUER + found.group(1).replace("&amp;", "&").replace("&#38;", "&") if found else None

    def by(self, name):
        """Through a provider and back, to whatever page that ends on."""
        way = self.way(name)
        true(way, f"{name} is not offered")
        return self.browser.go(way)

    def answer(self, name):
        """Through a provider, and not back: the address that it sends the browser to."""
        return self.browser.go(self.way(name), until=f"{ISSUER}/sso/{name}/callback").url

    def who(self):
        """Who is signed in here, by the page of sessions; none: nobody."""
        page = self.browser.go(f"{ISSUER}/sessions")
        if "/sign-in" in urlsplit(page.url).path:
            return None
        said = text(page.body)
        return next((uid for uid, name in NAMES.items() if f"Signed in as {name}" in said), said)

    def link(self, name):
        """First time: signs in here as well, and says yes."""
        page = self.by(name)
        true('action="/sign-in"' in page.body, f"not asked to sign in here: {explained(page)}: {text(page.body)[:300]}")
        page = self.browser.fill(page, "/sign-in", username=self.browser.person["username"], password=self.browser.person["password"])
        true(f'action="/sso/{name}/link"' in page.body, f"not asked to link: {explained(page)}: {page.seen}: {text(page.body)[:200]}")
        self.browser.fill(page, f"/sso/{name}/link", answer="link")
        # Linked is not signed in: what was there before, password and sessions, may have ended with it.
        return self.by(name)


def explained(page):
    """What `login explain` says of the refusal on a page."""
    asked = [number for url, number in page.requests.items() if url.startswith(f"{ISSUER}/sso/")]
    told = command.run(SERVER, "login", "explain", asked[-1], "--json") if asked else []
    return " | ".join(str(step["refused"]) for step in told if step.get("refused"))


def add(kind, name, told, folder, *more):
    secret = os.path.join(folder, "secret")
    with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(told["client_secret"])
    address = told["address"] if kind == "entra" else told["issuer"]
    command.run(SERVER, "provider", "add", kind, name, "--client-id", told["client_id"], "--client-secret-file", secret, "--issuer", address, *more)
    command.run(SERVER, "provider", "enable", name)


def main():
    folder = tempfile.mkdtemp(prefix="rollbook-upstream-")
    mimics = Mimics(TLS, ISSUER)
    try:
        both = os.path.join(folder, "both.pem")
        with open(both, "w", encoding="ascii") as out:
            for name in (SERVER["ca_file"], os.path.join(TLS, "ca.pem")):
                with open(name, encoding="ascii") as file:
                    out.write(file.read())
        right_ones(mimics, both, folder)
        liar(mimics, both, folder)
        if tap.failed:
            print("# mimics: " + " | ".join("".join(mimics.errors)[-1500:].splitlines()))
    finally:
        mimics.stop()
        shutil.rmtree(folder, ignore_errors=True)
    tap.finish()


def refused(page, visit, rules):
    """Nobody is let in, the password is offered, nothing of the other side is shown, and the trail names a rule."""
    true(visit.who() is None, f"in: {visit.who()}")
    true("<script>alert" not in page.body, "the other side's words on our page")
    why = explained(page)
    true(any(why.startswith(rule) or f"| {rule}" in why for rule in rules), f"explained as {why!r}, wanted {rules}")


def right_ones(mimics, both, folder):
    plain = {"sub": "plain-1", "name": "Gülay Kılıç", "preferred_username": "gk", "email": "gk@plain.example", "email_verified": True}
    visit = Visit(both, ONE)
    with case("a provider is offered once it is enabled"):
        true(visit.way("plain") is None, "offered before")
        add("oidc", "plain", mimics["plain"], folder, "--link", "prompt")
        true(visit.way("plain"), "not offered")
    with case("what is asked: code, PKCE, state, nonce, our own address, no more scopes than needed"):
        mimics.set("plain", person=plain)
        visit.answer("plain")
        asked = mimics.seen("plain")["authorize"]
        equal([asked["response_type"], asked["code_challenge_method"], asked["redirect_uri"]], ["code", "S256", f"{ISSUER}/sso/plain/callback"])
        true(len(asked["state"]) >= 43 and len(asked["nonce"]) >= 43 and len(asked["code_challenge"]) == 43, asked)
        equal(sorted(asked["scope"].split()), ["email", "openid", "profile"])
    with case("an unknown person signs in here as well, is asked, and is linked"):
        visit = Visit(both, ONE)
        visit.link("plain")
        equal(visit.who(), ONE, "who is in")
    with case("from then on the provider's word is enough, and it is this account"):
        visit = Visit(both, ONE)
        visit.by("plain")
        equal(visit.who(), ONE, "who is in")
        equal(visit.browser.entered, 0, "how often a password was asked for")
    with case("an answer is good once, in the browser that asked, at the provider that was asked"):
        mine, other = Visit(both, ONE), Visit(both, UNTOUCHED)
        address = mine.answer("plain")
        page = other.browser.go(address)
        true(other.who() is None, "another browser is in")
        elsewhere = mine.browser.go(address.replace("/sso/plain/", "/sso/liar/"))
        true(mine.who() is None, f"in by another provider's address: {elsewhere.url}")
        again = Visit(both, ONE)
        address = again.answer("plain")
        again.browser.go(address)
        true(again.who(), "not in")
        again.browser.fill(again.browser.go(f"{ISSUER}/sign-out"), "/sign-out")
        again.browser.go(address)
        true(again.who() is None, "in by an answer that was used")
        true(page.status < 500, page.status)
    with case("an account that is disabled here is not let in by a provider"):
        mimics.set("plain", person={**plain, "sub": "plain-2"})
        visit = Visit(both, OFF)
        visit.link("plain")
        true(visit.who(), "not linked")
        command.run(SERVER, "account", "disable", OFF, "--yes")
        visit = Visit(both, OFF)
        refused(visit.by("plain"), visit, ["R13"])
    google(mimics, both, folder)
    entra(mimics, both, folder)
    with case("keys that are replaced a moment after they were fetched: refused, and not fetched for every token"):
        mimics.set("google", roll=True)
        for _ in range(2):
            visit = Visit(both, AT_GOOGLE)
            refused(visit.by("google"), visit, ["R4"])
        equal(mimics.seen("google")["keys"], 0, "how often the key set was asked for")


def google(mimics, both, folder):
    base = {"sub": "108000000000000000001", "email": "yboiko@meridian.example", "email_verified": True, "hd": "meridian.example"}
    with case("Google: the hosted domain of the claim decides; without one nobody is let in"):
        add("google", "google", mimics["google"], folder, "--allow-domain", "meridian.example", "--link", "prompt")
        for claims in ({**base, "hd": "elsewhere.example"}, {k: v for k, v in base.items() if k != "hd"}):
            mimics.set("google", person=claims)
            visit = Visit(both, AT_GOOGLE)
            refused(visit.by("google"), visit, ["R7"])
        mimics.set("google", person={**base, "hd": "Meridian.Example"})
        visit = Visit(both, AT_GOOGLE)
        visit.link("google")
        equal(visit.who(), AT_GOOGLE, "who is in")
    with case("Google: a lapsed domain bought again: same address, same hd, another sub is another person"):
        mimics.set("google", person={**base, "sub": "108000000000000000002"})
        visit = Visit(both, "nobody")
        page = visit.by("google")
        true(visit.who() is None, f"in as {visit.who()}")
        true('action="/sign-in"' in page.body, text(page.body)[:200])


def entra(mimics, both, folder):
    tenant, stranger = mimics["tenant"], mimics["stranger"]
    ann = {"sub": "pairwise-1", "oid": "11111111-2222-4333-8444-555555555555", "tid": tenant, "ver": "2.0", "name": "Ann",
           "preferred_username": "ann@contoso.example", "email": "ann@contoso.example", "groups": ["aaaaaaaa-0000-4000-8000-000000000001"]}
    with case("Entra, one tenant: linked by tenant and object, whatever the address says"):
        add("entra", "entra", mimics["entra"], folder, "--allow-tenant", tenant, "--link", "prompt")
        mimics.set("entra", person=ann)
        visit = Visit(both, AT_ENTRA)
        visit.link("entra")
        mimics.set("entra", person={**ann, "sub": "pairwise-of-another-registration", "email": "renamed@contoso.example", "preferred_username": "renamed@contoso.example"})
        visit = Visit(both, AT_ENTRA)
        visit.by("entra")
        equal(visit.who(), AT_ENTRA, "who is in")
    with case("Entra: an address that anybody can write there opens nothing (nOAuth)"):
        mimics.set("entra", person={**ann, "sub": "eve", "oid": "99999999-2222-4333-8444-555555555555", "email": "gulay.kilic.10000@meridian.example"})
        visit = Visit(both, "nobody")
        visit.by("entra")
        true(visit.who() is None, f"in as {visit.who()}")
    with case("Entra: a guest is not the one with the same object elsewhere"):
        mimics.set("entra", person={**ann, "sub": "guest", "oid": "77777777-2222-4333-8444-555555555555", "acct": 1, "idp": f"https://sts.windows.net/{stranger}/"})
        visit = Visit(both, "nobody")
        visit.by("entra")
        true(visit.who() is None, f"in as {visit.who()}")
    with case("Entra: a token of another tenant is refused, and one that names a tenant that it is not of"):
        mimics.set("entra", person=ann, lie="another tenant in tid")
        visit = Visit(both, AT_ENTRA)
        refused(visit.by("entra"), visit, ["R5", "R6"])
        mimics.set("entra", lie="")
    with case("Entra, several tenants: the templated issuer; who is of none of them is refused"):
        third = "f0000000-0000-4000-8000-00000000000c"
        add("entra", "entra-all", mimics["entra"], folder, "--allow-tenant", tenant, "--allow-tenant", third, "--link", "prompt")
        mimics.set("entra", person=ann)
        visit = Visit(both, AT_TENANTS)
        visit.link("entra-all")
        equal(visit.who(), AT_TENANTS, "who is in")
        mimics.set("entra", person={**ann, "tid": stranger})
        visit = Visit(both, AT_TENANTS)
        refused(visit.by("entra-all"), visit, ["R6"])
    mapped(mimics, both, folder, ann)


def mapped(mimics, both, folder, ann):
    """Groups that the provider speaks for come and go with its word, and go when it does not say."""
    server = ldap3.Server(SERVER["ldap"])
    admin = ldap3.Connection(server, SERVER["admin"]["dn"], SERVER["admin"]["password"], auto_bind=True)

    def members():
        admin.search(GROUP, "(objectClass=*)", ldap3.BASE, attributes=["member"])
        return [str(value) for value in admin.entries[0]["member"]] if admin.entries and "member" in admin.entries[0] else []

    with case("Entra: a mapped group is given by its claim, and an overage of groups takes it away"):
        true(admin.add(GROUP, "groupOfNames", {"cn": "upstream-staff"}), admin.result)
        add("entra", "entra-1", mimics["entra"], folder, "--allow-tenant", mimics["tenant"], "--link", "prompt", "--map", f"{ann['groups'][0]}={GROUP}")
        mimics.set("entra", person=ann)
        Visit(both, MAPPED).link("entra-1")
        true(any(f"uid={MAPPED}," in member for member in members()), members())
        overage = {key: value for key, value in ann.items() if key != "groups"}
        overage |= {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph.windows.net/x/users/y/getMemberObjects"}}}
        mimics.set("entra", person=overage)
        visit = Visit(both, MAPPED)
        visit.by("entra-1")
        equal(visit.who(), MAPPED, "who is in")
        equal(members(), [], "members")
    admin.unbind()


def liar(mimics, both, folder):
    honest = {"sub": "liar-1", "preferred_username": "x", "email": "x@liar.example"}
    with case("the liar, while it does not lie, lets in whom it is linked to"):
        add("oidc", "liar", mimics["liar"], folder, "--link", "prompt")
        mimics.set("liar", person=honest, lie="")
        visit = Visit(both, DECEIVED)
        visit.link("liar")
        equal(visit.who(), DECEIVED, "who is in")
    # That of a tenant is no lie of a plain provider.
    tokens = {lie: TOKEN_RULES.get(lie, "R4") for lie in mimics["token_lies"] if lie != "another tenant in tid"}
    for lie, rule in {**tokens, **ANSWERS, **ENDPOINT}.items():
        with case(f"the liar: {lie}: refused by {rule}"):
            mimics.set("liar", lie=lie)
            began = time.monotonic()
            visit = Visit(both, DECEIVED)
            refused(visit.by("liar"), visit, [rule])
            true(time.monotonic() - began < 20, "it took too long")
    mimics.set("liar", lie="")
    for number, (lie, rule) in enumerate(METADATA.items(), 1):
        with case(f"the liar: {lie}: refused by {rule}, at the first question"):
            mimics.set("liar", lie=lie)
            add("oidc", f"liar-{number}", mimics["liar"], folder, "--link", "prompt")
            visit = Visit(both, DECEIVED)
            refused(visit.by(f"liar-{number}"), visit, [rule])
    with case("after all of it the password is as good as before, and so is the plain provider"):
        mimics.set("liar", lie="")
        visit = Visit(both, UNTOUCHED)
        visit.browser.enter(f"{ISSUER}/sign-in")
        equal(visit.who(), UNTOUCHED, "who is in")
        mimics.set("plain", person={"sub": "plain-1"})
        visit = Visit(both, ONE)
        visit.by("plain")
        equal(visit.who(), ONE, "who is in")


if __name__ == "__main__":
    main()
