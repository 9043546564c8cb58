//! Writing in a text that others write in too.
//!
//! A person sees one version of the text and writes in it. What they type is collected into a
//! burst, kept on this device at once, and handed over as one entry when they pause, leave the
//! text, sign it, or when the burst is full. What arrives meanwhile changes nothing under their
//! hands: their edit names the version that they saw, and the merge does the rest.

use super::Client;
use crate::limits::TEXT_IDLE_MS;
use crate::store::{Batch, Table, TextBurstRecord, row_id};
use crate::{ClientError, DeviceKeyStore, Environment, Growth, RowStore, Transport};
use std::collections::BTreeMap;
use ward_crypto::random_bytes;
use ward_id::{ChartId, EntryId};
use ward_sync::{Draft, SignedEntry, Text, TextBurst, TextId, TextSignature, Written};
use ward_text::limits::{DOCUMENT_MAX_SCALARS, EDIT_MAX_BYTES};
use ward_text::{Burst, Replacement, TextEdit, TextRun};

/// A text that a person is writing in.
pub(crate) struct OpenText {
    /// The version that they see, without the burst.
    parents: Vec<EntryId>,
    burst: Burst,
    /// What they see: that version and the burst. `None` until it is looked at after a restart.
    shown: Option<String>,
    /// When they typed last; `None` after a restart.
    typed_at_ms: Option<u64>,
    /// This device may have handed over words of this burst already, in the version that it is written
    /// in: the burst is of a store that may be a copy or set back, or it went into a file.
    may_stand: bool,
}

/// What of a burst stands in the chart already.
enum Standing {
    /// Nothing of it.
    Nothing,
    /// All of it.
    All,
    /// Its beginning, as this entry; the text after that.
    Front(EntryId, String),
}

impl OpenText {
    /// A burst that outlived the app.
    pub(crate) fn of_row((_, record): (Vec<u8>, TextBurstRecord)) -> ((ChartId, TextId), Self) {
        let burst = Burst::of(record.edit);
        let text = Self { parents: record.parents, burst, shown: None, typed_at_ms: None, may_stand: true };
        ((record.chart, record.document), text)
    }

    fn is_idle(&self, now_ms: u64) -> bool {
        self.typed_at_ms.is_none_or(|typed| now_ms.saturating_sub(typed) >= TEXT_IDLE_MS)
    }

    fn edit(&self) -> Option<TextEdit> {
        self.burst.clone().finish()
    }
}

fn row(chart: ChartId, document: TextId) -> Vec<u8> {
    row_id(&[chart.as_bytes(), &document.0])
}

