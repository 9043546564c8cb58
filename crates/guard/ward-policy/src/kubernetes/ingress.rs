//! Hosts for which an ingress has rules and no TLS.

use super::objects::{as_block, as_text};
use crate::graph::{Attribute, Block, Reason, References, Unknown};
use std::collections::BTreeSet;

/// What stands for a rule without a host: it is for all of them.
const EVERY_HOST: &str = "every other host";

/// Hosts of rules that no entry of `tls` names, as texts. Without any such entry there is nothing to tell.
pub(super) fn plain_hosts(spec: &Block) -> Vec<Attribute> {
    let entries: Vec<&Attribute> = items(spec.get("tls")).collect();
    if entries.is_empty() {
        return Vec::new();
    }
    let mut named = Named::default();
    let mut is_open = false;
    for entry in entries {
        match as_block(entry).map(|entry| entry.get("hosts")) {
            // Without hosts the certificate's own hold.
            Some(None | Some(Attribute::Null)) => return Vec::new(),
            Some(Some(Attribute::List(hosts))) => {
                for host in hosts {
                    match as_text(host) {
                        Some(host) => named.take(host),
                        None => is_open = true,
                    }
                }
            }
            _ => is_open = true,
        }
    }
    let rules = items(spec.get("rules")).map(|rule| match as_block(rule) {
        Some(rule) => rule.get("host").cloned().unwrap_or(Attribute::Null),
        None => not_known(),
    });
    // What takes all that no rule is for stands in the place of a rule without a host.
    let default = ["defaultBackend", "backend"].iter().find_map(|name| spec.get(name));
    let default = default.filter(|backend| **backend != Attribute::Null).map(|_| Attribute::Null);
    rules.chain(default).filter_map(|host| uncovered(host, &named, is_open)).collect()
}

/// Hosts that an ingress has TLS for, in small letters.
#[derive(Default)]
struct Named {
    hosts: BTreeSet<String>,
    /// What stands behind `*.`.
    domains: BTreeSet<String>,
}

impl Named {
    fn take(&mut self, host: &str) {
        let host = host.to_ascii_lowercase();
        if let Some(domain) = host.strip_prefix("*.") {
            self.domains.insert(domain.to_owned());
        }
        self.hosts.insert(host);
    }

    /// A star stands for one label.
    fn cover(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let is_below = |(label, domain): (&str, &str)| label != "*" && self.domains.contains(domain);
        self.hosts.contains(&host) || host.split_once('.').is_some_and(is_below)
    }
}

/// A host that is surely not covered, or something not known if it may be.
fn uncovered(host: Attribute, named: &Named, is_open: bool) -> Option<Attribute> {
    match &host {
        Attribute::Text(text) if named.cover(text) => None,
        Attribute::Text(text) if !is_open => Some(Attribute::text(text)),
        Attribute::Null if !is_open => Some(EVERY_HOST.into()),
        _ => Some(not_known()),
    }
}

fn not_known() -> Attribute {
    Attribute::Unknown(Box::new(Unknown::new(Reason::Input, References::default())))
}

fn items(list: Option<&Attribute>) -> impl Iterator<Item = &Attribute> {
    match list {
        Some(Attribute::List(items)) => items.iter(),
        _ => [].iter(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read_json;

    fn plain(tls: &str, rules: &str) -> Vec<String> {
        let spec = read_json(&format!("{{\"tls\": {tls}, \"rules\": {rules}}}")).unwrap();
        plain_hosts(as_block(&spec).unwrap()).iter().map(Attribute::shown).collect()
    }

    #[test]
    fn fails_closed_a_host_beside_those_with_tls_is_plain() {
        let rules = r#"[{"host": "a.example.org"}, {"host": "b.example.org"}, {}]"#;
        let a = r#"[{"hosts": ["a.example.org"], "secretName": "s"}]"#;
        assert_eq!(plain(a, rules), ["\"b.example.org\"", "\"every other host\""]);
        assert_eq!(plain(r#"[{"hosts": ["*.example.org"]}]"#, rules), ["\"every other host\""]);
        assert_eq!(plain(r#"[{"hosts": [7]}]"#, r#"[{"host": "a"}]"#).len(), 1);
        assert!(plain(r#"[{"secretName": "s"}]"#, rules).is_empty());
        assert!(plain("[]", rules).is_empty());
        assert!(plain(r#"[{"hosts": ["A.example.org"]}]"#, r#"[{"host": "a.Example.org"}]"#).is_empty());
        assert_eq!(plain(r#"[{"hosts": ["*.example.org"]}]"#, r#"[{"host": "a.b.example.org"}]"#).len(), 1);
    }

    #[test]
    fn fails_closed_many_hosts_do_not_hold_a_review_up() {
        // Each rule against each host would be four thousand million comparisons.
        let hosts: Vec<String> = (0..64_000).map(|number| format!("\"h{number}.example.org\"")).collect();
        let rules: Vec<String> = hosts.iter().map(|host| format!("{{\"host\": {host}}}")).collect();
        let tls = format!("[{{\"hosts\": [{}]}}]", hosts.join(", "));
        assert!(plain(&tls, &format!("[{}]", rules.join(", "))).is_empty());
        let rules = format!("[{}, {{\"host\": \"h\"}}]", rules.join(", "));
        assert_eq!(plain(&tls, &rules), ["\"h\""]);
    }

    #[test]
    fn fails_closed_a_default_backend_takes_every_other_host() {
        for name in ["defaultBackend", "backend"] {
            let spec = format!(
                "{{\"tls\": [{{\"hosts\": [\"a\"]}}], \"rules\": [{{\"host\": \"a\"}}], \"{name}\": {{\"service\": {{}}}}}}"
            );
            let spec = read_json(&spec).unwrap();
            let found = plain_hosts(as_block(&spec).unwrap());
            assert_eq!(found, [Attribute::text(EVERY_HOST)], "{name}");
        }
    }
}
