//! Texts that several people edit, as the chart shows them.
//!
//! The merge is that of `ward-text`: a pure function of the edits that take part in the chart.
//! Whether an edit fits the text for which it was written depends on that edit and its ancestors
//! only, so every device judges alike.
//!
//! Edits of a device that was lost or severed, and that nobody adopted or somebody declined, are **aside**: they keep their
//! places in the text, because others wrote on top of them, and nothing of them shows.

use super::authority::Author;
use super::place::Place;
use super::thread::Written;
use crate::limits::{TEXT_CHAIN_MAX_EDITS, TEXT_CHAIN_MAX_INSERTED};
use crate::payload::{PayloadError, TextBurst, TextId, TextSignature};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use ward_id::{DeviceId, EntryId, Incarnation};
use ward_text::{Changes, Document, EditId, NewEdit, ReviewMark};

/// A signature and what was written since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedVersion<'a> {
    /// The signature.
    pub signature: Written<'a, TextSignature>,
    /// What changed since the version that was signed: nothing, if it still stands as signed.
    pub changes: Changes,
}

impl SignedVersion<'_> {
    /// Whether something was written that the signer had not seen.
    pub fn changed_since(&self) -> bool {
        !self.changes.is_empty()
    }
}

/// One text with everything that was written in it.
#[derive(Debug, Clone)]
pub struct Text<'a> {
    document: Document,
    bursts: Vec<Written<'a, TextBurst>>,
    /// Those that are aside.
    aside: Vec<Written<'a, TextBurst>>,
    signatures: Vec<Written<'a, TextSignature>>,
    /// Where each entry of the text stands.
    places: BTreeMap<EntryId, Place>,
}

impl<'a> Text<'a> {
    /// What it says.
    pub fn text(&self) -> String {
        self.document.text()
    }

    /// What it said at a version; `None` if an edit of that version is not here.
    pub fn text_at(&self, version: &[EntryId]) -> Option<String> {
        // A person may stand at words that were taken from under them.
        self.document.text_at(version).or_else(|| self.with_all_aside().text_at(version))
    }

    /// Those of a version's names that say what its author did not see. Who goes on in that version
    /// names them again.
    pub fn left_out_by(&self, version: &[EntryId]) -> Vec<EntryId> {
        self.document.left_out_by(version)
    }

    /// Bursts of writing that are kept aside with their device, in order: nothing of them shows.
    pub fn aside(&self) -> &[Written<'a, TextBurst>] {
        &self.aside
    }

    fn with_all_aside(&self) -> Document {
        let beyond = beyond_of(&self.bursts, &self.aside);
        document_of(in_order(&self.bursts, self.aside.iter(), &beyond)).0
    }

    /// The version: what an edit that is written now has as parents, and what a signature signs.
    pub fn frontier(&self) -> Vec<EntryId> {
        self.document.frontier()
    }

    /// The edits and the text they give, for questions that are not asked here.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// Every burst of writing, in the order that is the same on every device.
    pub fn bursts(&self) -> &[Written<'a, TextBurst>] {
        &self.bursts
    }

    /// Who wrote in it, each once.
    pub fn contributors(&self) -> Vec<Author> {
        let mut seen = BTreeSet::new();
        let effective =
            self.bursts.iter().filter(|burst| self.places.get(&burst.id()) == Some(&Place::Visible));
        effective.map(|burst| burst.author).filter(|author| seen.insert(author.device)).collect()
    }

    /// Who wrote what an edit did.
    pub fn author_of(&self, edit: &EditId) -> Option<Author> {
        let mut all = self.bursts.iter().chain(&self.aside);
        all.find(|burst| burst.id() == edit.entry).map(|burst| burst.author)
    }

    /// Paragraphs in which people wrote apart and close to one another, but for what one person
    /// has seen together and signed.
    pub fn review_marks(&self) -> Vec<ReviewMark> {
        self.document.review_marks(&self.reviewed()).unwrap_or_default()
    }

