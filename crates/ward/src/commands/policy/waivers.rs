//! `ward policy waiver`: writing, approving and checking waivers; and what a check takes from them.

use super::law::today;
use super::{judge_all, print_json, read_all, rules_of};
use crate::cli::{PolicyWaiverCommand, PolicyWaiverWriteArgs};
use crate::exit::{Failure, Kind};
use crate::print::Out;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use ward_crypto::{SignKey, SignPublicKey, Signature, labels};
use ward_policy::limits::MAX_WAIVER_BYTES;
use ward_policy::report::Checked;
use ward_policy::rules::{RuleId, RuleSet};
use ward_policy::shown_text::one_line;
use ward_policy::waiver::{
    NamedWaiver, SignatureCheck, SignerRole, Waiver, WaiverCheck, WaiverSignature, WaiverVoid, apply_waivers,
    approved_for_any, binding_of, demand_of, is_same_person, read_waiver, signed_well, write_waiver,
};
use ward_policy::{Finding, read_text};

/// Ed25519, with a purpose of its own.
struct Ed25519;

impl SignatureCheck for Ed25519 {
    fn holds(&self, key: &[u8; 32], digest: &[u8; 32], signature: &[u8; 64]) -> bool {
        let signature = Signature::from_bytes(*signature);
        SignPublicKey::from_bytes(key)
            .is_ok_and(|key| key.verify_labelled(labels::WAIVER, digest, &signature).is_ok())
    }
}

/// Runs one of the commands.
///
/// # Errors
/// What was not read or can't be waived.
pub fn run(command: &PolicyWaiverCommand, out: &Out) -> Result<ExitCode, Failure> {
    match command {
        PolicyWaiverCommand::Key { file } => make_key(file, out),
        PolicyWaiverCommand::Write(args) => write(args, out),
        PolicyWaiverCommand::Approve { file, name, key } => approve(file, name, key, out),
        PolicyWaiverCommand::Check { files, rules, settings: named } => {
            let rules = rules_of(rules.as_deref(), named.as_deref())?;
            check(files, &rules, out)
        }
    }
}

fn make_key(file: &Path, out: &Out) -> Result<ExitCode, Failure> {
    let key = SignKey::generate(&mut crate::server_folder::system_rng());
    ward_server::write_key_file(file, &key.secret_bytes()).map_err(|error| {
        Failure::input("the key was not written", error, "choose a file that is not there yet")
    })?;
    let public = ward_id::hex_encode(key.public().as_bytes());
    out.both(
        format!("{public}\nName it in ward-policy.yaml, under waiver_signers, with whom it belongs to."),
        &serde_json::json!({"public_key": public}),
    );
    Ok(ExitCode::SUCCESS)
}

fn write(args: &PolicyWaiverWriteArgs, out: &Out) -> Result<ExitCode, Failure> {
    let key = read_key(&args.key)?;
    let rules = rules_of(args.inputs.rules.as_deref(), args.inputs.settings.as_deref())?;
    let (found, _) = read_all(&args.inputs, out)?;
    let checked = judge_all(&found, &rules);
    let mut waiver = waiver_of(args, &checked, &rules)?;
    sign(&mut waiver, SignerRole::Author, &args.name, &key);
    write_new(&args.out, &write_waiver(&waiver))?;
    out.line(one_line(&format!(
        "{} counts until {} once it is approved.",
        args.out.display(),
        waiver.expires
    )));
    out.document(&serde_json::json!({"file": args.out, "expires": waiver.expires.to_string()}));
    Ok(ExitCode::SUCCESS)
}

