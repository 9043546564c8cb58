//! A chart of the ward, with entries that arrive one after the other.

use super::*;

pub struct Desk {
    pub ward: Ward,
    pub chart: Chart,
    pub next: u64,
}

impl Desk {
    pub fn new(seed: u64) -> Self {
        let ward = Ward::new(seed);
        let chart = Chart::new(ward.site.site, ward.chart);
        Self { ward, chart, next: 0 }
    }

    pub fn arrive(&mut self, entry: &SignedEntry) {
        let arrival = Arrival::at(self.next, T0.plus_ms(self.next as i64));
        assert_eq!(self.chart.insert(entry.clone(), arrival), Ok(Inserted::New));
        self.chart.prove(entry.id(), self.next);
        self.next += 1;
    }

    pub fn authority(&self) -> ChartAuthority<'_> {
        ChartAuthority { membership: &self.ward.site.membership, chart: self.ward.chart }
    }

    #[track_caller]
    pub fn check<R>(&self, look: impl FnOnce(&ChartView<'_>) -> R) -> R {
        let view = self.chart.view(&self.authority());
        assert!(view.accounting().balances(), "{:?}", view.accounting());
        assert_eq!(view.accounting().total, view.timeline().len());
        look(&view)
    }
}

impl Ward {
    /// A pen with a lifetime of its own, so that the ward stays free.
    pub fn pen(&self, device: &Device, incarnation: u64) -> Pen<'static> {
        let device = Device {
            id: device.id,
            person: device.person,
            role: device.role,
            keys: DeviceKeys::from_secret_bytes(&device.keys.to_secret_bytes()).unwrap(),
            cert: device.cert.clone(),
        };
        Pen::new(self.site.site, self.chart, Box::leak(Box::new(device)), incarnation)
    }
}