    /// The signatures that stand, oldest first, each with what was written since.
    pub fn signatures(&self) -> Vec<SignedVersion<'a>> {
        let signed = |signature: &Written<'a, TextSignature>| {
            let changes = self.document.changed_since(&signature.value.frontier)?;
            Some(SignedVersion { signature: *signature, changes })
        };
        self.standing().filter_map(signed).collect()
    }

    /// The signed version that holds the most edits. One signature, not all together: of two edits
    /// of which one person saw the one and another the other, nobody saw both.
    fn reviewed(&self) -> Vec<EntryId> {
        let size = |version: &[EntryId]| self.document.version_size(version).unwrap_or(0);
        let versions = self
            .standing()
            .map(|signature| (size(&signature.value.frontier), signature.order().1, signature));
        let largest = versions.max_by_key(|(size, entry, _)| (*size, *entry));
        largest.map_or_else(Vec::new, |(_, _, signature)| signature.value.frontier.clone())
    }

    fn standing(&self) -> impl Iterator<Item = &Written<'a, TextSignature>> {
        self.signatures.iter().filter(|signature| self.places.get(&signature.id()) == Some(&Place::Visible))
    }

    pub(super) fn note_places(&self, places: &mut BTreeMap<EntryId, Place>) {
        places.extend(self.places.iter().map(|(entry, place)| (*entry, *place)));
    }

    fn new(writes: Writes<'a>) -> Self {
        let Writes { bursts, aside, signatures } = writes;
        let under = named_by(&bursts, &aside, &signatures);
        let needed = aside.iter().filter(|burst| under.contains(&burst.id()));
        let mut beyond = beyond_of(&bursts, &aside);
        let (document, refused) = document_of(in_order(&bursts, needed, &beyond));
        beyond.extend(refused);
        let mut text = Self { document, bursts, aside, signatures, places: BTreeMap::new() };
        text.places = text.judge(&beyond);
        text
    }

    /// Where the entries stand.
    fn judge(&self, beyond: &BTreeSet<EntryId>) -> BTreeMap<EntryId, Place> {
        let invalid: BTreeSet<EntryId> = self.document.invalid().iter().map(|edit| edit.entry).collect();
        let parked: BTreeSet<EntryId> = self.document.parked().iter().map(|edit| edit.entry).collect();
        let wrong = |what| Place::Invalid(PayloadError::Contradiction(what));
        let place = |entry: EntryId| {
            if beyond.contains(&entry) {
                Place::Invalid(PayloadError::Size("the text"))
            } else if invalid.contains(&entry) {
                wrong("the edit does not fit the text for which it was written")
            } else if parked.contains(&entry) {
                Place::Parked
            } else {
                Place::Visible
            }
        };
        let mut places: BTreeMap<EntryId, Place> =
            self.bursts.iter().map(|burst| (burst.id(), place(burst.id()))).collect();
        for signature in &self.signatures {
            let known = self.document.version_size(&signature.value.frontier).is_some();
            places.insert(signature.id(), if known { Place::Visible } else { Place::Parked });
        }
        places
    }
}

