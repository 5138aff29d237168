#!/usr/bin/env python3
"""Apache httpd with mod_auth_openidc as a relying party, before an application that only reads headers: sign-in, claims from the ID token and
userinfo, refresh, access tokens at an API by introspection, keys that roll, RP-initiated logout, and back-channel logout: whoever signs out at
the provider, or is disabled there, is out of Apache as well.
"""

import os
import shutil
import tempfile
import time
from urllib.parse import parse_qs, quote, urlsplit

import requests

from kit import command, tap
from kit.apache import Apache
from kit.browser import Browser
from kit.tap import case, equal, true

SERVER = tap.demo()
ISSUER = SERVER["oidc"]["issuer"]
TLS = os.environ["INTEROP_TLS"]
# How long the back channel may take.
SOON = 15


def person(uid):
    return {"username": uid, "password": f"Rollbook-demo-{uid}"}


def trusted(folder):
    """One file with the certificates of both servers."""
    path = os.path.join(folder, "both.pem")
    with open(path, "w", encoding="ascii") as out:
        for name in (SERVER["ca_file"], os.path.join(TLS, "ca.pem")):
            with open(name, encoding="ascii") as file:
                out.write(file.read())
    os.chmod(path, 0o644)
    return path


def register(apache):
    made = command.run(SERVER, "application", "create", "apache", "--redirect-uri", apache.return_to, "--post-logout-uri", f"{apache.url}/out",
                       "--back-channel-logout-uri", f"{apache.return_to}?logout=backchannel", "--first-party", "--json")
    made = made[0] if isinstance(made, list) else made
    return {"client_id": made["client_id"], "client_secret": made["client_secret"]}


class Visit:
    """Somebody before Apache."""

    def __init__(self, apache, both, uid):
        self.apache, self.browser = apache, Browser(both, person(uid))

    def app(self, path="/app/page", **headers):
        return self.browser.enter(self.apache.url + path) if not headers else self.browser.go(self.apache.url + path, headers=headers)

    def info(self):
        return self.browser.go(f"{self.apache.return_to}?info=json").json()

    def is_in(self):
        """Whether Apache has a session for this browser: without one it leads to the provider."""
        answer = self.browser.step(self.apache.url + "/app/page")
        return answer.status_code == 200

    def gone_soon(self):
        deadline = time.monotonic() + SOON
        while self.is_in():
            true(time.monotonic() < deadline, f"still in after {SOON} s")
            time.sleep(0.1)

    def sign_out_there(self):
        """At the provider's own page."""
        page = self.browser.go(f"{ISSUER}/sign-out")
        return self.browser.fill(page, "/sign-out")


def main():
    folder = tempfile.mkdtemp(prefix="rollbook-apache-")
    apache = Apache(folder)
    try:
        os.chmod(folder, 0o755)
        both = trusted(folder)
        client = register(apache)
        apache.start(ISSUER, client, both, os.path.join(TLS, "leaf.pem"), os.path.join(TLS, "leaf.key"))
        cases(apache, both, client)
        if tap.failed:
            print(f"# Apache: {apache.told(20)[-3000:]}")
    finally:
        apache.stop()
        shutil.rmtree(folder, ignore_errors=True)
    tap.finish()


