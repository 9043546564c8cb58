//! Exports of charts. Each export of staff leaves a receipt in the chart.

use crate::client::as_error;
use crate::export::{
    PackageParts, PackagedCertificate, PackagedEnvelope, PackagedProof, answers_csv, audit_package,
    fhir_ndjson, patient_page, trail_csv,
};
use crate::store::ReceivedRecord;
use crate::views::NamedChart;
use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeSet;
use ward_audit::{LogView, MemoryTree, Receipt, inclusion_proof, leaf_hash, olog_leaf};
use ward_crypto::Envelope;
use ward_id::{Canonical as _, ChartId, DeviceId};
use ward_sync::{AccessPurpose, ChartView, Effect, MlogBody, MlogEntry};

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Charts as FHIR R4 resources, one a line (NDJSON): questionnaires, responses, the medication
    /// plan, doses, accesses.
    ///
    /// # Errors
    /// [`ClientError::UnknownChart`], and what writing the receipt can fail with.
    pub async fn export_fhir(&mut self, charts: &[ChartId]) -> Result<String, ClientError> {
        self.note_exports(charts).await?;
        let views = self.views_of(charts)?;
        Ok(fhir_ndjson(&named(&views)))
    }

    /// Answers and grades of charts as a table (RFC 4180), one answer a row.
    ///
    /// # Errors
    /// As [`Client::export_fhir`].
    pub async fn export_csv(&mut self, charts: &[ChartId]) -> Result<String, ClientError> {
        self.note_exports(charts).await?;
        let views = self.views_of(charts)?;
        Ok(answers_csv(&named(&views)))
    }

    /// A chart as one page of HTML for its participant: readable, printable, without scripts and
    /// without anything from elsewhere.
    ///
    /// # Errors
    /// As [`Client::export_fhir`].
    pub async fn export_html(&mut self, chart: ChartId) -> Result<String, ClientError> {
        self.note_exports(&[chart]).await?;
        let now = self.env_wall();
        let view = self.chart(chart)?;
        Ok(patient_page(&NamedChart::new(chart, &view), now))
    }

    /// The package of a chart for an inspector, as names and bytes of its files: decrypted entries,
    /// the envelopes that carried them, certificates, receipts, the newest cosigned heads, and a
    /// proof for each envelope, with a page that says how to verify. It holds no key.
    ///
    /// # Errors
    /// [`ClientError::UnknownChart`]; [`ClientError::MlogRefused`] if a proof of the server does
    /// not hold; and what a call can fail with.
    pub async fn export_audit(&mut self, chart: ChartId) -> Result<Vec<(String, Vec<u8>)>, ClientError> {
        self.note_exports(&[chart]).await?;
        self.follow_mlog().await.map_err(as_error)?;
        self.follow_olog().await.map_err(as_error)?;
        let made_at = self.env_wall();
        let received = self.received_rows(chart).await?;
        let olog_proofs = self.olog_proofs(&received).await?;
        let view = self.chart(chart)?;
        let authors: BTreeSet<DeviceId> =
            view.timeline().iter().map(|item| item.entry.frame().device).collect();
        let certificates = self.packaged_certificates(authors);
        let open = self.device()?;
        let note = |view: Option<&LogView>| {
            view.and_then(LogView::head).map(|head| head.note().to_string()).unwrap_or_default()
        };
        let (olog_checkpoint, mlog_checkpoint) = (note(open.olog.as_ref()), note(open.mlog.view.as_ref()));
        let is_manifest = |body: &MlogBody| matches!(body, MlogBody::SiteManifest(_));
        let mut earlier_manifests: Vec<&[u8]> =
            self.effective_entries(is_manifest).map(|(_, bytes)| bytes).collect();
        earlier_manifests.reverse();
        let manifest_entry = earlier_manifests.pop().ok_or(ClientError::WrongSite)?;
        let receipts = open.charts.get(&chart).into_iter().flat_map(|local| local.receipts.values());
        let origin = open.olog.as_ref().map(LogView::origin);
        let of_log =
            |bytes: &[u8]| Receipt::from_canonical(bytes).is_ok_and(|it| Some(it.origin()) == origin);
        let receipts: Vec<Vec<u8>> =
            receipts.map(|record| record.receipt.to_vec()).filter(|bytes| of_log(bytes)).collect();
        let envelopes: Vec<PackagedEnvelope<'_>> = received
            .iter()
            .map(|row| PackagedEnvelope {
                olog_index: row.index,
                received_at: row.received_at,
                bytes: &row.envelope,
            })
            .collect();
        Ok(audit_package(&PackageParts {
            chart: NamedChart::new(chart, &view),
            made_at,
            envelopes: &envelopes,
            receipts: &receipts,
            olog_checkpoint: &olog_checkpoint,
            olog_proofs: &olog_proofs,
            mlog_checkpoint: &mlog_checkpoint,
            certificates: &certificates,
            root_policy: &open.root_policy.to_canonical(),
            manifest_entry,
            earlier_manifests: &earlier_manifests,
            trail: &trail_csv(&self.trail(chart)?),
            audit_events: &self.balp(chart)?,
        }))
    }

    fn views_of(&self, charts: &[ChartId]) -> Result<Vec<(ChartId, ChartView<'_>)>, ClientError> {
        charts.iter().map(|chart| Ok((*chart, self.chart(*chart)?))).collect()
    }

    async fn note_exports(&mut self, charts: &[ChartId]) -> Result<(), ClientError> {
        for &chart in charts {
            self.note_access(chart, AccessPurpose::Export).await?;
        }
        Ok(())
    }

    async fn received_rows(&mut self, chart: ChartId) -> Result<Vec<ReceivedRecord>, ClientError> {
        let pages = self.pages_of(chart).await?;
        let mut rows: Vec<ReceivedRecord> = pages.into_iter().flat_map(|(_, page)| page.rows).collect();
        // Places of pages that were looked through on the way to a checkpoint may be in both.
        let known: BTreeSet<u64> = rows.iter().map(|row| row.index).collect();
        let base = self.base_envelopes(chart).await?;
        rows.extend(base.into_iter().filter(|row| !known.contains(&row.index)));
        rows.sort_by_key(|row| row.index);
        // Of the log that counts, with the places that it gives: only those can be proved.
        let begin = self.device()?.olog_begin();
        let in_log =
            |row: ReceivedRecord| Some(ReceivedRecord { index: row.index.checked_sub(begin)?, ..row });
        Ok(rows.into_iter().filter_map(in_log).collect())
    }

    /// A proof for each envelope that the newest head includes, checked here first.
    async fn olog_proofs(&mut self, received: &[ReceivedRecord]) -> Result<Vec<PackagedProof>, ClientError> {
        let size = self.device()?.olog.as_ref().and_then(LogView::head).map_or(0, |head| head.head().size);
        // What is no envelope has no proof; the package names it among its gaps.
        let envelope = |row: &ReceivedRecord| {
            Some((row.index, Envelope::from_canonical(&row.envelope).ok()?.envelope_hash()))
        };
        let placed: Vec<_> = received.iter().filter(|row| row.index < size).filter_map(envelope).collect();
        let indexes: Vec<u64> = placed.iter().map(|(index, _)| *index).collect();
        let shown = self.fetch_inclusions(&indexes, size).await?;
        let view = self.device()?.olog.as_ref();
        let mut out = Vec::with_capacity(placed.len());
        for ((index, envelope), shown) in placed.into_iter().zip(shown) {
            let view = view.ok_or(ClientError::NotConfirmed)?;
            view.check_inclusion(index, olog_leaf(&envelope), &shown.proof).map_err(|_| {
                ClientError::MlogRefused("an envelope of the chart does not stand in the operation log")
            })?;
            out.push(PackagedProof { index, hashes: shown.proof });
        }
        Ok(out)
    }

    /// The effective entries of the membership log with such a body, the newest first.
    fn effective_entries(&self, fits: impl Fn(&MlogBody) -> bool) -> impl Iterator<Item = (u64, &[u8])> {
        let mlog = self.device().ok().map(|open| &open.mlog);
        mlog.into_iter()
            .flat_map(|mlog| mlog.entries.iter().rev().map(move |entry| (mlog, entry)))
            .filter_map(move |(mlog, (index, bytes))| {
                let body = match mlog.effects.get(index)? {
                    Effect::Effective => MlogEntry::read(bytes).ok()?.decode_body().ok()?,
                    _ => return None,
                };
                fits(&body).then_some((*index, bytes.as_slice()))
            })
    }

    /// The certificates of authors, of those who issued them, and so on up to the admins.
    fn packaged_certificates(&self, authors: BTreeSet<DeviceId>) -> Vec<PackagedCertificate<'_>> {
        let (mut wanted, mut known, mut out) = (authors.clone(), authors, Vec::new());
        while let Some(device) = wanted.pop_first() {
            let Some(certificate) = self.packaged_certificate(device) else { continue };
            let issuers = MlogEntry::read(certificate.mlog_entry).ok();
            let signers = issuers.iter().flat_map(MlogEntry::signatures).map(|one| one.signer.as_device());
            wanted.extend(signers.filter(|signer| known.insert(*signer)));
            out.push(certificate);
        }
        out.sort_by_key(|certificate| certificate.device);
        out
    }

    fn packaged_certificate(&self, device: DeviceId) -> Option<PackagedCertificate<'_>> {
        let certifies = |body: &MlogBody| match body {
            MlogBody::DeviceCert(cert) => cert.binding.device == device,
            MlogBody::RecoveryUse(recovery) => recovery.cert.binding.device == device,
            _ => false,
        };
        let (index, mlog_entry) = self.effective_entries(certifies).next()?;
        let leaves = &self.device().ok()?.mlog.leaves;
        let mut tree = MemoryTree::new();
        leaves.iter().for_each(|leaf| tree.append(leaf_hash(leaf)));
        let hashes = inclusion_proof(&tree, index, tree.size()).ok()?;
        Some(PackagedCertificate { device, mlog_entry, proof: PackagedProof { index, hashes } })
    }
}

fn named<'a>(views: &'a [(ChartId, ChartView<'a>)]) -> Vec<NamedChart<'a>> {
    views.iter().map(|(chart, view)| NamedChart::new(*chart, view)).collect()
}
