#!/usr/bin/env python3
"""PyPI authlib as a relying party: metadata, code with PKCE, the ID token checked with the published keys, userinfo, refresh, introspection,
revocation. The person is a few lines of browser over requests.
"""

import json
import os
import re
import sys
from urllib.parse import urljoin, urlparse

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, jwt
from authlib.oauth2.rfc8414 import get_well_known_url
from authlib.oidc.core import CodeIDToken

with open(sys.argv[1] if len(sys.argv) > 1 else os.environ["ROLLBOOK_DEMO"], encoding="utf-8") as description:
    DEMO = json.load(description)
OIDC, CA = DEMO["oidc"], DEMO["ca_file"]
# requests believes this variable before what a session says.
os.environ["REQUESTS_CA_BUNDLE"] = CA
CALLBACK = OIDC["redirect_uri"].replace("127.0.0.1", "127.0.0.1:4712")
FAILED = []


def case(name, good, why=""):
    print(f"ok {name}" if good else f"not ok {name}: {why}", flush=True)
    if not good:
        FAILED.append(name)


def enter(url):
    """Follows a browser through sign-in; gives the address at the application."""
    browser = requests.Session()
    browser.verify = CA
    form = None
    for _ in range(12):
        headers = {"Sec-Fetch-Site": "same-origin"}
        answer = browser.post(url, data=form, headers=headers, allow_redirects=False) if form else \
            browser.get(url, headers=headers, allow_redirects=False)
        form = None
        if "location" in answer.headers:
            url = urljoin(url, answer.headers["location"])
            if urlparse(url).netloc != urlparse(OIDC["issuer"]).netloc:
                return url
            continue
        page = re.search(r'<form[^>]*action="/sign-in".*?</form>', answer.text, re.S).group(0)
        field = lambda name: re.search(rf'name="{name}" value="([^"]*)"', page).group(1)
        form = {"token": field("token"), "r": field("r"), "username": DEMO["admin"]["username"], "password": DEMO["admin"]["password"]}
        url = urljoin(url, "/sign-in")
    raise RuntimeError("redirects without end")


def main():
    metadata = requests.get(get_well_known_url(OIDC["issuer"], external=True, suffix="openid-configuration"), verify=CA, timeout=10).json()
    case("metadata", metadata["issuer"] == OIDC["issuer"], metadata)
    session = OAuth2Session(OIDC["client_id"], OIDC["client_secret"], scope="openid profile email offline_access", redirect_uri=CALLBACK,
                            code_challenge_method="S256", token_endpoint_auth_method="client_secret_basic",
                            revocation_endpoint_auth_method="client_secret_basic")
    session.verify = CA
    verifier, nonce = generate_token(64), generate_token(24)
    address, state = session.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
    token = session.fetch_token(metadata["token_endpoint"], authorization_response=enter(address), state=state, code_verifier=verifier)
    case("code and PKCE", token["token_type"] == "Bearer" and "refresh_token" in token, token.keys())
    keys = JsonWebKey.import_key_set(requests.get(metadata["jwks_uri"], verify=CA, timeout=10).json())
    claims = jwt.decode(token["id_token"], keys, claims_cls=CodeIDToken,
                        claims_options={"iss": {"values": [OIDC["issuer"]]}, "aud": {"values": [OIDC["client_id"]]}},
                        claims_params={"nonce": nonce, "client_id": OIDC["client_id"], "access_token": token["access_token"]})
    claims.validate(leeway=5)
    case("ID token: signature, iss, aud, nonce, at_hash", claims["nonce"] == nonce, claims)
    told = session.get(metadata["userinfo_endpoint"]).json()
    case("userinfo", told.get("sub") == claims["sub"] and told.get("preferred_username") == DEMO["admin"]["username"], told)
    old = dict(token)
    fresh = session.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
    case("refresh rotates", fresh["refresh_token"] != old["refresh_token"], "the same token")
    asked = session.introspect_token(metadata["introspection_endpoint"], token=fresh["access_token"]).json()
    case("introspection", asked["active"] is True and asked["sub"] == claims["sub"], asked)
    session.revoke_token(metadata["revocation_endpoint"], token=fresh["refresh_token"])
    asked = session.introspect_token(metadata["introspection_endpoint"], token=fresh["access_token"]).json()
    case("revocation ends what came of it", asked == {"active": False}, asked)
    print("# end", flush=True)
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    main()
