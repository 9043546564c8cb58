//! `ward init`: a new site, and an honest word about what in it is independent of what.

use crate::cli::InitArgs;
use crate::exit::{Done, Failure, Kind};
use crate::limits::SITE_WITNESSES;
use crate::print::Out;
use crate::server_folder::make_site::{GivenWitness, MadeSite, NewSite, make_site};
use crate::server_folder::system_clock::SystemClock;
use std::path::PathBuf;
use ward_audit::{SignatureKind, VerifierKey};

/// Runs the command.
///
/// # Errors
/// A command line that names no usable site, and what making it can fail with.
pub async fn run(args: &InitArgs, out: &Out) -> Done {
    let witnesses = given_witnesses(args)?;
    let plan =
        NewSite { dir: args.dir.clone(), study: None, listen: args.listen, origin: origin(args)?, witnesses };
    let made = make_site(&plan, &SystemClock::new()).await?;
    out.document(&document(&made, &plan));
    out.line(format!("Site {} is made in {}.\n", made.site, plan.dir.display()));
    out.line(format!("  fingerprint  {}", made.fingerprint));
    out.line(format!("  address      {}", made.server.origin));
    out.line(format!("  server       {}", made.config_file.display()));
    for (number, home) in (1..).zip(&made.admin_homes) {
        out.line(format!("  admin {number}      {}", home.display()));
    }
    if plan.witnesses.is_empty() {
        one_machine(&made, out);
    } else {
        separate_witnesses(&made, &plan, out);
    }
    next(&made, out);
    Ok(())
}

fn usage(what: &str, why: impl std::fmt::Display, next: &str) -> Failure {
    Failure::new(Kind::Usage, what, why, next)
}

fn origin(args: &InitArgs) -> Result<String, Failure> {
    match &args.origin {
        Some(origin) => Ok(origin.clone()),
        None if args.listen.ip().is_unspecified() || args.listen.port() == 0 => Err(usage(
            "The site needs an address",
            format!("{} does not say how devices reach the server", args.listen),
            "add --origin https://host:port",
        )),
        None => Ok(format!("https://{}", args.listen)),
    }
}

fn given_witnesses(args: &InitArgs) -> Result<Vec<GivenWitness>, Failure> {
    let next = "add --one-machine to try Ward, or --witness KEY@URL three times for a study";
    match (args.one_machine, args.witness.len()) {
        (true, _) => Ok(Vec::new()),
        (false, 0) => {
            Err(usage("A site needs witnesses", "neither --one-machine nor --witness was given", next))
        }
        (false, SITE_WITNESSES) => {
            let witnesses: Vec<GivenWitness> =
                args.witness.iter().map(|text| given_witness(text, args)).collect::<Result<_, _>>()?;
            check_names(args, &witnesses)?;
            Ok(witnesses)
        }
        (false, got) => {
            Err(usage("A site needs three witnesses", format!("{got} were given with --witness"), next))
        }
    }
}

fn given_witness(text: &str, args: &InitArgs) -> Result<GivenWitness, Failure> {
    let wrong = |why: &dyn std::fmt::Display| {
        usage(
            "A witness cannot be read",
            format!("`{text}`: {why}"),
            "write it as name+hash+key@https://host:port",
        )
    };
    let at = text.find("@http").ok_or_else(|| wrong(&"it has no address"))?;
    let (line, url) = text.split_at(at);
    let url = url.trim_start_matches('@').to_owned();
    let key: VerifierKey = line.parse().map_err(|error: ward_audit::KeyError| wrong(&error))?;
    if key.kind() != SignatureKind::Cosignature {
        return Err(wrong(&"this is the key of a log"));
    }
    let name = key.name().as_str();
    let outside = args.outside.iter().any(|outside| outside == name);
    let ca_file = args.witness_ca.iter().filter_map(|pair| pair.split_once('=')).find(|(of, _)| *of == name);
    let ca_file = ca_file.map(|(_, file)| PathBuf::from(file));
    if url.starts_with("https://") && ca_file.is_none() {
        return Err(wrong(&format!("add --witness-ca {name}=FILE with its certificate")));
    }
    Ok(GivenWitness { outside, ca_file, url, key })
}

