//! The attacks on ID tokens of RFC 8725 and OpenID Connect, each by its name.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seal::key::SigningKey;
use serde_json::{Value, json};

use super::*;

const ISSUER: &str = "https://dinhdanh.example";
const CLIENT: &str = "national-portal";
const NONCE: &str = "n-1";
const NOW: Time = Time(1_795_228_200_000);

struct Desk {
    key: SigningKey,
    keys: BTreeMap<String, PublicKey>,
}

fn desk() -> Desk {
    let key = SigningKey::generate();
    let keys = BTreeMap::from([("k1".to_owned(), PublicKey::of(&key))]);
    Desk { key, keys }
}

fn good() -> Value {
    let now = NOW.seconds();
    json!({"iss": ISSUER, "sub": "s-1", "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": NONCE,
        "auth_time": now - 5, "acr": "2", "loAs": "2", "SoDinhDanh": "038192000001",
        "HoVaTen": "Lê Thị Lan", "NgayThangNamSinh": "1992-03-08"})
}

impl Desk {
    fn check(&self, token: &str) -> Result<Claims, Fault> {
        let expected = Expected {
            issuer: ISSUER,
            client_id: CLIENT,
            nonce: NONCE,
            now: NOW,
            keys: &self.keys,
        };
        check(token, &expected)
    }

    fn sign(&self, claims: &Value) -> String {
        seal::jws::sign("JWT", "k1", claims.to_string().as_bytes(), &self.key)
    }

    /// The good claims with one changed (or taken away by null), well signed.
    fn with(&self, name: &str, value: Value) -> Result<Claims, Fault> {
        let mut claims = good();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value;
        }
        self.check(&self.sign(&claims))
    }

    /// The good claims under another header, well signed over it.
    fn under(&self, header: &Value) -> Result<Claims, Fault> {
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(good().to_string())
        );
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign_raw(signed.as_bytes()));
        self.check(&format!("{signed}.{signature}"))
    }
}

fn refused(result: Result<Claims, Fault>, rule: &'static str) {
    assert_eq!(result.err(), Some(Fault(rule)));
}

#[test]
fn a_good_token_says_who_signed_in() {
    let desk = desk();
    let claims = desk.check(&desk.sign(&good())).unwrap();
    assert_eq!((claims.sub.as_str(), claims.level), ("s-1", 2));
    assert_eq!(claims.subject.as_str(), "038192000001");
    assert_eq!(claims.born, parse_iso("1992-03-08"));
    assert_eq!(claims.name, "Lê Thị Lan");
}

#[test]
fn alg_none_in_any_case_is_refused() {
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let desk = desk();
        refused(
            desk.under(&json!({"alg": alg, "typ": "JWT", "kid": "k1"})),
            "signature",
        );
        let unsigned = format!(
            "{}.{}.",
            URL_SAFE_NO_PAD.encode(json!({"alg": alg, "typ": "JWT", "kid": "k1"}).to_string()),
            URL_SAFE_NO_PAD.encode(good().to_string())
        );
        refused(desk.check(&unsigned), "signature");
    }
}

#[test]
fn hs256_with_the_public_key_as_secret_is_refused() {
    let desk = desk();
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(json!({"alg": "HS256", "typ": "JWT", "kid": "k1"}).to_string()),
        URL_SAFE_NO_PAD.encode(good().to_string())
    );
    let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, desk.keys["k1"].point());
    let tag = aws_lc_rs::hmac::sign(&secret, signed.as_bytes());
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()));
    refused(desk.check(&token), "signature");
}

#[test]
fn a_key_brought_along_in_the_header_is_refused() {
    let desk = desk();
    let jwk = PublicKey::of(&desk.key).to_jwk("k1");
    for (name, value) in [
        ("jwk", jwk),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
    ] {
        let mut header = json!({"alg": "ES256", "typ": "JWT", "kid": "k1"});
        header[name] = value;
        refused(desk.under(&header), "signature");
    }
}

#[test]
fn an_unknown_or_crafted_kid_is_refused() {
    for kid in ["k2", "", "../../dev/null", "k1' or '1'='1", "K1"] {
        refused(
            desk().under(&json!({"alg": "ES256", "typ": "JWT", "kid": kid})),
            "signature",
        );
    }
    refused(desk().under(&json!({"alg": "ES256", "typ": "JWT"})), "signature");
}

#[test]
fn a_token_of_another_type_is_no_id_token() {
    for typ in ["at+jwt", "logout+jwt", "sen-directory", ""] {
        refused(
            desk().under(&json!({"alg": "ES256", "typ": typ, "kid": "k1"})),
            "signature",
        );
    }
}

