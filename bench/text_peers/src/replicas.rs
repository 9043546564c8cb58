//! The work, done by libraries whose replicas exchange updates.

use crate::timed;
use crate::traces::{Keystroke, Transaction};
use automerge::transaction::Transactable as _;
use automerge::{ActorId, AutoCommit, ObjId, ObjType, ROOT, ReadDoc as _};
use loro::{ExportMode, LoroDoc, LoroText, VersionVector};
use std::time::Duration;
use yrs::updates::decoder::Decode as _;
use yrs::{
    Doc, GetString as _, OffsetKind, Options, ReadTxn as _, StateVector, Text as _, TextRef, Transact as _,
    Update,
};

/// A replica of one text.
pub trait Replica: Sized {
    /// An empty one, of a person.
    fn new(person: u64) -> Self;
    /// One change.
    fn key(&mut self, key: &Keystroke);
    /// What this one did since it was asked last.
    fn update(&mut self) -> Vec<u8>;
    /// What another one did.
    fn apply(&mut self, update: &[u8]);
    /// Everything.
    fn whole(&mut self) -> Vec<u8>;
    fn text(&self) -> String;

    fn typed(person: u64, keys: &[Keystroke]) -> Self {
        let mut replica = Self::new(person);
        crate::apply(keys, &mut replica);
        replica
    }

    fn load(whole: &[u8]) -> String {
        let mut replica = Self::new(99);
        replica.apply(whole);
        replica.text()
    }
}

pub struct YrsReplica {
    doc: Doc,
    text: TextRef,
    seen: StateVector,
}

impl Replica for YrsReplica {
    fn new(person: u64) -> Self {
        let mut options = Options::with_client_id(yrs::block::ClientID::new(person));
        options.offset_kind = OffsetKind::Utf16;
        let doc = Doc::with_options(options);
        let text = doc.get_or_insert_text("t");
        Self { doc, text, seen: StateVector::default() }
    }

    fn key(&mut self, key: &Keystroke) {
        let mut txn = self.doc.transact_mut();
        if key.deleted > 0 {
            self.text.remove_range(&mut txn, key.at, key.deleted);
        }
        self.text.insert(&mut txn, key.at, &key.inserted);
    }

    fn update(&mut self) -> Vec<u8> {
        let txn = self.doc.transact();
        let update = txn.encode_state_as_update_v1(&self.seen);
        self.seen = txn.state_vector();
        update
    }

    fn apply(&mut self, update: &[u8]) {
        self.doc.transact_mut().apply_update(Update::decode_v1(update).unwrap()).unwrap();
        self.seen = self.doc.transact().state_vector();
    }

    fn whole(&mut self) -> Vec<u8> {
        self.doc.transact().encode_state_as_update_v1(&StateVector::default())
    }

    fn text(&self) -> String {
        self.text.get_string(&self.doc.transact())
    }
}

pub struct LoroReplica {
    doc: LoroDoc,
    text: LoroText,
    seen: VersionVector,
}

impl Replica for LoroReplica {
    fn new(person: u64) -> Self {
        let doc = LoroDoc::new();
        doc.set_peer_id(person).unwrap();
        let text = doc.get_text("t");
        Self { doc, text, seen: VersionVector::default() }
    }

    fn key(&mut self, key: &Keystroke) {
        if key.deleted > 0 {
            self.text.delete(key.at as usize, key.deleted as usize).unwrap();
        }
        self.text.insert(key.at as usize, &key.inserted).unwrap();
    }

    fn update(&mut self) -> Vec<u8> {
        self.doc.commit();
        let update = self.doc.export(ExportMode::updates(&self.seen)).unwrap();
        self.seen = self.doc.oplog_vv();
        update
    }

    fn apply(&mut self, update: &[u8]) {
        self.doc.import(update).unwrap();
        self.seen = self.doc.oplog_vv();
    }

    fn whole(&mut self) -> Vec<u8> {
        self.doc.commit();
        self.doc.export(ExportMode::Snapshot).unwrap()
    }

    fn text(&self) -> String {
        self.text.to_string()
    }
}

pub struct AutomergeReplica {
    doc: AutoCommit,
    text: ObjId,
}

impl Replica for AutomergeReplica {
    fn new(person: u64) -> Self {
        // All replicas begin with the same change, which makes the text.
        let mut doc = AutoCommit::new().with_actor(ActorId::from([0_u8].as_slice()));
        let text = doc.put_object(ROOT, "t", ObjType::Text).unwrap();
        doc.commit_with(automerge::transaction::CommitOptions::default().with_time(0));
        doc.save_incremental();
        doc.set_actor(ActorId::from(person.to_be_bytes().as_slice()));
        Self { doc, text }
    }

    fn key(&mut self, key: &Keystroke) {
        self.doc.splice_text(&self.text, key.at as usize, key.deleted as isize, &key.inserted).unwrap();
    }

    fn update(&mut self) -> Vec<u8> {
        self.doc.save_incremental()
    }

    fn apply(&mut self, update: &[u8]) {
        self.doc.load_incremental(update).unwrap();
        self.doc.update_diff_cursor();
        self.doc.save_incremental();
    }

    fn whole(&mut self) -> Vec<u8> {
        self.doc.save()
    }

    fn text(&self) -> String {
        self.doc.text(&self.text).unwrap()
    }
}

/// The updates of a recording of two people, each made on a replica that had seen just what its
/// author had.
pub fn updates_of<R: Replica>(transactions: &[Transaction]) -> Vec<Vec<u8>> {
    let mut replicas = [R::new(1), R::new(2)];
    let mut seen = [0; 2];
    let mut updates: Vec<Vec<u8>> = Vec::new();
    for txn in transactions {
        let replica = &mut replicas[txn.agent];
        let newest = txn.parents.iter().filter(|parent| transactions[**parent].agent != txn.agent).max();
        for other in newest.map_or(0..0, |newest| seen[txn.agent]..newest + 1) {
            if transactions[other].agent != txn.agent {
                replica.apply(&updates[other]);
            }
        }
        seen[txn.agent] = newest.map_or(seen[txn.agent], |newest| newest + 1);
        crate::apply(&txn.keys, replica);
        updates.push(replica.update());
    }
    updates
}

pub fn replay<R: Replica>(updates: &[Vec<u8>]) -> String {
    let mut replica = R::new(99);
    for update in updates {
        replica.apply(update);
    }
    replica.text()
}

/// How long a device with its own edits takes to take in those of another.
pub fn merge<R: Replica>(base: &str, first: &[Keystroke], second: &[Keystroke]) -> Duration {
    let mut start = R::new(9);
    start.key(&Keystroke { at: 0, deleted: 0, inserted: base.to_owned() });
    let start = start.update();
    let mut replicas = [R::new(1), R::new(2)];
    for (replica, keys) in replicas.iter_mut().zip([first, second]) {
        replica.apply(&start);
        crate::apply(keys, replica);
    }
    let [first, second] = &mut replicas;
    let update = second.update();
    first.update();
    timed(|| {
        first.apply(&update);
        first.text()
    })
}