/// Those of the edits aside that others were written on, directly or through others, and those that
/// somebody signed. The others take no part, so what a severed device sent takes no room in a text.
fn named_by(
    bursts: &[Written<'_, TextBurst>],
    aside: &[Written<'_, TextBurst>],
    signatures: &[Written<'_, TextSignature>],
) -> BTreeSet<EntryId> {
    let by_name: BTreeMap<EntryId, &[EntryId]> =
        aside.iter().map(|burst| (burst.id(), burst.value.parents.as_slice())).collect();
    let parents = bursts.iter().flat_map(|burst| &burst.value.parents);
    let signed = signatures.iter().flat_map(|signature| &signature.value.frontier);
    let mut open: Vec<EntryId> = parents.chain(signed).copied().collect();
    let mut out = BTreeSet::new();
    while let Some(entry) = open.pop() {
        if let Some(parents) = by_name.get(&entry)
            && out.insert(entry)
        {
            open.extend_from_slice(parents);
        }
    }
    out
}

/// The edits beyond what one chain of a device may write in one text. An edit counts with those before it
/// in its own chain only: nobody takes room from anybody else, and what was taken in is never beyond later.
fn beyond_of(bursts: &[Written<'_, TextBurst>], aside: &[Written<'_, TextBurst>]) -> BTreeSet<EntryId> {
    /// Places with what was written there, and how much it inserts.
    type OfOneChain = Vec<(u64, EntryId, u32)>;
    let mut chains: BTreeMap<(DeviceId, Incarnation), OfOneChain> = BTreeMap::new();
    for burst in bursts.iter().chain(aside) {
        let frame = burst.entry.frame();
        let chain = chains.entry((frame.device, frame.incarnation)).or_default();
        chain.push((frame.seq, burst.id(), burst.value.edit.inserted()));
    }
    let mut beyond = BTreeSet::new();
    for chain in chains.values_mut() {
        chain.sort_unstable();
        let mut total = 0u64;
        for (edits, (_, entry, inserted)) in chain.iter().enumerate() {
            total = total.saturating_add(u64::from(*inserted));
            if edits >= TEXT_CHAIN_MAX_EDITS || total > TEXT_CHAIN_MAX_INSERTED {
                beyond.insert(*entry);
            }
        }
    }
    beyond
}

/// Edits in the order that is the same on every device, those aside among the others.
fn in_order<'w, 'a: 'w>(
    bursts: &'w [Written<'a, TextBurst>],
    aside: impl Iterator<Item = &'w Written<'a, TextBurst>>,
    beyond: &BTreeSet<EntryId>,
) -> Vec<NewEdit> {
    let shown = bursts.iter().map(|burst| (burst, false));
    let mut all: Vec<_> = shown.chain(aside.map(|burst| (burst, true))).collect();
    all.retain(|(burst, _)| !beyond.contains(&burst.id()));
    all.sort_by_key(|(burst, _)| burst.order());
    all.into_iter().map(|(burst, hidden)| new_edit(burst, hidden)).collect()
}

/// The document, and the edits for which it has no room: none, where the chart's server keeps its own
/// limits.
fn document_of(edits: Vec<NewEdit>) -> (Document, BTreeSet<EntryId>) {
    let (mut document, mut beyond) = (Document::new(), BTreeSet::new());
    let mut edits = edits.into_iter();
    while let Some(refused) = insert_while_room(&mut document, &mut edits) {
        beyond.insert(refused);
    }
    (document, beyond)
}

/// Puts edits in until one is refused, and names that one.
fn insert_while_room(document: &mut Document, edits: &mut impl Iterator<Item = NewEdit>) -> Option<EntryId> {
    let mut last = None;
    let watched = edits.inspect(|edit| last = Some(edit.id.entry));
    let done = document.insert_all(watched);
    done.err().and(last)
}

fn new_edit(burst: &Written<'_, TextBurst>, hidden: bool) -> NewEdit {
    let frame = burst.entry.frame();
    let id =
        EditId { device: frame.device, incarnation: frame.incarnation, seq: frame.seq, entry: burst.id() };
    NewEdit { id, parents: burst.value.parents.clone(), edit: Arc::new(burst.value.edit.clone()), hidden }
}

/// What was written of one text. Writes come in order.
#[derive(Default)]
pub(super) struct Writes<'a> {
    pub(super) bursts: Vec<Written<'a, TextBurst>>,
    pub(super) aside: Vec<Written<'a, TextBurst>>,
    pub(super) signatures: Vec<Written<'a, TextSignature>>,
}

/// Every text of a chart.
pub(super) fn of(all: Writes<'_>) -> BTreeMap<TextId, Text<'_>> {
    let mut texts: BTreeMap<TextId, Writes<'_>> = BTreeMap::new();
    for burst in all.bursts {
        texts.entry(burst.value.document).or_default().bursts.push(burst);
    }
    for signature in all.signatures {
        texts.entry(signature.value.document).or_default().signatures.push(signature);
    }
    for burst in all.aside {
        // A text of which nothing else is left is none.
        if let Some(text) = texts.get_mut(&burst.value.document) {
            text.aside.push(burst);
        }
    }
    texts.into_iter().map(|(document, writes)| (document, Text::new(writes))).collect()
}
