//! Who wrote an entry and whether it stands, as the membership log says.

use crate::membership::{DeviceRecord, Membership, Standing};
use crate::study_schema::StudySchema;
use ward_crypto::{DeviceCert, Role};
use ward_id::{ChartId, DeviceId, EntryId, PersonId, TimestampMs};

/// Who wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Author {
    /// The person.
    pub person: PersonId,
    /// The role in which they act through the device.
    pub role: Role,
    /// The device.
    pub device: DeviceId,
}

/// What a chart asks about the devices that wrote in it.
pub trait Authority {
    /// Who acts through a device; `None` without a certificate.
    fn author(&self, device: DeviceId) -> Option<Author>;

    /// The certificate of a device.
    fn certificate(&self, device: DeviceId) -> Option<&DeviceCert>;

    /// Whether an entry of a device stands that is proved to have this place in the operation log,
    /// or an earlier one; without a proof it has no place.
    fn standing(&self, device: DeviceId, proved_index: Option<u64>) -> Standing;

    /// Whether an entry takes no part, whoever wrote it: one that staff declined, where devices are taken as if
    /// they were trusted.
    fn leaves_out(&self, _entry: EntryId) -> bool {
        false
    }

    /// The study schema that holds; without one, a person looks at every contradiction.
    fn schema(&self) -> Option<&StudySchema> {
        None
    }

    /// Since when the participant has had a device, as its certificate says; `None` for none.
    fn participant_since(&self) -> Option<TimestampMs> {
        None
    }
}

/// The membership log, asked about one chart.
#[derive(Debug, Clone, Copy)]
pub struct ChartAuthority<'a> {
    /// The log.
    pub membership: &'a Membership,
    /// The chart.
    pub chart: ChartId,
}

impl Authority for ChartAuthority<'_> {
    fn author(&self, device: DeviceId) -> Option<Author> {
        let record = self.membership.device(self.chart, device)?;
        Some(Author { person: record.person(), role: record.role(), device })
    }

    fn certificate(&self, device: DeviceId) -> Option<&DeviceCert> {
        self.membership.device(self.chart, device).map(DeviceRecord::cert)
    }

    fn standing(&self, device: DeviceId, proved_index: Option<u64>) -> Standing {
        self.membership.standing(self.chart, device, proved_index)
    }

    fn schema(&self) -> Option<&StudySchema> {
        self.membership.study_schema()
    }

    fn participant_since(&self) -> Option<TimestampMs> {
        let devices = self.membership.participant_devices(self.chart);
        let of_patient = devices.filter(|record| record.role() == Role::Patient);
        of_patient.map(|record| record.cert().not_before).min()
    }
}
