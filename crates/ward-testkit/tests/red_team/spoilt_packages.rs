//! A member announces a key package that the others cannot open: the chart goes on, and nothing
//! that was sealed under it is lost.

use crate::loot::loot;
use crate::members::package_with;
use crate::scene::{names, note, packages_of, site_with_nurse, synced, texts, write_into_log};
use minicbor::Encoder;
use ward_crypto::{EpochPackage, EpochPackageFields, Role, SignKey, labels, sha256};
use ward_id::DeviceId;
use ward_sync::{EpochAnnounce, MlogBody, MlogEntry};

/// The same package with every wrap but one's own replaced by noise, signed again.
fn spoilt(package: &EpochPackage, own: DeviceId, key: &SignKey) -> EpochPackage {
    let mut fields = EpochPackageFields::clone(package);
    for wrap in fields.wraps.iter_mut().filter(|wrap| wrap.device != own) {
        wrap.ct.fill(0x5a);
    }
    let mut bytes = Vec::new();
    let mut e = Encoder::new(&mut bytes);
    let parts = e.array(4).unwrap().encode(&fields.header).unwrap().bytes(&fields.commitment).unwrap();
    parts.encode(&fields.wraps).unwrap().encode(&fields.history).unwrap();
    fields.signature = key.sign_labelled(labels::PKG, &sha256(&bytes));
    EpochPackage::new(fields).unwrap()
}

#[tokio::test]
async fn rt_06_a_member_who_spoils_a_package_does_not_end_the_chart() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(601).await;
    let chart = patient.chart();
    let current = packages_of(&site.server, chart).await.pop().unwrap();
    let stolen = loot(&nurse).await;
    let (package, _) = package_with(chart, &nurse, None, &current).await;
    let package = spoilt(&package, nurse.device(), &stolen.keys.sign);
    let epoch = package.header().epoch;
    let body = MlogBody::EpochAnnounce(EpochAnnounce { chart, epoch, package_hash: package.hash() });
    let head = nurse.client.membership().unwrap().head();
    let announce = MlogEntry::unsigned(current.header().site, chart.into(), head, &body).unwrap();
    let announce = announce.sign_as_device(nurse.device(), &stolen.keys.sign).unwrap();
    write_into_log(&mut site.server, &announce, Some(&package)).await;
    // It counts. Its author seals under it.
    nurse.sync().await;
    nurse.client.capture(chart, note("sealed under the spoilt one")).await.unwrap();
    nurse.sync().await;
    // The patient cannot open it, says so, and makes the next epoch without it.
    let before = patient.client.membership().unwrap().counted_epoch(chart).unwrap().epoch;
    patient.client.capture(chart, note("from the patient")).await.unwrap();
    let report = synced(&mut patient).await;
    assert!(names(&report).contains(&"bad-package"), "{report:?}");
    assert_eq!(report.rotated, [(chart, epoch + 1)], "before: {before}");
    assert_eq!((report.pushed, report.unsent), (1, 0), "{report:?}");
    synced(&mut site.coordinator).await;
    assert_eq!(texts(&site.coordinator, chart), ["first", "from the patient"]);
    // Whoever could open it notices that it was not handed on, and hands it on.
    let report = synced(&mut nurse).await;
    assert_eq!(report.rotated, [(chart, epoch + 2)], "{report:?}");
    let mut colleague = site.staff("colleague", Role::Clinician).await;
    let all = ["first", "from the patient", "sealed under the spoilt one"];
    for device in [&mut patient, &mut site.coordinator, &mut nurse, &mut colleague] {
        device.client.sync().await.unwrap();
        device.sync().await;
        assert_eq!(texts(device, chart), all);
    }
    let quiet = packages_of(&site.server, chart).await.len();
    for device in [&mut patient, &mut site.coordinator, &mut nurse, &mut colleague] {
        device.sync().await;
    }
    assert_eq!(packages_of(&site.server, chart).await.len(), quiet, "and then it is quiet");
}
