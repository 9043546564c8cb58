//! A waiver as a file: YAML that a person can read and a review can show.
//!
//! ```yaml
//! version: 1
//! rule: "W-003"
//! resource: "aws_db_instance.answers"
//! stage: "production"
//! binds: "…"
//! observed: ["kms_key_id is not set"]
//! reason: "…"
//! written: "2026-11-30"
//! expires: "2027-01-31"
//! signatures:
//!   - {role: "author", name: "Ann Meyer", key: "…", signature: "…"}
//! ```

use super::{SignerRole, Waiver, WaiverSignature};
use crate::day::Day;
use crate::limits::{MAX_WAIVER_SIGNATURES, MAX_WAIVER_TEXT_BYTES};
use crate::rules::{Fields, RuleError, RuleId, read_document};
use std::fmt::Write as _;

/// Reads a waiver. Nothing of it is believed yet.
///
/// # Errors
/// [`RuleError`] with the file and the line.
pub fn read_waiver(file: &str, text: &str) -> Result<Waiver, RuleError> {
    let document = read_document(file, text)?;
    let mut fields = Fields::of(file, &document)?;
    fields.version(1)?;
    let rule = fields.text("rule")?;
    let rule = RuleId::parse(&rule).ok_or_else(|| fields.fault("rule has to be an id"))?;
    let mut waiver = Waiver {
        rule,
        aspect: fields.optional_text("aspect")?,
        resource: fields.text("resource")?,
        stage: fields.text("stage")?,
        binds: hexadecimal(&mut fields, "binds")?,
        observed: fields.optional_texts("observed")?,
        reason: fields.text("reason")?,
        alternative: fields.optional_text("alternative")?,
        ticket: fields.optional_text("ticket")?,
        written: day(&mut fields, "written")?,
        expires: day(&mut fields, "expires")?,
        signatures: Vec::new(),
    };
    if fields.has("signatures") {
        waiver.signatures = fields.items("signatures", signature)?;
    }
    let texts = [Some(&waiver.reason), waiver.alternative.as_ref(), waiver.ticket.as_ref()];
    if texts.into_iter().flatten().any(|text| text.len() > MAX_WAIVER_TEXT_BYTES) {
        return Err(fields.fault(&format!("a text has more than {MAX_WAIVER_TEXT_BYTES} bytes")));
    }
    if waiver.signatures.len() > MAX_WAIVER_SIGNATURES {
        return Err(fields.fault(&format!("there are more than {MAX_WAIVER_SIGNATURES} signatures")));
    }
    fields.end()?;
    Ok(waiver)
}

fn signature(mut fields: Fields<'_>) -> Result<WaiverSignature, RuleError> {
    let signature = WaiverSignature {
        role: fields.word("role", &SignerRole::ALL, SignerRole::word)?,
        name: fields.text("name")?,
        key: hexadecimal(&mut fields, "key")?,
        signature: hexadecimal(&mut fields, "signature")?,
    };
    fields.end()?;
    Ok(signature)
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hexadecimal<const N: usize>(fields: &mut Fields<'_>, name: &str) -> Result<[u8; N], RuleError> {
    let text = fields.text(name)?;
    let bytes = ward_id::hex_decode(&text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| fields.fault(&format!("{name} has to be {} digits in lower-case hexadecimal", N * 2)))
}

fn day(fields: &mut Fields<'_>, name: &str) -> Result<Day, RuleError> {
    let text = fields.text(name)?;
    Day::parse(&text).ok_or_else(|| fields.fault(&format!("{name} has to be a date such as 2026-11-30")))
}

/// Writes a waiver; [`read_waiver`] reads it again.
#[must_use]
pub fn write_waiver(waiver: &Waiver) -> String {
    let mut out = String::from("version: 1\n");
    let mut line = |name: &str, text: &str| {
        // Writing to a text does not fail.
        let _ = writeln!(out, "{name}: {}", quoted(text));
    };
    line("rule", waiver.rule.as_str());
    if let Some(aspect) = &waiver.aspect {
        line("aspect", aspect);
    }
    line("resource", &waiver.resource);
    line("stage", &waiver.stage);
    line("binds", &ward_id::hex_encode(&waiver.binds));
    line("reason", &waiver.reason);
    if let Some(alternative) = &waiver.alternative {
        line("alternative", alternative);
    }
    if let Some(ticket) = &waiver.ticket {
        line("ticket", ticket);
    }
    line("written", &waiver.written.to_string());
    line("expires", &waiver.expires.to_string());
    if !waiver.observed.is_empty() {
        out.push_str("observed:\n");
        for seen in &waiver.observed {
            // As above.
            let _ = writeln!(out, "  - {}", quoted(seen));
        }
    }
    if !waiver.signatures.is_empty() {
        out.push_str("signatures:\n");
    }
    for signature in &waiver.signatures {
        let _ = writeln!(
            out,
            "  - role: {}\n    name: {}\n    key: {}\n    signature: {}",
            quoted(signature.role.word()),
            quoted(&signature.name),
            quoted(&ward_id::hex_encode(&signature.key)),
            quoted(&ward_id::hex_encode(&signature.signature)),
        );
    }
    out
}

/// A text in double quotes, as YAML and JSON both read it.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                // As above.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let waiver = Waiver {
            rule: RuleId::parse("W-003").unwrap(),
            aspect: Some("keys".into()),
            resource: "module.m[\"a\\b\"].aws_db_instance.d".into(),
            stage: "test".into(),
            binds: [7; 32],
            observed: vec!["kms_key_id is not set".into(), "a: \"b\" # c\u{7f}".into()],
            reason: "Two\nlines, and ünï: [code] {x}".into(),
            alternative: None,
            ticket: Some("T-1".into()),
            written: Day::parse("2026-11-30").unwrap(),
            expires: Day::parse("2027-01-31").unwrap(),
            signatures: vec![WaiverSignature {
                role: SignerRole::Author,
                name: "Ann \"A\" Meyer".into(),
                key: [1; 32],
                signature: [2; 64],
            }],
        };
        let text = write_waiver(&waiver);
        assert_eq!(read_waiver("w.yaml", &text).unwrap(), waiver, "{text}");
    }

    #[test]
    fn fails_closed_what_is_misspelt_or_too_long_is_refused() {
        let good = "version: 1\nrule: W-003\nresource: a.b\nstage: test\nbinds: \"".to_owned()
            + &"0".repeat(64)
            + "\"\nreason: r\nwritten: 2026-11-30\nexpires: 2027-01-31\n";
        assert!(read_waiver("w.yaml", &good).is_ok());
        for (from, to) in [
            ("rule: W-003", "rule: all"),
            ("resource: a.b\n", ""),
            ("stage: test\n", ""),
            ("reason: r", "reason: \"\""),
            ("2027-01-31", "2027-02-31"),
            ("2027-01-31", "never"),
            ("version: 1", "version: 2"),
            ("reason: r", "reason: r\nforever: true"),
            ("\"0", "\"g"),
        ] {
            assert!(read_waiver("w.yaml", &good.replace(from, to)).is_err(), "{from} -> {to}");
        }
        let long = |bytes: usize| good.replace("reason: r", &format!("reason: {}", "r".repeat(bytes)));
        assert!(read_waiver("w.yaml", &long(MAX_WAIVER_TEXT_BYTES)).is_ok());
        assert!(read_waiver("w.yaml", &long(MAX_WAIVER_TEXT_BYTES + 1)).is_err());
    }
}
