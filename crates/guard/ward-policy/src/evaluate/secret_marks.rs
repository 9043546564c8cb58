//! How a secret looks: the form of known keys, the name it stands under, how random it is.

/// Beginnings of keys that services hand out, with how many letters or digits follow at least.
const KEY_STARTS: [(&str, usize); 15] = [
    ("AKIA", 16),
    ("ASIA", 16),
    ("ghp_", 30),
    ("gho_", 30),
    ("ghs_", 30),
    ("github_pat_", 30),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("xoxa-", 20),
    ("AIza", 35),
    ("sk_live_", 20),
    ("rk_live_", 20),
    ("SG.", 40),
    ("npm_", 30),
];

/// Parts of names that stand for secrets.
const NAME_PARTS: [&str; 15] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "api_key",
    "apikey",
    "access_key",
    "accesskey",
    "private_key",
    "privatekey",
    "credential",
    "auth_key",
    "encryption_key",
];

/// Ends of names that speak about a secret and are none.
const NAME_ENDS: [&str; 25] = [
    "_id",
    "_arn",
    "_name",
    "_path",
    "_file",
    "_url",
    "_uri",
    "_endpoint",
    "_ttl",
    "_length",
    "_expiry",
    "_expires",
    "_enabled",
    "_version",
    "_type",
    "_header",
    "_issuer",
    "_policy",
    "_ref",
    "_region",
    "_count",
    "_seconds",
    "_minutes",
    "_size",
    "_location",
];

/// Beginnings of values that say where a secret is, instead of being one.
const POINTER_STARTS: [&str; 11] = [
    "arn:",
    "{{resolve:",
    "@Microsoft.KeyVault(",
    "projects/",
    "${",
    "$(",
    "ssm:",
    "vault:",
    "secretsmanager:",
    "file:",
    "/run/secrets/",
];

/// Shortest value that counts as random.
const RANDOM_CHARS: usize = 32;

/// Bits of each letter from which a value counts as random. English has about four, base64 of random
/// bytes more.
const RANDOM_BITS: f64 = 4.3;

/// Shortest text without spaces that follows `NAME=` and counts as a password.
const PASSWORD_CHARS: usize = 4;

/// Whether a text holds something of the form of a key.
pub(super) fn holds_key(text: &str) -> bool {
    let is_private = text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----");
    is_private
        || has_password_in_url(text)
        || KEY_STARTS.iter().any(|(start, least)| has_key(text, start, *least))
}

fn has_key(text: &str, start: &str, least: usize) -> bool {
    text.match_indices(start).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + start.len()..).unwrap_or_default();
        let letters =
            after.chars().take_while(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(*letter));
        before.is_none_or(|letter| !letter.is_ascii_alphanumeric()) && letters.count() >= least
    })
}

/// `postgres://user:password@host`
fn has_password_in_url(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let host = rest.split(['/', ' ', '"', '\'', '\n']).next().unwrap_or_default();
        let login = host.rsplit_once('@').map(|(login, _)| login);
        let password = login.and_then(|login| login.split_once(':')).map(|(_, password)| password);
        password.is_some_and(is_written_out)
    })
}

/// Whether lines such as `DB_PASSWORD=hunter2` or `password: hunter2` stand in a script.
pub(super) fn holds_assignment(text: &str) -> bool {
    text.lines().any(|line| {
        let Some((name, value)) = line.split_once(['=', ':']) else { return false };
        let name = name.trim_end_matches([' ', '"', '\'']);
        let word =
            name.rsplit(|letter: char| !letter.is_ascii_alphanumeric() && !"_-".contains(letter)).next();
        let value = value.trim().trim_matches(['"', '\'', ';', ',']);
        let first = value.split_whitespace().next().unwrap_or_default();
        word.is_some_and(names_secret)
            && first.chars().count() >= PASSWORD_CHARS
            && first.len() == value.len()
            // In a script a small name is a variable too.
            && !first.starts_with('$')
            && is_written_out(first)
    })
}

/// Whether a name stands for a secret.
pub(super) fn names_secret(name: &str) -> bool {
    let name = snake(name);
    NAME_PARTS.iter().any(|part| name.contains(part)) && !NAME_ENDS.iter().any(|end| name.ends_with(end))
}