/// The waiver of the one finding that is meant.
fn waiver_of(
    args: &PolicyWaiverWriteArgs,
    checked: &[Checked<'_>],
    rules: &RuleSet,
) -> Result<Waiver, Failure> {
    let refuse = |why: &str, next: &str| Failure::input("the waiver was not written", why, next);
    let rule = RuleId::parse(&args.rule)
        .ok_or_else(|| refuse("that is no id of a rule", "see: ward policy rules"))?;
    let is_meant = |finding: &&Finding<'_>| {
        finding.rule.id == rule
            && *finding.resource.address == *args.resource
            && finding.cell.aspect.as_deref() == args.aspect.as_deref()
            && finding.verdict.blocks()
    };
    let read = checked.iter().filter_map(|input| input.result.as_ref().ok());
    let mut meant = read
        .flat_map(|assessment| assessment.findings.iter().filter(is_meant).map(move |one| (assessment, one)));
    let (Some((assessment, finding)), None) = (meant.next(), meant.next()) else {
        return Err(refuse(
            "there is no such finding, or more than one",
            "give the rule, the part and the address as ward policy check prints them",
        ));
    };
    let binds = binding_of(finding, assessment.graph)
        .ok_or_else(|| refuse(&WaiverVoid::NotWaivable.to_string(), "mend it instead"))?;
    let demand = demand_of(finding, rules);
    if demand.alternative && args.alternative.is_none() {
        return Err(refuse(
            "an addressable specification is waived only with what stands in its place",
            "say it with --alternative",
        ));
    }
    let stage = rules.settings().stage().ok_or_else(|| {
        refuse("a waiver counts for one stage, and the settings name none", "add stage to ward-policy.yaml")
    })?;
    let written = today();
    Ok(Waiver {
        rule,
        aspect: finding.cell.aspect.clone(),
        resource: finding.resource.address.clone(),
        stage: stage.into(),
        binds,
        observed: finding.observed.iter().map(|seen| seen.line().into()).collect(),
        reason: args.reason.trim().into(),
        alternative: args.alternative.as_deref().map(|text| text.trim().into()),
        ticket: args.ticket.as_deref().map(|text| text.trim().into()),
        written,
        expires: written.plus(i64::from(args.days)),
        signatures: Vec::new(),
    })
}

fn sign(waiver: &mut Waiver, role: SignerRole, name: &str, key: &SignKey) {
    let public = *key.public().as_bytes();
    let signature = key.sign_labelled(labels::WAIVER, &waiver.digest(role, name, &public));
    waiver.signatures.push(WaiverSignature {
        role,
        name: name.into(),
        key: public,
        signature: *signature.as_bytes(),
    });
}

fn approve(file: &Path, name: &str, key: &Path, out: &Out) -> Result<ExitCode, Failure> {
    let key = read_key(key)?;
    let mut waiver = read_file(file)?;
    let refuse = |why: &str| Failure::new(Kind::No, "the waiver was not approved", why, "ask somebody else");
    let mut signed = waiver.signatures.iter();
    if waiver.signed_as(SignerRole::Author).count() != 1 {
        return Err(refuse("its author has not signed it"));
    }
    if signed.any(|one| one.key == *key.public().as_bytes() || is_same_person(&one.name, name)) {
        return Err(refuse("whoever approves is neither its author nor another approver"));
    }
    tell_what_is_signed(&waiver, out);
    sign(&mut waiver, SignerRole::Approver, name, &key);
    // The signatures that were there still have to fit what is approved.
    let is_sound = |one: &WaiverSignature| {
        Ed25519.holds(&one.key, &waiver.digest(one.role, &one.name, &one.key), &one.signature)
    };
    if !waiver.signatures.iter().all(is_sound) {
        return Err(refuse("a signature in it does not fit: something was changed after it was signed"));
    }
    std::fs::write(file, write_waiver(&waiver)).map_err(|error| {
        Failure::input(format!("{} was not written", file.display()), error, "check the rights of the file")
    })?;
    out.line(one_line(&format!("{} is approved by {name}.", file.display())));
    out.document(&serde_json::json!({"file": file, "approved_by": name}));
    Ok(ExitCode::SUCCESS)
}

