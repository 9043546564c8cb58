//! Roots and proofs against the recursive definitions, and against every small change.

use crate::fixture::*;
use ward_audit::*;
use ward_id::Canonical;

const SIZES: usize = 130;

#[test]
fn roots_agree_with_the_definition_up_to_130_leaves() {
    let log = TestLog::new(SIZES);
    let tree = log.tree();
    let mut compact = CompactTree::new();
    for size in 0..=SIZES {
        let expected = root(naive_root(&log.leaves[..size]));
        assert_eq!(compact.root(), expected, "frontier of {size}");
        assert_eq!(compact.size(), size as u64);
        assert_eq!(root_at(&tree, size as u64), Ok(expected), "nodes of {size}");
        assert_eq!(CompactTree::from_source(&tree, size as u64), Ok(compact.clone()));
        assert_eq!(CompactTree::from_canonical(&compact.to_canonical()), Ok(compact.clone()));
        if size < SIZES {
            compact.append(leaf_hash(&log.leaves[size]));
        }
    }
    assert_eq!(tree.root(), compact.root());
}

/// Published roots of the eight-leaf test tree of Certificate Transparency.
#[test]
fn known_roots() {
    let leaves: [&[u8]; 8] = [
        b"",
        b"\0",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut tree = CompactTree::new();
    for (size, expected) in roots.iter().enumerate() {
        assert_eq!(tree.root().to_string(), *expected, "{size} leaves");
        if size < leaves.len() {
            tree.append(leaf_hash(leaves[size]));
        }
    }
}

#[test]
fn every_inclusion_proof_up_to_130_leaves() {
    let log = TestLog::new(SIZES);
    let tree = log.tree();
    for size in 1..=SIZES {
        let head = root(naive_root(&log.leaves[..size]));
        for index in 0..size {
            let proof = inclusion_proof(&tree, index as u64, size as u64).unwrap();
            assert_eq!(proof, naive_path(index, &log.leaves[..size]), "{index} of {size}");
            let check = |index: u64, leaf: &NodeHash, proof: &[NodeHash]| {
                verify_inclusion(index, size as u64, leaf, &head, proof)
            };
            let leaf = leaf_hash(&log.leaves[index]);
            assert_eq!(check(index as u64, &leaf, &proof), Ok(()));
            let other = leaf_hash(&log.leaves[(index + 1) % SIZES]);
            assert_eq!(check(index as u64, &other, &proof), Err(ProofError::RootMismatch));
            let longer: Vec<_> = proof.iter().copied().chain([leaf]).collect();
            for wrong in [longer.as_slice(), &longer[1..]].into_iter().filter(|wrong| *wrong != proof) {
                assert!(check(index as u64, &leaf, wrong).is_err());
            }
            if let Some((_, shorter)) = proof.split_last() {
                assert!(matches!(check(index as u64, &leaf, shorter), Err(ProofError::WrongLength { .. })));
            }
            if let Some(neighbour) = (index + 1 < size).then_some(index as u64 + 1) {
                assert!(check(neighbour, &leaf, &proof).is_err());
            }
        }
        let beyond = verify_inclusion(size as u64, size as u64, &leaf_hash(b""), &head, &[]);
        assert_eq!(beyond, Err(ProofError::IndexBeyondSize { index: size as u64, size: size as u64 }));
    }
}

#[test]
fn every_consistency_proof_up_to_130_leaves() {
    let log = TestLog::new(SIZES);
    let tree = log.tree();
    let heads: Vec<_> = (0..=SIZES).map(|size| root(naive_root(&log.leaves[..size]))).collect();
    for new in 1..=SIZES {
        for old in 1..=new {
            let proof = consistency_proof(&tree, old as u64, new as u64).unwrap();
            assert_eq!(proof, naive_subproof(old, &log.leaves[..new], true), "{old} to {new}");
            let check = |old_root, new_root, proof: &[NodeHash]| {
                verify_consistency(old as u64, new as u64, old_root, new_root, proof)
            };
            assert_eq!(check(&heads[old], &heads[new], &proof), Ok(()));
            assert!(check(&heads[old - 1], &heads[new], &proof).is_err());
            assert!(check(&heads[old], &heads[new - 1], &proof).is_err());
            let longer: Vec<_> = proof.iter().copied().chain([leaf_hash(b"")]).collect();
            assert!(matches!(check(&heads[old], &heads[new], &longer), Err(ProofError::WrongLength { .. })));
            if let Some((_, shorter)) = proof.split_last() {
                assert!(check(&heads[old], &heads[new], shorter).is_err());
            }
            if old < new {
                assert!(check(&heads[new], &heads[old], &proof).is_err());
                let backwards = verify_consistency(new as u64, old as u64, &heads[new], &heads[old], &proof);
                let sizes = ProofError::SizesOutOfOrder { old: new as u64, new: old as u64 };
                assert_eq!(backwards, Err(sizes));
            }
        }
        let from_nothing = verify_consistency(0, new as u64, &heads[0], &heads[new], &[]);
        assert_eq!(from_nothing, Err(ProofError::EmptyOldTree));
        let extension = |proof: &[NodeHash]| TreeHead::empty().verify_extended_by(&log.head(new), proof);
        assert_eq!(extension(&[]), Ok(()));
        assert!(extension(&[leaf_hash(b"")]).is_err());
    }
    assert_eq!(verify_consistency(0, 0, &heads[0], &heads[0], &[]), Ok(()));
    assert!(verify_consistency(0, 0, &heads[1], &heads[1], &[]).is_err());
}

#[test]
fn every_bit_of_a_proof_counts() {
    let log = TestLog::new(SIZES);
    let sizes = (1..=17).chain([31, 32, 33, 64, 65, 100, 127, 128, 129, 130]);
    for size in sizes {
        let head = log.head(size);
        for index in [0, 1, size / 2, size - 1].into_iter().filter(|index| *index < size) {
            let (leaf, proof) = (leaf_hash(&log.leaves[index]), log.inclusion(index, size));
            let check = |leaf: &NodeHash, root, proof: &[NodeHash]| {
                verify_inclusion(index as u64, size as u64, leaf, root, proof)
            };
            for flipped in proof_flips(&proof) {
                assert_eq!(check(&leaf, &head.root, &flipped), Err(ProofError::RootMismatch));
            }
            for flipped in proof_flips(&[leaf]) {
                assert_eq!(check(&flipped[0], &head.root, &proof), Err(ProofError::RootMismatch));
            }
        }
        for old in [1, 2, size / 2, size - 1].into_iter().filter(|old| (1..size).contains(old)) {
            let (old_head, proof) = (log.head(old), log.consistency(old, size));
            for flipped in proof_flips(&proof) {
                assert!(old_head.verify_extended_by(&head, &flipped).is_err(), "{old} to {size}");
            }
            for flipped in proof_flips(&[NodeHash::from(old_head.root), NodeHash::from(head.root)]) {
                let (old_head, head) = (
                    TreeHead { root: flipped[0].to_root(), ..old_head },
                    TreeHead { root: flipped[1].to_root(), ..head },
                );
                assert!(old_head.verify_extended_by(&head, &proof).is_err(), "{old} to {size}");
            }
        }
    }
}

#[test]
fn every_subtree_up_to_40_leaves() {
    let log = TestLog::new(40);
    let tree = log.tree();
    for size in 1..=40usize {
        let head = root(naive_root(&log.leaves[..size]));
        for start in 0..size {
            for end in start + 1..=size {
                let proof = subtree_proof(&tree, start as u64, end as u64, size as u64);
                if start % (end - start).next_power_of_two() != 0 {
                    let refused = ProofError::NotASubtree { start: start as u64, end: end as u64 };
                    assert_eq!(proof, Err(refused));
                    continue;
                }
                let proof = proof.unwrap();
                let subtree = root(naive_root(&log.leaves[start..end]));
                let (from, to) = (start as u64, end as u64);
                let check = |subtree: &ward_id::TreeRoot, proof: &[NodeHash]| {
                    verify_subtree_consistency(from, to, size as u64, subtree, &head, proof)
                };
                assert_eq!(check(&subtree, &proof), Ok(()), "{start}..{end} of {size}");
                for wrong in proof_flips(&[NodeHash::from(subtree)]) {
                    assert!(check(&wrong[0].to_root(), &proof).is_err());
                }
                for index in start..end {
                    let path = naive_path(index - start, &log.leaves[start..end]);
                    let leaf = leaf_hash(&log.leaves[index]);
                    let within = verify_subtree_inclusion(index as u64, from, to, &leaf, &subtree, &path);
                    assert_eq!(within, Ok(()));
                }
            }
        }
    }
}

#[test]
fn proofs_of_the_largest_tree_fit_their_limit() {
    struct Anything;
    impl NodeSource for Anything {
        fn node(&self, level: u32, index: u64) -> Option<NodeHash> {
            Some(leaf_hash(&[level.to_be_bytes().as_slice(), &index.to_be_bytes()].concat()))
        }
    }
    let size = limits::TREE_SIZE_MAX;
    let longest = |size: u64| {
        [size / 2 + 1, size - 1, 1]
            .map(|old| consistency_proof(&Anything, old, size).unwrap().len())
            .into_iter()
            .max()
    };
    assert_eq!(longest(size), Some(limits::PROOF_MAX_HASHES));
    assert!(longest(size * 2) > Some(limits::PROOF_MAX_HASHES));
    assert_eq!(inclusion_proof(&Anything, u64::MAX - 1, u64::MAX).map(|proof| proof.len()), Ok(63));
    let refused = verify_inclusion(u64::MAX, u64::MAX, &leaf_hash(b""), &empty_root(), &[]);
    assert!(matches!(refused, Err(ProofError::IndexBeyondSize { .. })));
}

#[test]
fn missing_nodes_are_named() {
    let tree = TestLog::new(4).tree();
    let expected = MissingNode { level: 2, index: 1 };
    assert_eq!(inclusion_proof(&tree, 0, 8), Err(ProofError::MissingNode(expected)));
    assert_eq!(root_at(&tree, 8), Err(MissingNode { level: 3, index: 0 }));
}

#[test]
fn a_frontier_must_fit_its_size() {
    let log = TestLog::new(5);
    let mut tree = CompactTree::new();
    log.leaves.iter().for_each(|leaf| tree.append(leaf_hash(leaf)));
    let parts = tree.frontier().to_vec();
    assert!(CompactTree::from_parts(5, parts.clone()).is_ok());
    let wrong = CompactTreeError::WrongCount { size: 7, expected: 3, got: 2 };
    assert_eq!(CompactTree::from_parts(7, parts), Err(wrong));
    for flipped in bit_flips(&tree.to_canonical()) {
        assert_ne!(CompactTree::from_canonical(&flipped), Ok(tree.clone()));
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn random_trees(size in 1usize..3_000, a: proptest::sample::Index, b: proptest::sample::Index) {
        let log = TestLog::new(size);
        let tree = log.tree();
        let (index, old) = (a.index(size), b.index(size) + 1);
        let inclusion = inclusion_proof(&tree, index as u64, size as u64).unwrap();
        proptest::prop_assert_eq!(&inclusion, &naive_path(index, &log.leaves));
        let leaf = leaf_hash(&log.leaves[index]);
        proptest::prop_assert_eq!(verify_inclusion(index as u64, size as u64, &leaf, &tree.root(), &inclusion), Ok(()));
        let consistency = consistency_proof(&tree, old as u64, size as u64).unwrap();
        proptest::prop_assert_eq!(&consistency, &naive_subproof(old, &log.leaves, true));
        let old_root = root_at(&tree, old as u64).unwrap();
        proptest::prop_assert_eq!(
            verify_consistency(old as u64, size as u64, &old_root, &tree.root(), &consistency), Ok(()));
    }

    /// No input makes a verifier panic, whatever the sizes.
    #[test]
    fn verifiers_take_any_numbers(a: u64, b: u64, c: u64, hashes in proptest::collection::vec(0u8.., 0..70)) {
        let proof: Vec<_> = hashes.iter().map(|byte| leaf_hash(&[*byte])).collect();
        let (leaf, head) = (leaf_hash(b""), empty_root());
        proptest::prop_assert!(verify_inclusion(a, b, &leaf, &head, &proof).is_err());
        if a != b {
            proptest::prop_assert!(verify_consistency(a, b, &head, &head, &proof).is_err());
            proptest::prop_assert!(verify_subtree_consistency(a, b, c, &head, &head, &proof).is_err());
        }
        proptest::prop_assert!(verify_subtree_inclusion(a, b, c, &leaf, &head, &proof).is_err());
    }
}
