//! Access tokens: what is one, who can verify it, and how its key is changed.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::Duration;
use reqwest::Method;
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use serde_json::{Value, json};

use crate::support::{Client, World, on_both_engines, says_unauthenticated};

/// A key pair of an operator.
struct Key {
    pem: String,
    pair: Ed25519KeyPair,
}

impl Key {
    fn new() -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("randomness");
        let body = STANDARD.encode(pkcs8.as_ref());
        Self {
            pem: format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"),
            pair: Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("a key pair"),
        }
    }

    fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// A token with this header and these claims, signed by this key.
    fn signs(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", encoded(header), encoded(claims));
        let signature = self.pair.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// A token with this header and these claims, whose signature is an HMAC.
fn by_hmac(secret: &[u8], header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", encoded(header), encoded(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signature = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn encoded(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

fn decoded(part: &str) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// The three parts of a client's token.
fn parts(client: &Client) -> [String; 3] {
    let token = client.token.as_deref().expect("a token");
    let parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    parts.try_into().expect("three parts")
}

fn changed(value: &Value, field: &str, to: Value) -> Value {
    let mut changed = value.clone();
    changed[field] = to;
    changed
}

fn without(value: &Value, field: &str) -> Value {
    let mut changed = value.clone();
    changed.as_object_mut().expect("an object").remove(field);
    changed
}

/// The text with another letter in its middle.
fn swapped(text: &str) -> String {
    let middle = text.len() / 2;
    let other = if &text[middle..=middle] == "A" {
        "B"
    } else {
        "A"
    };
    format!("{}{other}{}", &text[..middle], &text[middle + 1..])
}

async fn jwks(world: &World) -> Value {
    let asked = world
        .stranger()
        .request(Method::GET, "/.well-known/jwks.json");
    let answer = asked.send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/json");
    answer.json().await.expect("JSON")
}

/// Over HTTP and over a socket, in the same words for all.
async fn nobody_is_let_in_by(world: &World, token: &str, name: &str) {
    let (status, answer) = world.stranger().asks_by_token(token).await;
    assert_eq!(status, 401, "{name}: {answer}");
    let expected = json!({ "errors": [{
        "message": "This access token is not good any more; take a new one.", "extensions": { "code": "UNAUTHENTICATED" },
    }] });
    assert_eq!(answer, expected, "{name}");
    let mut socket = world.stranger().opens_a_raw_socket().await;
    let payload = json!({ "authorization": format!("Bearer {token}") });
    socket
        .say(json!({ "type": "connection_init", "payload": payload }))
        .await;
    assert_eq!(
        socket.is_closed().await,
        (4403, "Forbidden".to_owned()),
        "{name}"
    );
}

on_both_engines! {
    async fn a_header_that_is_no_good_token_refuses_the_whole_request(world: World) {
        let gus = world.guest("gus").await;
        let good = gus.token.clone().expect("a token");
        let elsewhere = World::on_sqlite().await.guest("gus").await.token.expect("a token");
        let stranger = world.stranger();
        for bad in [
            format!("Bearer {elsewhere}"),
            format!("Basic {good}"), "Basic Z3VzOmEgZ29vZCBwYXNzd29yZA==".to_owned(), good.clone(), format!("Bearer{good}"),
            format!("Bearer {good} {good}"), "Bearer".to_owned(), "Bearer ".to_owned(), "garbage".to_owned(), String::new(),
        ] {
            says_unauthenticated(&stranger.asks_with("authorization", &bad, "{ __typename }").await);
        }
        let (status, answer) = stranger.asks_with("authorization", &format!("bearer {good}"), "{ viewer { email } }").await;
        assert_eq!((status, &answer["data"]["viewer"]["email"]), (200, &json!("gus@example.com")));
    }

    async fn a_token_that_was_made_up_or_changed_in_any_way_lets_nobody_in(world: World) {
        let (key, other) = (Key::new(), Key::new());
        let world = world.instance_with(&[("STAYGATE_JWT_KEY", format!("{}{}", key.pem, other.pem).as_str())]).await;
        let gus = world.guest("gus").await;
        let [header_text, claims_text, signature] = parts(&gus);
        let (header, claims) = (decoded(&header_text), decoded(&claims_text));
        let keys = jwks(&world).await;
        let (x, others_kid) = (keys["keys"][0]["x"].as_str().expect("a key"), keys["keys"][1]["kid"].clone());
        assert_eq!(header["kid"], keys["keys"][0]["kid"]);
        let now = claims["iat"].as_i64().expect("seconds");
        let with_alg = |alg: &str| changed(&header, "alg", json!(alg));
        // What the test makes itself is good, so that each of the others is refused for its one fault.
        for good in [key.signs(&header, &claims), other.signs(&changed(&header, "kid", others_kid.clone()), &claims), key.signs(&header, &changed(&claims, "iat", json!(now + 60)))] {
            assert_eq!(world.stranger().asks_by_token(&good).await.0, 200);
        }
        let olga = decoded(&parts(&world.guest("olga").await)[1]);
        for (name, bad) in [
            ("another's name", format!("{header_text}.{}.{signature}", encoded(&changed(&claims, "sub", olga["sub"].clone())))),
            ("changed claims", format!("{header_text}.{}.{signature}", swapped(&claims_text))),
            ("a changed signature", format!("{header_text}.{claims_text}.{}", swapped(&signature))),
            ("a changed header", format!("{}.{claims_text}.{signature}", encoded(&changed(&header, "typ", json!("jwt"))))),
            ("no signature", format!("{header_text}.{claims_text}.")),
            ("two parts", format!("{header_text}.{claims_text}")),
            ("four parts", format!("{header_text}.{claims_text}.{signature}.{signature}")),
            ("another's signature", format!("{header_text}.{claims_text}.{}", parts(&world.guest("nosy").await)[2])),
            ("lapsed", key.signs(&header, &changed(&claims, "exp", json!(now)))),
            ("lapsed long ago", key.signs(&header, &changed(&claims, "exp", json!(-1)))),
            ("of the future", key.signs(&header, &changed(&claims, "iat", json!(now + 61)))),
            ("for ever", key.signs(&header, &without(&claims, "exp"))),
            ("of another issuer", key.signs(&header, &changed(&claims, "iss", json!("elsewhere")))),
            ("of no issuer", key.signs(&header, &without(&claims, "iss"))),
            ("of an older number", key.signs(&header, &changed(&claims, "ver", json!(-1)))),
            ("of nobody", key.signs(&header, &changed(&claims, "sub", json!("")))),
            ("of no session", key.signs(&header, &without(&claims, "sid"))),
            ("of a made-up session", key.signs(&header, &changed(&claims, "sid", json!("00000000-0000-4000-8000-000000000000")))),
            ("alg none", format!("{}.{claims_text}.", encoded(&with_alg("none")))),
            ("alg none with a signature", key.signs(&with_alg("none"), &claims)),
            ("alg NONE", format!("{}.{claims_text}.", encoded(&with_alg("NONE")))),
            ("another key", Key::new().signs(&header, &claims)),
            ("the ring's other key", other.signs(&header, &claims)),
            ("the other key's name", key.signs(&changed(&header, "kid", others_kid), &claims)),
            ("an unknown key's name", key.signs(&changed(&header, "kid", json!("unknown")), &claims)),
            ("no key's name", key.signs(&without(&header, "kid"), &claims)),
            ("no key's name and HS256", by_hmac(key.public(), &without(&with_alg("HS256"), "kid"), &claims)),
            ("HS256 by the public key", by_hmac(key.public(), &with_alg("HS256"), &claims)),
            ("HS256 by the public key's text", by_hmac(x.as_bytes(), &with_alg("HS256"), &claims)),
            ("EdDSA by HMAC", by_hmac(key.public(), &header, &claims)),
            ("HS256 by the private key", key.signs(&with_alg("HS256"), &claims)),
            ("RS256", key.signs(&with_alg("RS256"), &claims)),
            ("ES256", key.signs(&with_alg("ES256"), &claims)),
            ("no algorithm", key.signs(&without(&header, "alg"), &claims)),
            ("100 KB", "x".repeat(100_000)),
            ("100 KB of claims", key.signs(&header, &changed(&claims, "sub", json!("7".repeat(75_000))))),
            ("100 KB of key's name", key.signs(&changed(&header, "kid", json!("x".repeat(75_000))), &claims)),
        ] {
            nobody_is_let_in_by(&world, &bad, name).await;
        }
        gus.is_let_in().await;
    }

    async fn a_token_is_good_until_it_lapses_to_the_second(world: World) {
        let world = world.instance_with(&[("STAYGATE_ACCESS_TOKEN_TTL", "300")]).await;
        let gus = world.guest("gus").await;
        let claims = decoded(&parts(&gus)[1]);
        assert_eq!(claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(exp, iat)| exp - iat), Some(300));
        world.clock.advance(Duration::seconds(299));
        gus.is_let_in().await;
        world.clock.advance(Duration::seconds(1));
        nobody_is_let_in_by(&world, gus.token.as_deref().expect("a token"), "lapsed").await;
        gus.refreshes().await.is_let_in().await;
    }

    async fn anybody_verifies_a_token_by_the_published_keys(world: World) {
        let gus = world.guest("gus").await;
        let keys = jwks(&world).await;
        assert_eq!(keys["keys"].as_array().map(Vec::len), Some(1));
        let key = &keys["keys"][0];
        assert_eq!((&key["kty"], &key["crv"], &key["alg"], &key["use"]), (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA"), &json!("sig")));
        assert_eq!(key.get("d"), None, "the private part is private");
        let [header, claims, signature] = parts(&gus);
        assert_eq!(decoded(&header), json!({ "alg": "EdDSA", "typ": "JWT", "kid": key["kid"] }));
        let public = URL_SAFE_NO_PAD.decode(key["x"].as_str().expect("a key")).expect("base64");
        let public = UnparsedPublicKey::new(&ED25519, public);
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
        public.verify(format!("{header}.{claims}").as_bytes(), &signature).expect("it is of this key");
        assert!(public.verify(format!("{header}.{}", swapped(&claims)).as_bytes(), &signature).is_err());
        let claims = decoded(&claims);
        assert_eq!((&claims["iss"], claims["sub"].is_string(), claims["exp"].is_i64()), (&json!("staygate"), true, true));
        let there = world.another_instance().await;
        assert_eq!(jwks(&there).await, keys, "every instance has the same");
    }

    async fn a_key_is_changed_without_signing_anybody_out(world: World) {
        let (old, new) = (Key::new(), Key::new());
        let ring = async |keys: &[&Key]| {
            let pem: String = keys.iter().map(|key| key.pem.as_str()).collect();
            world.instance_with(&[("STAYGATE_JWT_KEY", pem.as_str())]).await
        };
        let (only_old, both, turned, only_new) = (ring(&[&old]).await, ring(&[&old, &new]).await, ring(&[&new, &old]).await, ring(&[&new]).await);
        let before = only_old.guest("gus").await;
        for world in [&only_old, &both, &turned] {
            world.as_seen_by(&before).is_let_in().await;
        }
        nobody_is_let_in_by(&only_new, before.token.as_deref().expect("a token"), "of a key that was taken away").await;
        let after = turned.as_seen_by(&before).refreshes().await;
        for world in [&both, &turned, &only_new] {
            world.as_seen_by(&after).is_let_in().await;
        }
        nobody_is_let_in_by(&only_old, after.token.as_deref().expect("a token"), "of a key that is not there yet").await;
        let keys = jwks(&turned).await;
        let x = |key: &Key| json!(URL_SAFE_NO_PAD.encode(key.public()));
        assert_eq!((&keys["keys"][0]["x"], &keys["keys"][1]["x"]), (&x(&new), &x(&old)));
        let kid = |client: &Client| decoded(&parts(client)[0])["kid"].take();
        assert_eq!((kid(&before), kid(&after)), (keys["keys"][1]["kid"].clone(), keys["keys"][0]["kid"].clone()));
        before.signs_out(false).await;
        turned.as_seen_by(&after).is_refused().await;
    }
}