#[test]
fn a_signature_of_another_key_of_zeros_or_changed_is_refused() {
    let desk = desk();
    let other = SigningKey::generate();
    let foreign = seal::jws::sign("JWT", "k1", good().to_string().as_bytes(), &other);
    refused(desk.check(&foreign), "signature");
    let token = desk.sign(&good());
    let (signed, _) = token.rsplit_once('.').unwrap();
    for bytes in [vec![0_u8; 64], vec![], vec![0; 63], vec![255; 64]] {
        let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bytes));
        refused(desk.check(&forged), "signature");
    }
    let mut changed = good();
    changed["SoDinhDanh"] = json!("038192000002");
    let (header, rest) = token.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let swapped = format!(
        "{header}.{}.{signature}",
        URL_SAFE_NO_PAD.encode(changed.to_string())
    );
    refused(desk.check(&swapped), "signature");
}

#[test]
fn a_nested_encrypted_or_cut_token_is_refused() {
    let desk = desk();
    let token = desk.sign(&good());
    for bad in [
        format!("{token}.x"),
        format!("{token}.a.b"),
        token[..token.len() - 4].to_owned(),
        "a.b.c.d.e".to_owned(),
        String::new(),
        seal::jws::sign("JWT", "k1", token.as_bytes(), &desk.key),
    ] {
        assert!(desk.check(&bad).is_err(), "{bad}");
    }
}

#[test]
fn another_issuer_or_a_trailing_slash_is_refused() {
    refused(desk().with("iss", json!("https://evil.example")), "iss");
    refused(desk().with("iss", json!(format!("{ISSUER}/"))), "iss");
    refused(desk().with("iss", Value::Null), "claims");
}

#[test]
fn a_token_for_another_client_or_for_several_is_refused() {
    refused(desk().with("aud", json!("province-portal")), "aud");
    refused(desk().with("aud", json!([CLIENT])), "claims");
    refused(desk().with("aud", json!([CLIENT, "evil"])), "claims");
    refused(desk().with("aud", Value::Null), "claims");
    refused(desk().with("azp", json!("evil")), "azp");
}

#[test]
fn an_expired_token_is_refused_after_sixty_seconds_of_leeway() {
    let now = NOW.seconds();
    let aged = |exp: i64| {
        let mut claims = good();
        claims["iat"] = json!(now - 400);
        claims["exp"] = json!(exp);
        let desk = desk();
        desk.check(&desk.sign(&claims))
    };
    assert!(aged(now - 59).is_ok());
    refused(aged(now - 60), "exp");
    refused(aged(now - 3_600), "exp");
    refused(desk().with("exp", json!(now - 1)), "exp");
    refused(desk().with("exp", Value::Null), "claims");
}

#[test]
fn a_token_from_the_future_or_from_long_ago_is_refused() {
    let now = NOW.seconds();
    assert!(desk().with("iat", json!(now + 60)).is_ok());
    refused(desk().with("iat", json!(now + 61)), "iat");
    refused(desk().with("iat", json!(now - 600)), "iat");
    refused(desk().with("nbf", json!(now + 61)), "nbf");
}

#[test]
fn times_that_are_no_whole_numbers_are_refused() {
    let now = NOW.seconds();
    for exp in [
        json!(now.to_string()),
        json!(1.795e9),
        json!(1e300),
        json!(true),
        json!(u64::MAX),
    ] {
        refused(desk().with("exp", exp), "claims");
    }
    assert!(
        desk().with("exp", json!(i64::MAX)).is_ok(),
        "large, and still a time"
    );
}

#[test]
fn the_nonce_of_another_sign_in_is_refused() {
    refused(desk().with("nonce", json!("n-0")), "nonce");
    refused(desk().with("nonce", json!("")), "nonce");
    refused(desk().with("nonce", Value::Null), "claims");
}

#[test]
fn a_claim_said_twice_is_refused() {
    let desk = desk();
    let text = good().to_string().replacen('{', r#"{"aud":"evil","#, 1);
    refused(
        desk.check(&seal::jws::sign("JWT", "k1", text.as_bytes(), &desk.key)),
        "claims",
    );
}

#[test]
fn the_level_must_be_one_of_the_two_and_said_alike_twice() {
    refused(desk().with("acr", json!("1")), "acr");
    for level in ["0", "3", "02", "high"] {
        let mut claims = good();
        claims["acr"] = json!(level);
        claims["loAs"] = json!(level);
        let desk = desk();
        refused(desk.check(&desk.sign(&claims)), "loAs");
    }
}

#[test]
fn a_person_without_number_name_or_subject_is_refused() {
    refused(desk().with("SoDinhDanh", json!("12345")), "SoDinhDanh");
    refused(desk().with("HoVaTen", json!(" ")), "HoVaTen");
    refused(desk().with("sub", json!("")), "sub");
    refused(desk().with("sub", json!("s".repeat(256))), "sub");
    refused(
        desk().with("NgayThangNamSinh", json!("31-02-1992")),
        "NgayThangNamSinh",
    );
}