const TOO_LONG: ClientError = ClientError::NotAllowed("a text has at most 1,000,000 characters");

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// The texts of a chart that several people edit.
    ///
    /// # Errors
    /// As [`Client::chart`].
    pub fn texts(&self, chart: ChartId) -> Result<BTreeMap<TextId, Text<'_>>, ClientError> {
        Ok(self.chart(chart)?.into_texts())
    }

    /// A name for a new text.
    ///
    /// # Errors
    /// [`ClientError::Locked`] or [`ClientError::NotEnrolled`].
    pub fn new_text(&mut self) -> Result<TextId, ClientError> {
        let (_, env) = self.device_and_env()?;
        Ok(TextId(random_bytes(env.rng())))
    }

    /// Opens a text for writing and gives what it says. While something that was typed waits, that
    /// version with it; else the newest version. A text that nobody wrote in yet is empty.
    ///
    /// # Errors
    /// [`ClientError::UnknownChart`]; [`ClientError::Unknown`] if the version that a waiting burst
    /// belongs to is not at hand.
    pub fn open_text(&mut self, chart: ChartId, document: TextId) -> Result<String, ClientError> {
        if !self.may_write_into(chart)? {
            return Err(ClientError::UnknownChart(chart));
        }
        let key = (chart, document);
        let handed_over = matches!(self.standing_of(chart, document)?, Standing::All);
        let waiting = self.device()?.texts.get(&key).filter(|open| !handed_over && !open.burst.is_empty());
        if let Some(shown) = waiting.and_then(|open| open.shown.clone()) {
            return Ok(shown);
        }
        let waiting = waiting.map(|open| (open.parents.clone(), open.burst.clone()));
        let known = self.device()?.texts.get(&key);
        let typed_at_ms = known.and_then(|open| open.typed_at_ms);
        let may_stand = waiting.is_some() && known.is_some_and(|open| open.may_stand);
        let (parents, burst) = match waiting {
            Some(waiting) => waiting,
            None => (self.newest_version(chart, document)?, Burst::new()),
        };
        let then = self.text_at(chart, document, &parents)?;
        let shown = match burst.clone().finish() {
            Some(edit) => edit.apply_to(&then).ok_or(ClientError::Unknown("the version of this text"))?,
            None => then,
        };
        let open = OpenText { parents, burst, shown: Some(shown.clone()), typed_at_ms, may_stand };
        self.device_mut()?.texts.insert(key, open);
        Ok(shown)
    }

    /// Takes what a person's text field says now. Gives the newest entry, if bursts were full.
    ///
    /// # Errors
    /// As [`Client::open_text`] and [`Client::capture`]; [`ClientError::NotAllowed`] for a text that
    /// is too long. What was typed before an error is kept, and so the same call may be made again.
    pub async fn write_text(
        &mut self,
        chart: ChartId,
        document: TextId,
        text: &str,
    ) -> Result<Option<EntryId>, ClientError> {
        if text.chars().count() > DOCUMENT_MAX_SCALARS as usize {
            return Err(TOO_LONG);
        }
        let shown = self.shown(chart, document)?;
        match Replacement::between(&shown, text) {
            Some(replacement) => self.replace(chart, document, replacement).await,
            None => Ok(None),
        }
    }

    /// Takes single steps, at positions of what the person sees. Gives the newest entry, if bursts
    /// were full.
    ///
    /// # Errors
    /// As [`Client::write_text`]; [`ClientError::NotAllowed`] for a position outside of the text.
    /// Steps before that one are taken.
    pub async fn edit_text(
        &mut self,
        chart: ChartId,
        document: TextId,
        runs: &[TextRun<'_>],
    ) -> Result<Option<EntryId>, ClientError> {
        let mut newest = None;
        for run in runs {
            let replacement = match *run {
                TextRun::Insert { at, text } => Replacement { at, count: 0, text },
                TextRun::Delete { at, count } => Replacement { at, count, text: "" },
            };
            after(&self.shown(chart, document)?, replacement)?;
            newest = self.replace(chart, document, replacement).await?.or(newest);
        }
        Ok(newest)
    }

    /// Hands over what was typed and leaves the text: when the field loses the focus.
    ///
    /// # Errors
    /// As [`Client::capture`]; what was typed is then still there.
    pub async fn leave_text(
        &mut self,
        chart: ChartId,
        document: TextId,
    ) -> Result<Option<EntryId>, ClientError> {
        let entry = self.write_burst(chart, document).await?;
        self.device_mut()?.texts.remove(&(chart, document));
        Ok(entry)
    }

    /// Hands over what nobody has added to for two seconds, and what outlived the app. A text that cannot
    /// be handed over keeps no other one back.
    ///
    /// # Errors
    /// As [`Client::capture`], of the first text that could not be handed over; what was typed in it is
    /// still there.
    pub async fn hand_over_idle_texts(&mut self) -> Result<Vec<EntryId>, ClientError> {
        let now_ms = self.env.monotonic_ms();
        let idle = |open: &OpenText| !open.burst.is_empty() && open.is_idle(now_ms);
        let texts = &self.device()?.texts;
        let due: Vec<(ChartId, TextId)> =
            texts.iter().filter(|(_, open)| idle(open)).map(|(key, _)| *key).collect();
        let (mut entries, mut refused) = (Vec::new(), None);
        for (chart, document) in due {
            match self.write_burst(chart, document).await {
                Ok(entry) => entries.extend(entry),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        refused.map_or(Ok(entries), Err)
    }

    /// Texts in which something was typed that is not handed over yet.
    pub fn unfinished_texts(&self) -> Vec<(ChartId, TextId)> {
        let Ok(open) = self.device() else { return Vec::new() };
        open.texts.iter().filter(|(_, open)| !open.burst.is_empty()).map(|(key, _)| *key).collect()
    }

    /// Signs a text: the version that the person sees, or the newest one if they have not opened
    /// it. What was typed is handed over first.
    ///
    /// # Errors
    /// As [`Client::capture`]; [`ClientError::Unknown`] for a text that nobody wrote in.
    pub async fn sign_text(
        &mut self,
        chart: ChartId,
        document: TextId,
        meaning: impl Into<String>,
    ) -> Result<EntryId, ClientError> {
        self.write_burst(chart, document).await?;
        let seen = self.device()?.texts.get(&(chart, document)).map(|open| open.parents.clone());
        let frontier = match seen {
            Some(seen) => seen,
            None => self.newest_version(chart, document)?,
        };
        if frontier.is_empty() {
            return Err(ClientError::Unknown("this text"));
        }
        self.capture(chart, TextSignature { document, frontier, meaning: meaning.into() }).await
    }

    /// What of a waiting burst this device handed over already. A device writes once in one version: an
    /// edit of its own in the same version is of another copy of this store, or of this one before it was
    /// set back. Only where one goes on with the other are they the same words; what was typed apart stays
    /// apart, and both stay.
    fn standing_of(&self, chart: ChartId, document: TextId) -> Result<Standing, ClientError> {
        let device = self.device()?;
        let open = device.texts.get(&(chart, document));
        let Some(open) = open.filter(|open| open.may_stand) else { return Ok(Standing::Nothing) };
        let Some(edit) = open.edit() else { return Ok(Standing::Nothing) };
        let me = device.me.device;
        let texts = self.texts(chart)?;
        let Some(text) = texts.get(&document) else { return Ok(Standing::Nothing) };
        let own = |burst: &&Written<'_, TextBurst>| {
            burst.author.device == me && burst.value.parents == open.parents
        };
        for known in text.bursts().iter().filter(own) {
            let is_front = edit.begins_with(&known.value.edit);
            let is_whole = open.typed_at_ms.is_none() && known.value.edit.begins_with(&edit);
            // A field that shows these very words goes on behind them.
            if is_whole && !(is_front && open.shown.is_some()) {
                return Ok(Standing::All);
            }
            if is_front {
                let before = self.text_at(chart, document, &open.parents)?;
                let then = known.value.edit.apply_to(&before);
                return Ok(then.map_or(Standing::Nothing, |then| Standing::Front(known.id(), then)));
            }
        }
        Ok(Standing::Nothing)
    }

    /// Takes out of a waiting burst what this device handed over already.
    async fn leave_out_what_stands(&mut self, chart: ChartId, document: TextId) -> Result<(), ClientError> {
        let key = (chart, document);
        let mut batch = Batch::default();
        match self.standing_of(chart, document)? {
            Standing::Nothing => return Ok(()),
            Standing::All => {
                self.device_mut()?.texts.remove(&key);
                batch.delete(Table::TextBursts, row(chart, document));
            }
            Standing::Front(entry, then) => {
                let Some(open) = self.device()?.texts.get(&key) else { return Ok(()) };
                let (mut parents, edit) = (open.parents.clone(), open.edit());
                let before = self.text_at(chart, document, &parents)?;
                let now = edit.and_then(|edit| edit.apply_to(&before)).unwrap_or(before);
                // Where the rest does not fit into a burst, all of it stays as it was typed.
                let Ok(rest) = TextEdit::between(&then, &now) else { return Ok(()) };
                parents = self.left_out_by(chart, document, &parents)?;
                parents.push(entry);
                parents.sort_unstable();
                let Some(open) = self.device_mut()?.texts.get_mut(&key) else { return Ok(()) };
                (open.parents, open.burst) = (parents, rest.map_or_else(Burst::new, Burst::of));
                stage(&mut batch, chart, document, open);
            }
        }
        self.commit(batch).await?;
        self.raise_mark(None).await;
        Ok(())
    }

    /// What the person sees.
    fn shown(&mut self, chart: ChartId, document: TextId) -> Result<String, ClientError> {
        let open = self.device()?.texts.get(&(chart, document));
        match open.and_then(|open| open.shown.clone()) {
            Some(shown) => Ok(shown),
            None => self.open_text(chart, document),
        }
    }

    fn newest_version(&self, chart: ChartId, document: TextId) -> Result<Vec<EntryId>, ClientError> {
        match self.texts(chart) {
            Ok(texts) => Ok(texts.get(&document).map_or_else(Vec::new, Text::frontier)),
            // A chart in which nobody wrote anything yet.
            Err(ClientError::UnknownChart(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn text_at(&self, chart: ChartId, document: TextId, version: &[EntryId]) -> Result<String, ClientError> {
        if version.is_empty() {
            return Ok(String::new());
        }
        let texts = self.texts(chart)?;
        let then = texts.get(&document).and_then(|text| text.text_at(version));
        then.ok_or(ClientError::Unknown("the version of this text"))
    }

    fn left_out_by(
        &self,
        chart: ChartId,
        document: TextId,
        version: &[EntryId],
    ) -> Result<Vec<EntryId>, ClientError> {
        if version.len() < 2 {
            return Ok(Vec::new());
        }
        let texts = self.texts(chart)?;
        Ok(texts.get(&document).map_or_else(Vec::new, |text| text.left_out_by(version)))
    }

    /// Puts a replacement into the burst, in pieces that fit, and keeps it on this device: also what was
    /// put in before one of them was refused.
    async fn replace(
        &mut self,
        chart: ChartId,
        document: TextId,
        replacement: Replacement<'_>,
    ) -> Result<Option<EntryId>, ClientError> {
        if self.device()?.set_back {
            // Until the server was asked, nobody knows what of the text this device wrote already.
            return Err(ClientError::StoreSetBack);
        }
        let newest = self.push_all(chart, document, replacement).await;
        let kept = self.keep(chart, document).await;
        newest.and_then(|newest| kept.map(|()| newest))
    }

    async fn push_all(
        &mut self,
        chart: ChartId,
        document: TextId,
        replacement: Replacement<'_>,
    ) -> Result<Option<EntryId>, ClientError> {
        let Replacement { at, count, text } = replacement;
        let mut newest = None;
        if count > 0 {
            newest = self.push(chart, document, Replacement { at, count, text: "" }).await?;
        }
        let (mut at, mut rest) = (at, text);
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(rest.floor_char_boundary(EDIT_MAX_BYTES));
            newest = self.push(chart, document, Replacement { at, count: 0, text: piece }).await?.or(newest);
            at = at.saturating_add(u32::try_from(piece.chars().count()).map_err(|_| TOO_LONG)?);
            rest = behind;
        }
        Ok(newest)
    }

    /// Puts one run into the burst, and with it into what the person sees; a full burst is handed over
    /// first.
    async fn push(
        &mut self,
        chart: ChartId,
        document: TextId,
        run: Replacement<'_>,
    ) -> Result<Option<EntryId>, ClientError> {
        let after = after(&self.shown(chart, document)?, run)?;
        let put = |burst: &mut Burst| match run.count {
            0 => burst.insert(run.at, run.text),
            count => burst.erase(run.at, count),
        };
        let mut handed_over = None;
        if put(self.burst(chart, document)?).is_err() {
            handed_over = self.write_burst(chart, document).await?;
            put(self.burst(chart, document)?).map_err(|_| TOO_LONG)?;
        }
        if let Some(open) = self.device_mut()?.texts.get_mut(&(chart, document)) {
            open.shown = Some(after);
        }
        if self.burst(chart, document)?.is_full() {
            handed_over = self.write_burst(chart, document).await?.or(handed_over);
        }
        Ok(handed_over)
    }

    fn burst(&mut self, chart: ChartId, document: TextId) -> Result<&mut Burst, ClientError> {
        let open = self.device_mut()?.texts.get_mut(&(chart, document));
        open.map(|open| &mut open.burst).ok_or(ClientError::Unknown("this text"))
    }

    /// Makes the burst durable on this device.
    async fn keep(&mut self, chart: ChartId, document: TextId) -> Result<(), ClientError> {
        let now_ms = self.env.monotonic_ms();
        let open = self.device_mut()?.texts.get_mut(&(chart, document));
        let open = open.ok_or(ClientError::Unknown("this text"))?;
        open.typed_at_ms = Some(now_ms);
        let mut batch = Batch::default();
        stage(&mut batch, chart, document, open);
        self.commit_growth(batch, Growth::Text).await?;
        self.raise_mark(None).await;
        Ok(())
    }

    /// Writes the burst as an entry; its row goes in the same commit. The person goes on in the
    /// version that they see, and nothing changes under their hands.
    pub(crate) async fn write_burst(
        &mut self,
        chart: ChartId,
        document: TextId,
    ) -> Result<Option<EntryId>, ClientError> {
        let key = (chart, document);
        self.leave_out_what_stands(chart, document).await?;
        let Some(open) = self.device()?.texts.get(&key) else { return Ok(None) };
        let Some(edit) = open.edit() else { return Ok(None) };
        let burst = TextBurst { document, parents: open.parents.clone(), edit };
        let left_out = self.left_out_by(chart, document, &burst.parents)?;
        let mut batch = Batch::default();
        batch.delete(Table::TextBursts, row(chart, document));
        let entry = self.capture_with(chart, Draft::new(burst), batch).await?;
        if let Some(open) = self.device_mut()?.texts.get_mut(&key) {
            // They go on in what they see: what it left out stays out.
            open.parents = left_out;
            open.parents.push(entry);
            open.parents.sort_unstable();
            (open.burst, open.may_stand) = (Burst::new(), false);
        }
        Ok(Some(entry))
    }

    /// A waiting burst as an entry for a file, where the store does not take one: in a chain of its own,
    /// so that it takes no place that a later entry of this device needs. When it comes back in what
    /// somebody took over, the burst goes on behind it.
    pub(crate) fn burst_for_file(
        &mut self,
        chart: ChartId,
        document: TextId,
    ) -> Result<Option<SignedEntry>, ClientError> {
        let Some(waiting) = self.device_mut()?.texts.get_mut(&(chart, document)) else { return Ok(None) };
        let Some(edit) = waiting.edit() else { return Ok(None) };
        waiting.may_stand = true;
        let draft = Draft::new(TextBurst { document, parents: waiting.parents.clone(), edit });
        self.write_apart(chart, draft).map(Some)
    }

    /// Entries that nobody else will ever see were written again: what waits names the new ones.
    pub(super) fn rename_in_texts(
        &mut self,
        chart: ChartId,
        replaced: &[Vec<EntryId>],
        written: &[SignedEntry],
        batch: &mut Batch,
    ) -> Result<(), ClientError> {
        let names = replaced.iter().zip(written);
        let names = names.flat_map(|(old, new)| old.iter().map(|old| (*old, new.id())));
        let names: BTreeMap<EntryId, EntryId> = names.collect();
        let texts = &mut self.device_mut()?.texts;
        for ((_, document), open) in texts.iter_mut().filter(|((of, _), _)| *of == chart) {
            for parent in &mut open.parents {
                *parent = names.get(parent).copied().unwrap_or(*parent);
            }
            open.parents.sort_unstable();
            stage(batch, chart, *document, open);
        }
        Ok(())
    }
}

/// The row of a burst; an empty one has none.
fn stage(batch: &mut Batch, chart: ChartId, document: TextId, open: &OpenText) {
    match open.edit() {
        Some(edit) => {
            let record = TextBurstRecord { chart, document, parents: open.parents.clone(), edit };
            batch.put(Table::TextBursts, row(chart, document), &record);
        }
        None => batch.delete(Table::TextBursts, row(chart, document)),
    }
}

/// A text with a part replaced.
fn after(shown: &str, replacement: Replacement<'_>) -> Result<String, ClientError> {
    const OUTSIDE: ClientError = ClientError::NotAllowed("the position is outside of the text");
    let byte_of = |scalar: u32| {
        let ends = shown.char_indices().map(|(byte, _)| byte).chain([shown.len()]);
        ends.into_iter().nth(scalar as usize).ok_or(OUTSIDE)
    };
    let end = replacement.at.checked_add(replacement.count).ok_or(OUTSIDE)?;
    let (from, to) = (byte_of(replacement.at)?, byte_of(end)?);
    let (before, behind) = (shown.get(..from).unwrap_or(""), shown.get(to..).unwrap_or(""));
    let after = [before, replacement.text, behind].concat();
    if after.chars().count() > DOCUMENT_MAX_SCALARS as usize { Err(TOO_LONG) } else { Ok(after) }
}
