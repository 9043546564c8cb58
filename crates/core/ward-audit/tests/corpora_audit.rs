//! Every file of the shared Merkle proof corpora. Without `WARD_CORPORA` the test says that it
//! skipped; with it, a missing folder or another number of files is a failure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::path::{Path, PathBuf};
use ward_audit::*;

/// Files in each folder.
const INCLUSION_FILES: usize = 49;
const CONSISTENCY_FILES: usize = 49;
const SUBTREE_INCLUSION_FILES: usize = 102;
const SUBTREE_CONSISTENCY_FILES: usize = 59;
/// Valid files whose roots are not 32 bytes; a typed verifier refuses them early.
const VALID_WITHOUT_ROOTS: usize = 1;

#[cfg(test)]
mod case {
    use super::*;

    pub struct Case(Value);

    impl Case {
        pub fn read(path: &Path) -> Self {
            Self(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
        }

        pub fn number(&self, name: &str) -> u64 {
            self.0.get(name).and_then(Value::as_u64).unwrap()
        }

        pub fn want_error(&self) -> bool {
            self.0.get("wantErr").and_then(Value::as_bool).unwrap()
        }

        /// A hash; `None` if it is not 32 bytes long, which is a refusal.
        pub fn hash(&self, name: &str) -> Option<NodeHash> {
            decode(self.0.get(name).unwrap())
        }

        pub fn proof(&self) -> Option<Vec<NodeHash>> {
            match self.0.get("proof").unwrap() {
                Value::Null => Some(vec![]),
                proof => proof.as_array().unwrap().iter().map(decode).collect(),
            }
        }
    }

    fn decode(value: &Value) -> Option<NodeHash> {
        NodeHash::from_slice(&STANDARD.decode(value.as_str().unwrap()).unwrap())
    }

    pub fn files(folder: &Path) -> Vec<PathBuf> {
        let mut found = vec![];
        for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(files(&path));
            } else {
                found.push(path);
            }
        }
        found.sort();
        found
    }

    /// Runs a folder; returns how many valid files were refused because their roots have no
    /// proper length.
    pub fn run(name: &str, expected: usize, verdict: fn(&Case) -> Option<Result<(), ProofError>>) -> usize {
        let Some(corpora) = std::env::var_os("WARD_CORPORA") else {
            println!("skipped: WARD_CORPORA is not set, {name} was not checked");
            return 0;
        };
        let folder = Path::new(&corpora).join("audit/merkle-proofs").join(name);
        let files = files(&folder);
        assert_eq!(files.len(), expected, "files in {}", folder.display());
        let mut refused_early = 0;
        for file in files {
            let case = Case::read(&file);
            match verdict(&case) {
                Some(verdict) => {
                    assert_eq!(verdict.is_err(), case.want_error(), "{}: {verdict:?}", file.display())
                }
                None => refused_early += usize::from(!case.want_error()),
            }
        }
        println!("{name}: {expected} files agree");
        refused_early
    }
}

use case::{Case, run};

#[test]
fn inclusion() {
    let verdict = |case: &Case| {
        let (leaf, root, proof) = (case.hash("leafHash")?, case.hash("root")?, case.proof()?);
        Some(verify_inclusion(
            case.number("leafIdx"),
            case.number("treeSize"),
            &leaf,
            &root.to_root(),
            &proof,
        ))
    };
    assert_eq!(run("inclusion", INCLUSION_FILES, verdict), 0);
}

#[test]
fn consistency() {
    let verdict = |case: &Case| {
        let (old, new, proof) = (case.hash("root1")?, case.hash("root2")?, case.proof()?);
        let (size1, size2) = (case.number("size1"), case.number("size2"));
        Some(verify_consistency(size1, size2, &old.to_root(), &new.to_root(), &proof))
    };
    assert_eq!(run("consistency", CONSISTENCY_FILES, verdict), 0);
}

#[test]
fn subtree_inclusion() {
    let verdict = |case: &Case| {
        let (leaf, root, proof) = (case.hash("leafHash")?, case.hash("root")?, case.proof()?);
        let (index, start, end) = (case.number("leafIdx"), case.number("start"), case.number("end"));
        Some(verify_subtree_inclusion(index, start, end, &leaf, &root.to_root(), &proof))
    };
    assert_eq!(run("subtreeinclusion", SUBTREE_INCLUSION_FILES, verdict), 0);
}

#[test]
fn subtree_consistency() {
    let verdict = |case: &Case| {
        let (subtree, root, proof) = (case.hash("root1")?, case.hash("root2")?, case.proof()?);
        let (start, end, size) = (case.number("start"), case.number("end"), case.number("size"));
        Some(verify_subtree_consistency(start, end, size, &subtree.to_root(), &root.to_root(), &proof))
    };
    let refused_early = run("subtreeconsistency", SUBTREE_CONSISTENCY_FILES, verdict);
    let expected = if std::env::var_os("WARD_CORPORA").is_some() { VALID_WITHOUT_ROOTS } else { 0 };
    assert_eq!(refused_early, expected);
}
