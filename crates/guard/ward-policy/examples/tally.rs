fn main() {
    let rules = ward_policy::builtin_rules().unwrap();
    let mut errors: std::collections::BTreeMap<String, (usize, String)> = Default::default();
    let mut per: std::collections::BTreeMap<String, [usize; 3]> = Default::default();
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path).unwrap();
        let Ok(graph) = ward_policy::read_input(&bytes) else { println!("unread {path}"); continue };
        let a = ward_policy::assess(&graph, &rules);
        for f in &a.findings {
            let key = format!("{} {} {:?}", f.rule.id, f.resource.kind, f.cell.aspect);
            let at = match f.verdict { ward_policy::Verdict::Fail => 0, ward_policy::Verdict::Indeterminate => 1, _ => 2 };
            per.entry(key.clone()).or_default()[at] += 1;
            if at >= 1 || std::env::var("FAIL").is_ok() { let e = errors.entry(format!("{} {key}", f.verdict)).or_insert((0, f.observed.iter().map(|o| o.line()).collect::<Vec<_>>().join(" | "))); e.0 += 1; }
        }
    }
    for (k, (n, s)) in &errors { println!("{n:4} {k}: {}", &s.chars().take(200).collect::<String>()); }
    if std::env::var("ALL").is_ok() { for (k, n) in per { println!("{n:?} {k}"); } }
}