def cases(apache, both, client):
    one = Visit(apache, both, "gkilic")
    with case("a stranger is sent to the provider with code, PKCE, state and nonce"):
        answer = one.browser.step(apache.url + "/app/page")
        equal(answer.status_code, 302, "status")
        asked = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
        equal([asked["response_type"], asked["client_id"], asked["redirect_uri"], asked["code_challenge_method"]],
              ["code", client["client_id"], apache.return_to, "S256"])
        true(asked["nonce"] and asked["state"] and asked["code_challenge"], asked)
    with case("sign-in leads to the page that was asked for, and the application reads who it is"):
        page = one.app("/app/page?x=1")
        equal(page.status, 200, "status")
        equal(page.url, apache.url + "/app/page?x=1", "address")
        seen = page.json()
        equal([seen["x-entered-as"], seen["oidc_claim_preferred_username"]], ["gkilic", "gkilic"])
        equal([seen["oidc_claim_iss"], seen["oidc_claim_aud"]], [ISSUER, client["client_id"]])
        true("oidc_access_token" in seen and "oidc_refresh_token" in seen, seen)
        # They are told at userinfo alone.
        equal(seen["oidc_claim_email"], "gulay.kilic.10000@meridian.example", "email")
    with case("claims that are not ASCII arrive whole"):
        told = one.info()["userinfo"]
        equal([told["given_name"], told["family_name"]], ["Gülay", "Kılıç"])
        equal(one.info()["id_token"]["sub"], told["sub"], "sub of the ID token and of userinfo")
    with case("headers that a visitor makes up do not arrive"):
        seen = one.app(**{"OIDC_CLAIM_preferred_username": "root", "OIDC_CLAIM_groups": "admins", "X-Entered-As": "root"}).json()
        equal([seen["x-entered-as"], seen.get("oidc_claim_preferred_username"), seen.get("oidc_claim_groups")], ["gkilic", "gkilic", None])
    with case("who lacks a claim is not let in, and is not asked again and again"):
        equal(one.browser.go(apache.url + "/app/staff").status, 401, "status")
    with case("refresh: other tokens, the same person"):
        before = one.info()
        page = one.browser.go(f"{apache.return_to}?refresh={quote(apache.url + '/app/page', safe='')}&access_token={quote(before['access_token'], safe='')}")
        equal(page.status, 200, "status")
        true("error_code" not in page.url, page.url)
        after = one.info()
        true(after["access_token"] != before["access_token"], "the same access token")
        true(after["refresh_token"] != before["refresh_token"], "the same refresh token")
        equal(after["userinfo"]["sub"], before["userinfo"]["sub"], "sub")
    with case("an access token opens an API, found good by introspection"):
        token = one.info()["access_token"]
        answer = requests.get(f"{apache.url}/api/thing", headers={"Authorization": f"Bearer {token}"}, verify=both, timeout=30)
        equal(answer.status_code, 200, "status")
        equal(answer.json()["x-entered-as"], one.info()["userinfo"]["sub"], "the person")
        equal(requests.get(f"{apache.url}/api/thing", headers={"Authorization": f"Bearer {token[:-6]}AAAAAA"}, verify=both, timeout=30).status_code,
              401, "status of a token that is none")
    with case("a second sign-in is silent while the provider knows the person"):
        one.browser.drop("mod_auth_openidc")
        true(not one.is_in(), "in without a cookie")
        one.browser.drop("mod_auth_openidc")
        page = one.app()
        equal([page.status, one.browser.entered], [200, 1], "status and how often the form was filled in")
    with case("back-channel logout: signed out at the provider is out of Apache"):
        token = one.info()["access_token"]
        true(one.is_in(), "not in")
        one.sign_out_there()
        one.gone_soon()
        answer = requests.get(f"{apache.url}/api/thing", headers={"Authorization": f"Bearer {token}"}, verify=both, timeout=30)
        equal(answer.status_code, 401, "status at the API")
    with case("back-channel logout: other people stay in"):
        other = Visit(apache, both, "yboiko")
        equal(other.app().status, 200, "status")
        one = Visit(apache, both, "gkilic")
        equal(one.app().status, 200, "status")
        one.sign_out_there()
        one.gone_soon()
        true(other.is_in(), "the other is out")
    with case("back-channel logout: disabled is out"):
        victim = Visit(apache, both, "ajager")
        equal(victim.app().status, 200, "status")
        command.run(SERVER, "account", "disable", "ajager", "--yes")
        victim.gone_soon()
        true(other.is_in(), "the other is out")
    with case("back-channel logout: a session that an administrator ends"):
        one = Visit(apache, both, "gkilic")
        equal(one.app().status, 200, "status")
        command.run(SERVER, "session", "end-all", "gkilic")
        one.gone_soon()
    with case("RP-initiated logout: out here, out there, back at the address agreed on"):
        one = Visit(apache, both, "gkilic")
        equal(one.app().status, 200, "status")
        page = one.browser.go(f"{apache.return_to}?logout={quote(apache.url + '/out', safe='')}")
        equal(page.url.split("?")[0], apache.url + "/out", "address")
        true(any(url.startswith(f"{ISSUER}/") and "id_token_hint=" in url for url in page.seen), f"not by the provider: {page.seen}")
        true(not one.is_in(), "still in")
        one.browser.drop("mod_auth_openidc")
        entered = one.browser.entered
        equal(one.app().status, 200, "status")
        equal(one.browser.entered, entered + 1, "how often the form was filled in")
    with case("RP-initiated logout: not to an address that was not agreed on"):
        page = one.browser.go(f"{apache.return_to}?logout={quote(apache.url + '/elsewhere', safe='')}")
        true(not page.url.startswith(apache.url + "/elsewhere"), page.url)
    with case("keys that are replaced at once: the new ones are fetched, and sign-in goes on"):
        command.run(SERVER, "keys", "roll", "--emergency")
        fresh = Visit(apache, both, "yboiko")
        page = fresh.app()
        equal(page.status, 200, "status")
        equal(page.json()["x-entered-as"], "yboiko", "the person")


if __name__ == "__main__":
    main()
