//! The way back on the same phone: a device whose certificate ended, or that was revoked with salvage,
//! takes a new invitation and becomes a new device of the same person. Its store stays, and with it
//! everything that was not sent: that is written again by the new device, or waits for the adoption
//! that the drop box asked for.

use super::capture::{Rewrite, stage};
use super::carried::{carried_names, is_known_inside};
use super::enrol::{self, EnrolOutcome, PendingEnrolment, Request, SELF_ROW};
use super::{Client, OpenDevice, SyncProblem};
use crate::store::{Batch, EnrolmentRecord, SelfRecord, Table, row_id};
use crate::wire::{Session, decode, get_anonymous};
use crate::{ClientError, DeviceKeyStore, Environment, Growth, RowStore, Transport};
use std::collections::BTreeSet;
use ward_api::{EnrolmentInfo, ErrorCode, TicketState, paths};
use ward_crypto::{DeviceKeys, Ticket};
use ward_id::{ChartId, DeviceId, EntryId};
use ward_sync::{Draft, IncarnationOpen, Place, SignedEntry};

pub(crate) const RENEWAL_ROW: &[u8] = b"renewal";

/// Whether the way back is open to this device.
fn may_renew(open: &OpenDevice, ticket: &Ticket, is_in_date: bool) -> Result<(), ClientError> {
    open.writable()?;
    ticket.check_site(Some(open.root_policy.fingerprint()))?;
    let me = &open.me;
    if (ticket.person, ticket.role, ticket.chart) != (me.person, me.role, me.chart) {
        return Err(ClientError::NotAllowed("the invitation is for another person or chart"));
    }
    if open.order.is_none() && is_in_date {
        return Err(ClientError::AlreadyEnrolled);
    }
    Ok(())
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Takes an invitation on a device whose certificate ended or that was revoked with salvage: makes
    /// new keys and sends a request, as at the first enrolment. Until [`Client::renew_finish`] everything
    /// stays as it is.
    ///
    /// # Errors
    /// [`ClientError::AlreadyEnrolled`] for a device that needs no renewal, [`ClientError::Severed`],
    /// [`ClientError::NotAllowed`] for an invitation of somebody else, and as [`Client::enrol_begin`].
    pub async fn renew_begin(&mut self, ticket_text: &str) -> Result<PendingEnrolment, ClientError> {
        let ticket = Ticket::from_text(ticket_text)?;
        let now = self.trusted_now().unwrap_or_else(|| self.env_wall());
        let open = self.device()?;
        may_renew(open, &ticket, open.own_cert().is_some_and(|cert| cert.valid_at(now)))?;
        if let Some(record) = self.renewal_with(&ticket).await? {
            let open = self.device()?;
            let (_, binding) = enrol::read_request(&open.lkek, &record)?;
            let pending = enrol::pending_of(&ticket, &binding, &open.root_policy);
            enrol::submit_request(&self.transport, &ticket, &record).await?;
            return Ok(pending);
        }
        let server = enrol::server_of(&ticket);
        let path = paths::enrol(ticket.ticket);
        let info = get_anonymous(&self.transport, &server, &path).await?;
        let info: EnrolmentInfo = decode(&path, &info)?;
        let (root_policy, issuer) = enrol::check_site(&ticket, &info)?;
        let (open, env) = self.device_and_env()?;
        let made = Request::make(env.rng(), &open.lkek, &ticket, &root_policy, &issuer)?;
        let pending = enrol::pending_of(&ticket, &made.binding, &root_policy);
        let mut batch = Batch::default();
        batch.put(Table::Identity, RENEWAL_ROW, &made.record);
        self.commit(batch).await?;
        enrol::submit_request(&self.transport, &ticket, &made.record).await?;
        Ok(pending)
    }

    /// The renewal under way with this very ticket: its keys must not be made anew, because the server
    /// keeps the first request.
    async fn renewal_with(&self, ticket: &Ticket) -> Result<Option<EnrolmentRecord>, ClientError> {
        let record = self.rows.get::<EnrolmentRecord>(Table::Identity, RENEWAL_ROW).await?;
        let same = |record: &EnrolmentRecord| {
            Ticket::from_text(&record.ticket).is_ok_and(|known| known.ticket == ticket.ticket)
        };
        Ok(record.filter(same))
    }

    /// Asks whether the site has signed the new certificate. When it has, this device goes on as the new
    /// one; the next sync writes again what was not sent.
    ///
    /// # Errors
    /// [`ClientError::NotEnrolled`] without a renewal under way, and as [`Client::enrol_finish`].
    pub async fn renew_finish(&mut self) -> Result<EnrolOutcome, ClientError> {
        let record = self.rows.get::<EnrolmentRecord>(Table::Identity, RENEWAL_ROW).await?;
        let record = record.ok_or(ClientError::NotEnrolled)?;
        let ticket = Ticket::from_text(&record.ticket)?;
        enrol::submit_request(&self.transport, &ticket, &record).await?;
        let (server, path) = (enrol::server_of(&ticket), paths::enrol(ticket.ticket));
        let info = get_anonymous(&self.transport, &server, &path).await?;
        let info: EnrolmentInfo = decode(&path, &info)?;
        if matches!(
            info.state,
            TicketState::Declined | TicketState::Void | TicketState::Burnt | TicketState::Expired
        ) {
            let mut batch = Batch::default();
            batch.delete(Table::Identity, RENEWAL_ROW);
            self.commit(batch).await?;
            return Ok(EnrolOutcome::Ended(info.state));
        }
        let (keys, binding) = enrol::read_request(&self.device()?.lkek, &record)?;
        // For a try: the log decides whether the new device stands.
        let old = self.device_mut()?.become_device(binding.device, keys);
        let followed = self.follow_mlog().await;
        let found = self.device()?.own_cert().map(|cert| cert.binding == binding);
        if followed.is_ok() && found == Some(true) {
            if let Err(error) = self.store_renewed(&record).await {
                // The store still says the old device: so it is read again.
                self.lock();
                return Err(error);
            }
            return Ok(enrol::enrolled(&self.device()?.me));
        }
        let (device, keys, session) = old;
        let open = self.device_mut()?;
        open.become_device(device, keys);
        open.session = session;
        match followed {
            Ok(()) if found == Some(false) => Err(ClientError::EnrolmentMismatch),
            Ok(()) => Ok(EnrolOutcome::Waiting),
            Err(SyncProblem::Failed { error, .. }) if error.is(ErrorCode::DeviceUnknown) => {
                Ok(EnrolOutcome::Waiting)
            }
            Err(SyncProblem::Failed { error, .. }) => Err(error),
            Err(_) => Err(ClientError::MlogRefused("the log does not verify")),
        }
    }

    /// Writes that this device is another one now. Chains of the old one end; its entries stay.
    async fn store_renewed(&mut self, request: &EnrolmentRecord) -> Result<(), ClientError> {
        let open = self.device()?;
        let old = self.rows.get::<SelfRecord>(Table::Identity, SELF_ROW).await?;
        let old = old.ok_or(ClientError::NotEnrolled)?;
        let record = SelfRecord { device: open.me.device, keys: request.keys.clone(), ..old };
        let charts: Vec<ChartId> = open.charts.keys().copied().collect();
        let mut batch = Batch::default();
        batch.put(Table::Identity, SELF_ROW, &record);
        batch.delete(Table::Identity, RENEWAL_ROW);
        batch.delete(Table::Orders, super::orders::ORDER_ROW);
        charts.iter().for_each(|chart| batch.delete(Table::Chains, chart.as_bytes().as_slice()));
        self.commit(batch).await?;
        let open = self.device_mut()?;
        open.order = None;
        open.mark.own_heads.clear();
        for local in open.charts.values_mut() {
            local.chain = None;
            local.receipted = 0;
        }
        for chart in charts {
            self.reload_chart(chart).await?;
        }
        self.raise_mark(None).await;
        Ok(())
    }

    /// Writes again what a former device of this store could not send; says how much. What it handed to the drop box is
    /// left to the staff who can open it; what they declined stays declined.
    pub(crate) async fn rewrite_former(&mut self, chart: ChartId) -> Result<usize, ClientError> {
        let (lost, settled) = self.former_entries_left(chart)?;
        self.leave_to_the_chart(chart, settled).await?;
        let Some(newest) = lost.last() else { return Ok(0) };
        let frame = newest.frame();
        let opening = IncarnationOpen {
            old_incarnation: frame.incarnation,
            old_seq: frame.seq,
            old_entry: newest.id(),
        };
        let me = self.device()?.me.device;
        let begins = self.device()?.charts.get(&chart).is_none_or(|local| local.chain.is_none());
        let mut drafts: Vec<Rewrite> = Vec::new();
        drafts.extend(begins.then(|| Rewrite::first(Draft::new(opening))));
        // A carry would keep the old device as author, whose entries staff have to adopt.
        drafts.extend(lost.iter().filter_map(|entry| Rewrite::again(entry, me)));
        let replaced: Vec<Vec<EntryId>> = drafts.iter().map(|draft| draft.replaces.clone()).collect();
        let written = self.write(chart, drafts)?;
        let receipted = self.device()?.charts.get(&chart).map_or(0, |local| local.receipted);
        let mut batch = Batch::default();
        stage(&mut batch, chart, &written, receipted);
        self.rename_in_texts(chart, &replaced, &written.entries, &mut batch)?;
        lost.iter().for_each(|entry| delete_former(&mut batch, chart, entry));
        if let Err(error) = self.commit_growth(batch, Growth::Submission).await {
            // Open texts name the new entries already: the store says at the next unlock what is so.
            self.lock();
            return Err(error);
        }
        self.device_mut()?.forget_former(chart, &lost);
        let newest = self.take_written(chart, written)?;
        self.raise_mark(newest).await;
        Ok(lost.len())
    }

    /// Forgets entries of former devices that the server's log holds in what somebody carried.
    async fn leave_to_the_chart(
        &mut self,
        chart: ChartId,
        settled: Vec<SignedEntry>,
    ) -> Result<(), ClientError> {
        if settled.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::default();
        settled.iter().for_each(|entry| delete_former(&mut batch, chart, entry));
        self.commit(batch).await?;
        self.device_mut()?.forget_former(chart, &settled);
        self.raise_mark(None).await;
        Ok(())
    }

    /// Unsent entries of former devices that nobody else will bring, in the order of their making; and
    /// those that came to the server in what somebody carried, who took them over.
    fn former_entries_left(
        &self,
        chart: ChartId,
    ) -> Result<(Vec<SignedEntry>, Vec<SignedEntry>), ClientError> {
        let open = self.device()?;
        let none = (Vec::new(), Vec::new());
        let Some(local) = open.charts.get(&chart) else { return Ok(none) };
        if local.former_unsent(open.me.device).next().is_none() {
            return Ok(none);
        }
        let view = self.view_of(chart)?;
        let declined = view.declined();
        let now = self.trusted_now().unwrap_or_else(|| self.env_wall());
        let can_decide = |device: &DeviceId| open.staff_in_date(chart, *device, now);
        let stands = |entry: EntryId| view.place(entry).is_some_and(|place| place != Place::Parked);
        let carried: BTreeSet<EntryId> = view
            .timeline()
            .iter()
            .filter(|item| item.carried_by.is_some_and(|carrier| local.arrived(carrier)))
            .map(|item| item.entry.id())
            .collect();
        let (mut lost, mut settled) = (Vec::new(), Vec::new());
        for entry in local.former_unsent(open.me.device) {
            let names = carried_names(entry);
            if names.iter().any(|name| carried.contains(name)) {
                settled.push(entry.clone());
            } else if !names.into_iter().any(stands)
                && !declined.contains(&entry.id())
                && !open
                    .dropped
                    .get(&(chart, entry.id()))
                    .is_some_and(|record| record.recipients.iter().any(can_decide))
                // What a newer version of the app wrote stays where it is until that version is back.
                && is_known_inside(entry)
            {
                lost.push(entry.clone());
            }
        }
        lost.sort_by_key(|entry| (entry.body().lamport, entry.frame().incarnation, entry.frame().seq));
        Ok((lost, settled))
    }
}