/// A name that fits no witness is a slip that would be noticed much later.
fn check_names(args: &InitArgs, witnesses: &[GivenWitness]) -> Result<(), Failure> {
    let named = args.outside.iter().map(String::as_str);
    let with_ca =
        args.witness_ca.iter().map(|pair| pair.split_once('=').map_or(pair.as_str(), |(name, _)| name));
    let stray = named
        .chain(with_ca)
        .find(|name| !witnesses.iter().any(|witness| witness.key.name().as_str() == *name));
    match stray {
        Some(name) => {
            Err(usage("A witness is not known", format!("no --witness is named `{name}`"), "check the names"))
        }
        None => Ok(()),
    }
}

fn one_machine(made: &MadeSite, out: &Out) {
    for (number, folder) in (1..).zip(&made.witness_folders) {
        out.line(format!("  witness {number}    {}", folder.display()));
    }
    out.heading("Not independent");
    out.line("Root keys, admins and witnesses were made on this machine. Whoever owns it owns the site.");
    out.line("Tickets and security pages say so. Use it to learn and to test, not for a study.");
}

fn separate_witnesses(made: &MadeSite, plan: &NewSite, out: &Out) {
    out.heading("What is independent, and what is not");
    for witness in &plan.witnesses {
        let whose = if witness.outside { "outside the operator's hands" } else { "run by the operator" };
        out.line(format!("  yes  witness {} at {}, {whose}", witness.key.name(), witness.url));
    }
    if !made.quorum_needs_outside {
        out.line("  no   two witnesses are the operator's own: with them alone, heads count");
    }
    out.line("  no   the three root keys: made on this machine, in one pair of hands");
    out.line("  no   both admin devices: the same");
    out.line("Tickets and security pages therefore say \"not independent\". Moving the keys to other people");
    out.line("protects them from now on; it does not prove that no copy was kept. Root keys made by three");
    out.line("people on three machines are not supported by this version.");
    out.heading("Tell each witness to follow both logs");
    let logs: Vec<String> = made.log_keys.iter().map(|key| format!("--log '{key}'")).collect();
    out.line(format!("  ward witness DIR {}", logs.join(" ")));
}

fn next(made: &MadeSite, out: &Out) {
    out.heading("Now");
    out.line(
        "1. Move the root keys away, at least two of them to two other people or safes. The server needs",
    );
    out.line("   none; two of three sign a change of admins, witnesses or log key.");
    for path in &made.root_keys {
        out.line(format!("     {}", path.display()));
    }
    out.line("   next-tls.key goes with one of them: if the server's TLS key is lost or stolen, devices accept it.");
    out.line("2. Move the second admin's folder to the second admin's own computer.");
    out.line("3. On a machine that stays offline: ward backup ward-backup.key --make-key");
    out.line(format!("4. ward serve --config {}", made.config_file.display()));
    if let Some(home) = made.admin_homes.first() {
        out.line(format!("5. ward --home {} invite --role coordinator --print ticket.html", home.display()));
    }
}

fn document(made: &MadeSite, plan: &NewSite) -> serde_json::Value {
    let witnesses: Vec<_> = plan
        .witnesses
        .iter()
        .map(|witness| serde_json::json!({"name": witness.key.name().as_str(), "url": witness.url, "outside": witness.outside}))
        .collect();
    serde_json::json!({
        "site": made.site,
        "study": made.study,
        "fingerprint": made.fingerprint,
        "independent": false,
        "origin": made.server.origin,
        "tls_pins": made.server.spki_pins.iter().map(|pin| ward_id::hex_encode(pin)).collect::<Vec<_>>(),
        "config": made.config_file,
        "root_keys": made.root_keys,
        "admins": made.admin_homes,
        "witness_folders": made.witness_folders,
        "witnesses": witnesses,
        "quorum_needs_outside": made.quorum_needs_outside,
        "logs": made.log_keys.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