/// Whoever approves reads what they answer for, a program too. A text of several lines stands in one, so
/// that none of them passes for another word.
fn tell_what_is_signed(waiver: &Waiver, out: &Out) {
    let part = waiver.aspect.as_deref().map(|aspect| format!(" ({aspect})")).unwrap_or_default();
    out.line(one_line(&format!(
        "{}{part} {} in {} from {} until {}",
        waiver.rule, waiver.resource, waiver.stage, waiver.written, waiver.expires
    )));
    let say = |what: &str, text: &str| {
        out.line(one_line(&format!("  {what}: {}", text.replace('\n', " "))));
    };
    waiver.observed.iter().for_each(|seen| say("seen", seen));
    say("reason", &waiver.reason);
    waiver.alternative.iter().for_each(|text| say("instead", text));
    waiver.ticket.iter().for_each(|text| say("ticket", text));
    out.document(&serde_json::json!({
        "rule": waiver.rule.as_str(), "aspect": waiver.aspect, "resource": waiver.resource,
        "stage": waiver.stage, "written": waiver.written.to_string(), "expires": waiver.expires.to_string(),
        "observed": waiver.observed, "reason": waiver.reason, "alternative": waiver.alternative,
        "ticket": waiver.ticket,
    }));
}

fn check(files: &[PathBuf], rules: &RuleSet, out: &Out) -> Result<ExitCode, Failure> {
    let mut rows = Vec::new();
    let mut all_count = true;
    for file in files {
        let waiver = read_file(file)?;
        let void = signed_well(&waiver, rules.settings(), today(), &Ed25519)
            .and_then(|()| approved_for_any(&waiver, rules))
            .err();
        all_count &= void.is_none();
        let word = void.map_or_else(|| "counts".to_owned(), |void| format!("void: {void}"));
        out.line(one_line(&format!(
            "{}: {} {} until {}: {word}",
            file.display(),
            waiver.rule,
            waiver.resource,
            waiver.expires
        )));
        rows.push(serde_json::json!({
            "file": file, "rule": waiver.rule.as_str(), "resource": waiver.resource,
            "expires": waiver.expires.to_string(), "state": word,
        }));
    }
    if out.is_json() {
        print_json(&serde_json::json!({"format": 1, "waivers": rows}), out)?;
    }
    Ok(ExitCode::from(u8::from(!all_count)))
}

/// Waives what the waivers of a folder cover, in each input. Waivers that name no finding are told.
///
/// # Errors
/// When a waiver is not read.
pub fn waive(checked: &mut [Checked<'_>], rules: &RuleSet, dir: &Path, out: &Out) -> Result<(), Failure> {
    let waivers = read_dir(dir)?;
    let check = WaiverCheck { waivers: &waivers, today: today(), signatures: &Ed25519 };
    let mut used = std::collections::BTreeSet::new();
    for assessment in checked.iter_mut().filter_map(|input| input.result.as_mut().ok()) {
        used.extend(apply_waivers(assessment, rules, check));
    }
    for (_, one) in waivers.iter().enumerate().filter(|(place, _)| !used.contains(place)) {
        out.aside(&format!("{} names no finding: take it out", one.file));
    }
    Ok(())
}

fn read_dir(dir: &Path) -> Result<Vec<NamedWaiver>, Failure> {
    let unread = |error: std::io::Error| {
        Failure::input(format!("{} cannot be read", dir.display()), error, "give the folder with the waivers")
    };
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        if path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
            files.push(path);
        }
    }
    files.sort();
    files
        .iter()
        .map(|file| Ok(NamedWaiver { file: file.display().to_string(), waiver: read_file(file)? }))
        .collect()
}

fn read_file(file: &Path) -> Result<Waiver, Failure> {
    let bytes = crate::commands::read_input_file(file, MAX_WAIVER_BYTES as u64)?;
    let name = file.display().to_string();
    let unread = |error: &dyn std::fmt::Display| {
        Failure::input("a waiver was not read", error, "mend it, or take it out")
    };
    let text = read_text(&bytes).map_err(|error| unread(&format!("{name}: {error}")))?;
    read_waiver(&name, &text).map_err(|error| unread(&error))
}

fn read_key(file: &Path) -> Result<SignKey, Failure> {
    let secret = ward_server::read_key_file(file).map_err(|error| {
        Failure::input("the key was not read", error, "make one with: ward policy waiver key FILE")
    })?;
    Ok(SignKey::from_secret_bytes(&secret))
}

/// Writes a file that is not there yet.
fn write_new(file: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).open(file);
    opened.and_then(|mut open| open.write_all(text.as_bytes())).map_err(|error| {
        Failure::input(
            format!("{} was not written", file.display()),
            error,
            "choose a file that is not there yet",
        )
    })
}
