//! The vectors of the RFCs, and what must not get through.

use super::jws::{self, Unproven};
use super::key::{Material, PublicKey};
use super::sign::SigningKey;
use super::token::{self, Expected, Lifetime};
use super::{Algorithm, Flaw, decode, encode};
use directory::clock::{Millis, Span};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => panic!("an object is wanted"),
    }
}

fn jwk(value: Value) -> PublicKey {
    PublicKey::from_jwk(&map(value)).unwrap()
}

fn prove(token: &str, key: &PublicKey) -> Result<Map<String, Value>, Flaw> {
    Unproven::parse(token)?.prove(key)
}

const RFC7515_A2: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const RFC7515_A3: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

fn rsa() -> PublicKey {
    jwk(
        json!({"kty": "RSA", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ", "e": "AQAB"}),
    )
}

fn p256() -> PublicKey {
    jwk(
        json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}),
    )
}

/// Goal: the examples of RFC 7515 §A.2 and §A.3 are good, and one bit more or less is not.
#[test]
fn the_examples_of_rfc_7515() {
    for (token, key) in [(RFC7515_A2, rsa()), (RFC7515_A3, p256())] {
        let claims = prove(token, &key).unwrap();
        assert_eq!(claims["iss"], "joe");
        assert_eq!(claims["exp"], 1_300_819_380);
        for at in (0..token.len()).step_by(7) {
            let mut bent = token.to_owned().into_bytes();
            bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
            let bent = String::from_utf8(bent).unwrap();
            assert!(bent == token || prove(&bent, &key).is_err(), "octet {at}");
        }
    }
    assert_eq!(prove(RFC7515_A2, &p256()), Err(Flaw::Key));
    assert_eq!(prove(RFC7515_A3, &rsa()), Err(Flaw::Key));
}