impl OpenDevice {
    /// Goes on under another device id with its keys; gives back what was.
    fn become_device(&mut self, device: DeviceId, keys: DeviceKeys) -> (DeviceId, DeviceKeys, Session) {
        let old = std::mem::replace(&mut self.me.device, device);
        let keys = std::mem::replace(&mut self.keys, keys);
        (old, keys, std::mem::take(&mut self.session))
    }

    /// Leaves out of memory what of a former device is not to be brought any more.
    fn forget_former(&mut self, chart: ChartId, entries: &[SignedEntry]) {
        for entry in entries {
            self.dropped.remove(&(chart, entry.id()));
            self.urgent.remove(&(chart, entry.id()));
            let place = (entry.frame().incarnation, entry.frame().seq);
            self.chart_or_new(chart).own.remove(&place);
        }
    }
}

/// Takes out the rows of an entry of a former device.
fn delete_former(batch: &mut Batch, chart: ChartId, entry: &SignedEntry) {
    let frame = entry.frame();
    let (incarnation, seq) = (frame.incarnation.0.to_be_bytes(), frame.seq.to_be_bytes());
    batch.delete(Table::Own, row_id(&[chart.as_bytes(), &incarnation, &seq]));
    let name = row_id(&[chart.as_bytes(), entry.id().as_bytes()]);
    batch.delete(Table::Dropped, name.clone());
    batch.delete(Table::Urgent, name);
}
