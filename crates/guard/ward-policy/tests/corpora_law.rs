//! The law that rules cite beside an edition of it: every paragraph that was hashed has the words that were
//! summarised. Reads only where `WARD_CORPORA` points.

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use ward_policy::builtin_rules;
    use ward_policy::law::{Edition, ParagraphState, verify_law};

    #[test]
    fn every_paragraph_that_was_hashed_has_the_words_that_were_summarised() {
        let Some(corpora) = std::env::var_os("WARD_CORPORA") else {
            println!("WARD_CORPORA is not set: the law was not compared with an edition");
            return;
        };
        let mut edition = Edition::default();
        for file in std::fs::read_dir(PathBuf::from(corpora).join("law")).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "json") {
                edition
                    .add(&std::fs::read(&path).unwrap())
                    .unwrap_or_else(|error| panic!("{path:?}: {error}"));
            }
        }
        let rules = builtin_rules().unwrap();
        let today = ward_policy::Day::parse("2026-11-30").unwrap();
        let checked = verify_law(rules.law(), &edition, today);
        let same = checked.iter().filter(|one| one.paragraph == ParagraphState::Same).count();
        let other: Vec<&str> = checked
            .iter()
            .filter(|one| matches!(one.paragraph, ParagraphState::Changed { .. } | ParagraphState::Missing))
            .map(|one| &*one.citation.cite)
            .collect();
        println!("law: {same} of {} paragraphs have the words that were summarised", checked.len());
        assert!(other.is_empty(), "{other:?}");
        assert!(same > 0);
    }
}