/// Goal: the example of RFC 8037 §A.4 and §A.5 (Ed25519), and the thumbprints of RFC 7638 §3.1 and RFC 8037 §A.3.
#[test]
fn the_examples_of_rfc_8037_and_rfc_7638() {
    let key = jwk(json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}));
    assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature =
        decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg").unwrap();
    key.verify(message, &signature).unwrap();
    assert_eq!(key.verify(b"another", &signature), Err(Flaw::Signature));
    let rsa = jwk(
        json!({"kty": "RSA", "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}),
    );
    assert_eq!(rsa.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

/// Goal: what we make, we and the world can check: PKCS#8 out and in, JWK out and in, a signature that holds.
#[test]
fn keys_go_round() {
    for algorithm in Algorithm::ALL {
        let pkcs8 = algorithm.generate().unwrap();
        let key = SigningKey::from_pkcs8(algorithm, &pkcs8).unwrap();
        for other in Algorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            assert!(SigningKey::from_pkcs8(other, &pkcs8).is_err(), "{algorithm:?} as {other:?}");
        }
        let kid = key.public().thumbprint();
        let again = PublicKey::from_jwk(&map(key.public().to_jwk(&kid))).unwrap();
        assert_eq!((again.algorithm(), again.thumbprint()), (algorithm, kid.clone()));
        let claims = map(json!({"sub": "ü", "n": 1}));
        let signed = jws::sign(&key, &kid, "at+jwt", &claims).unwrap();
        let unproven = Unproven::parse(&signed).unwrap();
        assert_eq!(unproven.kid.as_deref(), Some(kid.as_str()));
        assert_eq!(unproven.typ.as_deref(), Some("at+jwt"));
        assert_eq!(unproven.prove(&again).unwrap(), claims);
        assert!(!format!("{key:?}").contains(&encode(&pkcs8[..8])), "a private key is not printed");
    }
}

fn token(header: &Value, claims: &str, signature: &[u8]) -> String {
    format!("{}.{}.{}", encode(header.to_string()), encode(claims), encode(signature))
}

/// Goal: hostile row D12 and requirements 41 and 42: what asks for another way of checking is refused before any key is
/// looked at.
#[test]
fn hostile_headers() {
    let refused = [
        (json!({"alg": "none"}), Flaw::Algorithm),
        (json!({"alg": "None"}), Flaw::Algorithm),
        (json!({"alg": ""}), Flaw::Algorithm),
        (json!({"alg": "HS256"}), Flaw::Algorithm),
        (json!({"alg": "hs256"}), Flaw::Algorithm),
        (json!({"alg": "rs256"}), Flaw::Algorithm),
        (json!({"alg": "RS256 "}), Flaw::Algorithm),
        (json!({"alg": ["RS256"]}), Flaw::Algorithm),
        (json!({"alg": null}), Flaw::Algorithm),
        (json!({"typ": "JWT"}), Flaw::Algorithm),
        (json!({"alg": "RSA-OAEP", "enc": "A256GCM"}), Flaw::Algorithm),
        (json!({"alg": "RS256", "enc": "A256GCM"}), Flaw::Header),
        (json!({"alg": "RS256", "zip": "DEF"}), Flaw::Header),
        (json!({"alg": "RS256", "b64": false, "crit": ["b64"]}), Flaw::Header),
        (json!({"alg": "RS256", "b64": true}), Flaw::Header),
        (json!({"alg": "RS256", "crit": []}), Flaw::Header),
        (json!({"alg": "RS256", "crit": ["exp"]}), Flaw::Header),
        (json!({"alg": "RS256", "kid": 1}), Flaw::Header),
        (json!({"alg": "RS256", "kid": ["a"]}), Flaw::Header),
        (json!({"alg": "RS256", "kid": "x".repeat(257)}), Flaw::Header),
        (json!({"alg": "RS256", "typ": {}}), Flaw::Header),
    ];
    for (header, flaw) in refused {
        assert_eq!(Unproven::parse(&token(&header, "{}", b"s")).unwrap_err(), flaw, "{header}");
    }
    // A path, a query and SQL as a kid are names that no key has; nothing is opened.
    for kid in ["../../etc/passwd", "' OR 1=1 --", "http://evil/jwks", "\u{0}", ""] {
        let text = token(&json!({"alg": "RS256", "kid": kid}), "{}", b"s");
        assert_eq!(Unproven::parse(&text).unwrap().kid.as_deref(), Some(kid));
    }
}

/// Goal: a key that comes with the token, or an address of one, is not used: the signature is checked with ours.
#[test]
fn a_key_in_the_token_is_not_used() {
    let (ours, theirs) = (Algorithm::Es256.generate().unwrap(), Algorithm::Es256.generate().unwrap());
    let ours = SigningKey::from_pkcs8(Algorithm::Es256, &ours).unwrap();
    let theirs = SigningKey::from_pkcs8(Algorithm::Es256, &theirs).unwrap();
    let header = json!({"alg": "ES256", "jwk": theirs.public().to_jwk("a"), "jku": "https://evil.example/jwks",
        "x5u": "https://evil.example/x5u", "x5c": ["AAAA"]});
    let message = format!("{}.{}", encode(header.to_string()), encode("{}"));
    let forged = format!("{message}.{}", encode(theirs.sign(message.as_bytes()).unwrap()));
    assert_eq!(prove(&forged, ours.public()), Err(Flaw::Signature));
    assert_eq!(prove(&forged, theirs.public()).unwrap(), Map::new());
}

/// Goal: the public key as the secret of an HMAC, the classic confusion, has no way in: HS256 has no name here.
#[test]
fn a_public_key_is_no_secret() {
    use aws_lc_rs::hmac;
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let message = format!("{}.{}", encode(header.to_string()), encode("{\"sub\":\"admin\"}"));
    let secret = rsa().to_jwk("k").to_string();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), message.as_bytes());
    let forged = format!("{message}.{}", encode(tag.as_ref()));
    assert_eq!(prove(&forged, &rsa()), Err(Flaw::Algorithm));
}

