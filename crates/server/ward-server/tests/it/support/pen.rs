//! One device's chain: envelopes as a device would push them. What is inside does not matter to
//! the server, so it is random.

use super::people::{Device, TestRng};
use ward_api::{EnvelopeBatch, Opaque};
use ward_crypto::*;
use ward_id::*;
use ward_sync::TreeHead;

pub struct Pen<'a> {
    pub device: &'a Device,
    pub site: SiteId,
    pub chart: ChartId,
    pub incarnation: Incarnation,
    pub seq: u64,
    pub rng: TestRng,
}

impl<'a> Pen<'a> {
    pub fn new(device: &'a Device, site: SiteId, chart: ChartId, incarnation: u64) -> Self {
        Self {
            device,
            site,
            chart,
            incarnation: Incarnation(incarnation),
            seq: 0,
            rng: TestRng::new(incarnation),
        }
    }

    /// The header of the next entry.
    pub fn header(&mut self, epoch: u64, head: TreeHead) -> EnvelopeHeader {
        self.seq += 1;
        EnvelopeHeader {
            v: V1,
            suite: Suite::W1,
            site: self.site,
            chart: self.chart,
            epoch,
            device: self.device.id,
            incarnation: self.incarnation,
            seq: self.seq,
            entry_id: EntryId::from_bytes(random_bytes(&mut self.rng)),
            mlog_size: head.size,
            mlog_root: head.root,
        }
    }

    pub fn seal(&mut self, header: EnvelopeHeader, secret: &EpochSecret) -> Vec<u8> {
        self.seal_sized(header, secret, 200)
    }

    pub fn seal_sized(&mut self, header: EnvelopeHeader, secret: &EpochSecret, bytes: usize) -> Vec<u8> {
        let text = vec![7; bytes];
        let keys = &self.device.keys;
        let envelope = seal_envelope(secret, header, &text, &keys.sign, &keys.hedge, &mut self.rng).unwrap();
        envelope.to_canonical()
    }

    /// The next `count` envelopes.
    pub fn batch(&mut self, count: usize, secret: &EpochSecret, head: TreeHead) -> EnvelopeBatch {
        (0..count)
            .map(|_| {
                let header = self.header(secret.epoch(), head);
                Opaque(self.seal(header, secret))
            })
            .collect()
    }
}
