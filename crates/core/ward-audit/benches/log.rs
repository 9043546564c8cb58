//! A log of a million leaves: appending, proofs made and checked, beside the bare hashing.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench prints its figures"
)]

#[path = "../../../../bench/stopwatch.rs"]
mod stopwatch;

use sha2::{Digest as _, Sha256};
use std::hint::black_box;
use std::process::ExitCode;
use stopwatch::{Course, Gates, quick, race};
use ward_audit::*;

/// Leaves appended at a time: a full batch of pushes.
const APPEND: usize = 4_096;
const RATIO_MAX: f64 = 1.5;

fn main() -> ExitCode {
    stopwatch::print_machine();
    let size: u64 = if quick() { 10_000 } else { 1_000_000 };
    let mut tree = MemoryTree::new();
    let mut builder = LogBuilder::new("ward.test/bench/olog".parse().unwrap(), None).unwrap();
    let leaves: Vec<[u8; 32]> = (0..size).map(|n| Sha256::digest(n.to_be_bytes()).into()).collect();
    leaves.iter().for_each(|leaf| tree.append(leaf_hash(leaf)));
    leaves.chunks(APPEND).for_each(|chunk| drop(builder.append(chunk).unwrap()));
    assert_eq!(tree.root(), builder.head().root);
    let root = tree.root();

    let mut place = 0u64;
    let mut next = move || {
        place = place.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (place >> 16) % (size - 1) + 1
    };
    let indexes: Vec<u64> = (0..1_024).map(|_| next()).collect();
    let inclusion: Vec<_> = indexes.iter().map(|i| inclusion_proof(&tree, *i, size).unwrap()).collect();
    let consistency: Vec<_> =
        indexes.iter().map(|old| consistency_proof(&tree, *old, size).unwrap()).collect();
    let old_roots: Vec<_> = indexes.iter().map(|old| root_at(&tree, *old).unwrap()).collect();
    let hashes = inclusion.iter().map(Vec::len).sum::<usize>() as f64 / inclusion.len() as f64;
    let over = |count: usize, work: &mut dyn FnMut(usize)| (0..count).for_each(|n| work(n % indexes.len()));
    let times = race(vec![
        Course::new("append a leaf (4,096 at a time, with tiles)", APPEND, |count| {
            let mut grown = builder.clone();
            black_box(grown.append(&leaves[..count]).unwrap());
        }),
        Course::each("p: leaf hash and node hash, bare", 8_192, || {
            let leaf = Sha256::new_with_prefix([0]).chain_update([7u8; 32]).finalize();
            Sha256::new_with_prefix([1]).chain_update(leaf).chain_update([8u8; 32]).finalize()
        }),
        Course::new("inclusion proof made (memory)", 1_024, |count| {
            over(count, &mut |n| drop(black_box(inclusion_proof(&tree, indexes[n], size).unwrap())));
        }),
        Course::new("inclusion proof checked", 1_024, |count| {
            over(count, &mut |n| {
                let leaf = leaf_hash(&leaves[usize::try_from(indexes[n]).unwrap()]);
                verify_inclusion(indexes[n], size, &leaf, &root, &inclusion[n]).unwrap();
            });
        }),
        Course::new("p: the hashes of an inclusion proof, bare", 1_024, |count| {
            over(count, &mut |n| {
                let mut node = [7u8; 32];
                for sibling in &inclusion[n] {
                    let hash =
                        Sha256::new_with_prefix([1]).chain_update(sibling.as_bytes()).chain_update(node);
                    node = hash.finalize().into();
                }
                black_box(node);
            });
        }),
        Course::new("consistency proof made (memory)", 1_024, |count| {
            over(count, &mut |n| drop(black_box(consistency_proof(&tree, indexes[n], size).unwrap())));
        }),
        Course::new("consistency proof checked", 1_024, |count| {
            over(count, &mut |n| {
                verify_consistency(indexes[n], size, &old_roots[n], &root, &consistency[n]).unwrap();
            });
        }),
    ]);
    println!(
        "{size} leaves; a proof of inclusion has {hashes:.1} hashes; CPU time of the thread, best of 10"
    );
    times.print();
    let mut gates = Gates::default();
    let ratio = |ours: &str, bare: &str| times.us(ours) / times.us(bare);
    gates.at_most(
        "append / its two hashes",
        ratio("append a leaf (4,096 at a time, with tiles)", "p: leaf hash and node hash, bare"),
        RATIO_MAX,
    );
    gates.at_most(
        "inclusion checked / its hashes",
        ratio("inclusion proof checked", "p: the hashes of an inclusion proof, bare"),
        RATIO_MAX,
    );
    gates.exit()
}