/// Goal: one spelling only: padding, line ends, spare bits, other alphabets, more or fewer parts are no token.
#[test]
fn one_spelling() {
    let twin = format!("{}.e30.cw", encode(r#"{"alg":"RS256","alg":"ES256"}"#));
    let long = format!("{}.{}.cw", encode(r#"{"alg":"RS256"}"#), "A".repeat(jws::MOST));
    for (bad, flaw) in [
        ("", Flaw::Malformed),
        (".", Flaw::Malformed),
        ("..", Flaw::Malformed),
        ("e30.e30", Flaw::Malformed),
        ("e30.e30.e30.e30", Flaw::Malformed),
        ("e30.e30.e30.e30.e30", Flaw::Malformed),
        ("e30=.e30.cw", Flaw::Malformed),
        ("e31.e30.cw", Flaw::Malformed),
        ("e3\n0.e30.cw", Flaw::Malformed),
        ("e30+.e30.cw", Flaw::Malformed),
        ("W10.e30.cw", Flaw::Malformed),
        ("e30.e30.cw", Flaw::Algorithm),
        (twin.as_str(), Flaw::Malformed),
        (long.as_str(), Flaw::TooLong),
    ] {
        assert_eq!(Unproven::parse(bad).err(), Some(flaw), "{}", bad.chars().take(60).collect::<String>());
    }
    // The same signature in another spelling is another text, and none.
    assert!(prove(&format!("{RFC7515_A3}="), &p256()).is_err());
    assert!(prove(&format!("{RFC7515_A3} "), &p256()).is_err());
}

/// Goal: keys that are weak, private, for something else, or no keys are refused.
#[test]
fn keys_that_are_none() {
    let ed = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let with = |name: &str, value: Value| {
        let mut changed = ed.clone();
        changed[name] = value;
        changed
    };
    assert!(PublicKey::from_jwk(&map(with("use", json!("sig")))).is_ok());
    assert!(PublicKey::from_jwk(&map(with("key_ops", json!(["verify"])))).is_ok());
    let short = encode([0xFF; 128]);
    let bad = [
        json!({}),
        json!({"kty": "oct", "k": "AAAA"}),
        json!({"kty": "RSA", "n": short, "e": "AQAB"}),
        json!({"kty": "RSA", "n": encode([0xFE; 256]), "e": "AQAB"}),
        json!({"kty": "RSA", "n": encode([0xFF; 2_048]), "e": "AQAB"}),
        json!({"kty": "EC", "crv": "P-256", "x": encode([1; 32]), "y": encode([1; 32])}),
        json!({"kty": "EC", "crv": "P-256", "x": encode([0; 32]), "y": encode([0; 32])}),
        json!({"kty": "EC", "crv": "P-384", "x": encode([1; 48]), "y": encode([1; 48])}),
        json!({"kty": "EC", "crv": "secp256k1", "x": encode([1; 32]), "y": encode([1; 32])}),
        json!({"kty": "OKP", "crv": "Ed448", "x": encode([1; 57])}),
        json!({"kty": "OKP", "crv": "X25519", "x": encode([1; 32])}),
        with("d", json!("AAAA")),
        with("use", json!("enc")),
        with("alg", json!("RS256")),
        with("alg", json!("none")),
        with("key_ops", json!(["sign"])),
        with("x", json!("AAAA")),
    ];
    for key in bad {
        assert!(PublicKey::from_jwk(&map(key.clone())).is_err(), "{key}");
    }
    assert!(PublicKey::new(Material::Rsa { n: Vec::new(), e: Vec::new() }).is_err());
}

/// Goal: issuer, audience and times, each at both sides of its border (requirements 43 and 45).
#[test]
fn claims_at_their_borders() {
    let now = Millis(1_800_000_000_000);
    let (at, skew) = (now.0 / 1_000, token::SKEW.millis() / 1_000);
    let base = json!({"iss": "https://a", "aud": ["x", "me"], "exp": at + 10, "iat": at});
    let check = |name: &str, value: Value, lifetime: Lifetime| {
        let mut claims = map(base.clone());
        if value.is_null() {
            claims.remove(name)
        } else {
            claims.insert(name.to_owned(), value)
        };
        token::check(&claims, &Expected { issuer: "https://a", audience: Some("me"), lifetime, now })
    };
    let most = Lifetime::AtMost(Span::from_mins(5));
    let rows = [
        ("aud", json!("me"), Lifetime::Good, Ok(())),
        ("aud", json!("ME"), Lifetime::Good, Err(Flaw::Audience)),
        ("aud", json!(["me", 1]), Lifetime::Good, Err(Flaw::Audience)),
        ("aud", json!([]), Lifetime::Good, Err(Flaw::Audience)),
        ("aud", json!({"me": 1}), Lifetime::Good, Err(Flaw::Audience)),
        ("aud", Value::Null, Lifetime::Good, Err(Flaw::Audience)),
        ("iss", json!("https://a/"), Lifetime::Good, Err(Flaw::Issuer)),
        ("iss", json!(["https://a"]), Lifetime::Good, Err(Flaw::Issuer)),
        ("iss", Value::Null, Lifetime::Good, Err(Flaw::Issuer)),
        ("exp", Value::Null, Lifetime::Good, Err(Flaw::Expired)),
        ("exp", Value::Null, Lifetime::MayHaveEnded, Err(Flaw::Expired)),
        ("exp", json!(at - skew), Lifetime::Good, Err(Flaw::Expired)),
        ("exp", json!(at - skew + 1), Lifetime::Good, Ok(())),
        ("exp", json!(at - 1_000_000), Lifetime::MayHaveEnded, Ok(())),
        ("exp", json!("1"), Lifetime::Good, Err(Flaw::Claim)),
        ("exp", json!(-1), Lifetime::Good, Err(Flaw::Claim)),
        ("exp", json!(1e300), Lifetime::Good, Err(Flaw::Claim)),
        ("exp", json!(u64::MAX), Lifetime::Good, Err(Flaw::Claim)),
        ("exp", json!(1_800_000_010.5), Lifetime::Good, Ok(())),
        ("exp", json!(at + 300 + skew), most, Ok(())),
        ("exp", json!(at + 301 + skew), most, Err(Flaw::Long)),
        ("iat", json!(at - 4_000), most, Ok(())),
        ("iat", json!(at + skew), Lifetime::Good, Ok(())),
        ("iat", json!(at + skew + 1), Lifetime::Good, Err(Flaw::Early)),
        ("iat", json!("now"), Lifetime::Good, Err(Flaw::Claim)),
        ("nbf", json!(at + skew), Lifetime::Good, Ok(())),
        ("nbf", json!(at + skew + 1), Lifetime::Good, Err(Flaw::Early)),
    ];
    for (name, value, lifetime, wanted) in rows {
        assert_eq!(check(name, value.clone(), lifetime), wanted, "{name} = {value} {lifetime:?}");
    }
}

proptest! {
    /// Goal: no text makes the parser stop, and none is proven by a key that did not sign it.
    #[test]
    fn anything_is_read_and_nothing_is_believed(text in "[ -~]{0,200}|([A-Za-z0-9_-]{0,60}\\.){0,4}[A-Za-z0-9_-]{0,60}") {
        if let Ok(unproven) = Unproven::parse(&text) {
            prop_assert!(unproven.prove(&p256()).is_err());
        }
    }

    /// Goal: what is signed comes back, claim by claim, whatever it says.
    #[test]
    fn what_is_signed_comes_back(entries in proptest::collection::btree_map("[a-z]{1,8}", "\\PC{0,40}", 0..8)) {
        let key = SigningKey::from_pkcs8(Algorithm::EdDsa, &Algorithm::EdDsa.generate().unwrap()).unwrap();
        let claims: Map<String, Value> = entries.into_iter().map(|(name, text)| (name, Value::String(text))).collect();
        let signed = jws::sign(&key, "k", "JWT", &claims).unwrap();
        prop_assert_eq!(prove(&signed, key.public()).unwrap(), claims);
    }
}