/// `dbPassword`, `DB-PASSWORD` and `db.password` are one name.
fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut was_small = false;
    for letter in name.chars() {
        if was_small && letter.is_ascii_uppercase() {
            out.push('_');
        }
        was_small = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        out.push(if matches!(letter, '-' | '.' | ' ') { '_' } else { letter.to_ascii_lowercase() });
    }
    out
}

/// Whether a value is the secret itself, and not a word about it or the place where it is.
pub(super) fn is_written_out(value: &str) -> bool {
    let value = value.trim();
    let is_word =
        ["true", "false", "null", "none", "yes", "no"].iter().any(|word| value.eq_ignore_ascii_case(word));
    let is_variable = value.strip_prefix('$').is_some_and(is_variable_name)
        || (value.starts_with('<') && value.ends_with('>'));
    !value.is_empty()
        && !is_word
        && !is_variable
        && !value.bytes().all(|byte| byte == b'*')
        && !POINTER_STARTS.iter().any(|start| value.starts_with(start))
}

/// `$DB_PASSWORD` is a variable, `$ecret` may be a password.
fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Whether a value looks as if it had been drawn at random.
pub(super) fn is_random(value: &str) -> bool {
    let is_of_key = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte));
    let has = |is_meant: fn(&u8) -> bool| value.as_bytes().iter().any(is_meant);
    value.len() >= RANDOM_CHARS
        && is_of_key
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && bits_a_letter(value) >= RANDOM_BITS
}

fn bits_a_letter(value: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let all = f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX));
    let shares = counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / all);
    shares.map(|share| -share * share.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_services() {
        let aws = format!("AKIA{}", "Q".repeat(16));
        for (text, holds) in [
            (aws.clone(), true),
            (format!("export KEY={aws}\n"), true),
            (format!("x{aws}"), false),
            ("AKIA".to_owned(), false),
            (format!("-----BEGIN RSA {}-----\nabc", "PRIVATE KEY"), true),
            ("-----BEGIN CERTIFICATE-----".to_owned(), false),
            ("postgres://ward:hunter2@db/ward".to_owned(), true),
            ("postgres://ward:${PASSWORD}@db/ward".to_owned(), false),
            ("https://example.org:8443/a@b".to_owned(), false),
            ("https://example.org/a:b@c".to_owned(), false),
        ] {
            assert_eq!(holds_key(&text), holds, "{text}");
        }
    }

    #[test]
    fn names_and_values() {
        for (name, is_secret) in [
            ("DB_PASSWORD", true),
            ("dbPassword", true),
            ("API-KEY", true),
            ("SECRET_ARN", false),
            ("TOKEN_TTL", false),
            ("tokenEndpoint", false),
            ("PASSWORD_FILE", false),
            ("KEYBOARD", false),
        ] {
            assert_eq!(names_secret(name), is_secret, "{name}");
        }
        for (value, is_secret) in [
            ("hunter2", true),
            ("", false),
            ("True", false),
            ("${X}", false),
            ("arn:aws:x", false),
            ("****", false),
            ("$ecret1", true),
            ("$SECRET", false),
        ] {
            assert_eq!(is_written_out(value), is_secret, "{value}");
        }
    }

    #[test]
    fn lines_of_a_script() {
        for (text, holds) in [
            ("export DB_PASSWORD=hunter2", true),
            ("  password: \"hunter2\"", true),
            ("PASSWORD=$(aws secretsmanager get-secret-value)", false),
            ("echo enter the password: twice please", false),
            ("token=$TOKEN", false),
            ("# no secret here", false),
        ] {
            assert_eq!(holds_assignment(text), holds, "{text}");
        }
    }

    #[test]
    fn random_values() {
        assert!(is_random("q8Zt4nXw0PbV6sLk2RyGm9HcJd7EfTu1"));
        assert!(!is_random("aaaaaaaaaaaaaaaaAAAAAAAAAAAAAAAA1111111111"));
        assert!(!is_random("a-name-of-many-words-and-some-more-words"));
        assert!(!is_random("short1A"));
    }
}
