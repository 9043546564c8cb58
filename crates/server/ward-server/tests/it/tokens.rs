//! Tokens, proofs, refresh, suspension, rates.

use crate::support::wire::proof;
use crate::support::{People, World};
use http::Request;
use ward_api::{
    ErrorCode, Limits, RefreshText, SuspendReason, SuspensionRequest, TokenRequest, headers, paths,
};
use ward_id::base64url_decode;
use ward_server::Clock as _;
use ward_store::{DeviceSuspension, MemoryStore, SuspensionOf, TokenStore as _};

#[tokio::test]
async fn every_answer_carries_a_nonce_with_the_time_and_is_not_cached() {
    let world = World::new().await;
    for (method, path) in
        [("GET", "/healthz"), ("GET", "/nowhere"), ("PATCH", "/v1/site"), ("GET", paths::CHARTS)]
    {
        let reply = world.wire.plain(method, path, None, Vec::new()).await;
        let nonce = base64url_decode(reply.header(headers::DPOP_NONCE).unwrap()).unwrap();
        let time = i64::from_be_bytes(nonce[..8].try_into().unwrap());
        assert_eq!(time, world.clock.now().0);
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header(headers::REQUEST_ID).unwrap().len(), 16);
    }
    world.wire.plain("GET", "/nowhere", None, Vec::new()).await.refused(ErrorCode::NotFound);
    world.wire.plain("PATCH", "/v1/site", None, Vec::new()).await.refused(ErrorCode::MethodNotAllowed);
}

/// Red team 36: a recorded request is worth nothing.
#[tokio::test]
async fn rt_36_a_repeated_proof_is_refused() {
    let world = World::new().await;
    let phone = world.login(&world.people.phone).await;
    let (token, nonce) = (phone.token.lock().unwrap().clone(), phone.nonce.lock().unwrap().clone());
    let proof = proof(phone.device, "GET", paths::CHARTS, Some(&token), &nonce, world.clock.now());
    let send = || {
        let request = Request::get(paths::CHARTS)
            .header("authorization", format!("DPoP {token}"))
            .header("dpop", &proof);
        world.wire.send(request.body(Vec::new()).unwrap())
    };
    assert_eq!(send().await.unwrap().status, 200);
    for age_ms in [0, 1_000, 118_000] {
        world.clock.advance_ms(age_ms);
        send().await.unwrap().refused(ErrorCode::ProofReplayed);
    }
    world.clock.advance_ms(60_000);
    let reply = send().await.unwrap();
    reply.refused(ErrorCode::UseNonce);
    assert!(reply.header("www-authenticate").unwrap().contains("use_dpop_nonce"));
}

/// Red team 32: a token without its device's key is worth nothing.
#[tokio::test]
async fn rt_32_a_stolen_token_is_refused() {
    let world = World::new().await;
    let phone = world.login(&world.people.phone).await;
    let thief = world.login(&world.people.other_phone).await;
    *thief.token.lock().unwrap() = phone.token.lock().unwrap().clone();
    thief.get(paths::CHARTS).await.refused(ErrorCode::ProofInvalid);
    let refresh = TokenRequest::Refresh(RefreshText::new(phone.refresh.lock().unwrap().clone()));
    let reply = thief.grant(&refresh).await;
    assert!(matches!(reply.code(), Some(ErrorCode::RefreshReused | ErrorCode::RefreshInvalid)), "{reply:?}");
    // Whoever stole it, the family is over: the device proves itself anew.
    phone.grant(&refresh).await.refused(ErrorCode::RefreshInvalid);
    phone.grant(&TokenRequest::Device(phone.device.id)).await.ok();
    phone.get(paths::CHARTS).await.ok();
}

/// Red team 33: a lost answer costs nothing; a late repeat ends the family.
#[tokio::test]
async fn rt_33_a_repeat_gets_the_same_successor_and_a_late_one_ends_the_family() {
    let world = World::new().await;
    let phone = world.login(&world.people.phone).await;
    let first = TokenRequest::Refresh(RefreshText::new(phone.refresh.lock().unwrap().clone()));
    phone.grant(&first).await.ok();
    let successor = phone.refresh.lock().unwrap().clone();
    world.clock.advance_ms(14_000);
    phone.grant(&first).await.ok();
    assert_eq!(*phone.refresh.lock().unwrap(), successor);
    phone.get(paths::CHARTS).await.ok();
    world.clock.advance_ms(20_000);
    phone.grant(&first).await.refused(ErrorCode::RefreshReused);
    let second = TokenRequest::Refresh(RefreshText::new(successor));
    phone.grant(&second).await.refused(ErrorCode::RefreshInvalid);
}

#[tokio::test]
async fn tokens_end_with_their_time_and_with_their_session() {
    let world = World::new().await;
    let phone = world.login(&world.people.phone).await;
    world.clock.advance_ms(599_000);
    phone.get(paths::CHARTS).await.ok();
    world.clock.advance_ms(1_000);
    phone.get(paths::CHARTS).await.refused(ErrorCode::TokenExpired);
    phone.grant(&TokenRequest::Device(phone.device.id)).await.ok();
    let refresh = TokenRequest::Refresh(RefreshText::new(phone.refresh.lock().unwrap().clone()));
    assert_eq!(phone.call("POST", paths::TOKEN_REVOKE, None, Vec::new()).await.status, 204);
    phone.get(paths::CHARTS).await.refused(ErrorCode::SessionEnded);
    phone.grant(&refresh).await.refused(ErrorCode::RefreshInvalid);
}

#[tokio::test]
async fn a_suspension_holds_everywhere_and_can_be_lifted() {
    let world = World::new().await;
    let phone = world.login(&world.people.phone).await;
    let coordinator = world.login(&world.people.coordinator).await;
    let path = paths::suspend(phone.device.id);
    let until = world.clock.now().plus_ms(60_000);
    let request = SuspensionRequest { until, reason: SuspendReason::Lost };
    world.login(&world.people.outsider).await.post(&path, &request).await.refused(ErrorCode::RoleNotAllowed);
    phone.post(&path, &request).await.refused(ErrorCode::RoleNotAllowed);
    phone.get(paths::CHARTS).await.ok();
    coordinator.post(&path, &request).await.ok();
    let reply = phone.get(paths::CHARTS).await;
    reply.refused(ErrorCode::Suspended);
    assert_eq!(reply.problem().unwrap().members.until, Some(until));
    phone.grant(&TokenRequest::Device(phone.device.id)).await.refused(ErrorCode::Suspended);
    let lift = SuspensionRequest { until: world.clock.now(), reason: SuspendReason::Lost };
    coordinator.post(&path, &lift).await.ok();
    phone.get(paths::CHARTS).await.ok();
    coordinator.post(&path, &request).await.ok();
    world.clock.advance_ms(60_000);
    phone.get(paths::CHARTS).await.ok();
}

/// Proofs by keys that stand in no certificate are not remembered: anybody can make millions, and a
/// full memory refuses everybody.
#[tokio::test]
async fn a_stranger_leaves_nothing_in_the_memory_of_proofs() {
    let world = World::new().await;
    let nonce = {
        let reply = world.wire.plain("GET", "/healthz", None, Vec::new()).await;
        reply.header(headers::DPOP_NONCE).unwrap().to_owned()
    };
    let send = async |form: &TokenRequest, proof: &str| {
        let request = Request::post(paths::TOKEN)
            .header("content-type", headers::MEDIA_FORM)
            .header("dpop", proof)
            .body(form.to_form().into_bytes())
            .unwrap();
        world.wire.send(request).await.unwrap()
    };
    let phone = &world.people.phone;
    let made = || proof(phone, "POST", paths::TOKEN, None, &nonce, world.clock.now());
    let stranger = TokenRequest::Device(ward_id::DeviceId::from_bytes([1; 16]));
    let other = TokenRequest::Device(world.people.coordinator.id);
    let unknown = TokenRequest::Refresh(RefreshText::new("A".repeat(43)));
    for (form, code) in [
        (stranger, ErrorCode::DeviceUnknown),
        (other, ErrorCode::ProofInvalid),
        (unknown, ErrorCode::RefreshInvalid),
    ] {
        let proof = made();
        for _ in 0..2 {
            send(&form, &proof).await.refused(code);
        }
    }
    let (own, proof) = (TokenRequest::Device(phone.id), made());
    send(&own, &proof).await.ok();
    send(&own, &proof).await.refused(ErrorCode::ProofReplayed);
}

/// An address is counted also where there is nothing, and where anybody may ask.
#[tokio::test]
async fn unknown_paths_and_probes_are_counted_by_address() {
    use axum::body::Body;
    use tower::ServiceExt as _;
    let limits = Limits { address_requests_per_min: 2, ..crate::support::world::generous() };
    for (method, path) in
        [("GET", "/nowhere"), ("PATCH", "/v1/site"), ("GET", "/healthz"), ("GET", "/readyz")]
    {
        let world = World::with(MemoryStore::new(), People::new(7), limits.clone()).await;
        let crate::support::Wire::Router(router) = &world.wire else { panic!("in process") };
        let ask = async || {
            let peer = ward_server::PeerAddress("192.0.2.1".parse().unwrap());
            let request = Request::builder().method(method).uri(path).extension(peer);
            let request = request.body(Body::empty()).unwrap();
            router.clone().oneshot(request).await.unwrap().status().as_u16()
        };
        for _ in 0..2 {
            assert_ne!(ask().await, 429, "{path}");
        }
        assert_eq!(ask().await, 429, "{path}");
    }
}

/// One admin cannot keep the other one out: an admin's device goes by two signatures.
#[tokio::test]
async fn no_admin_suspends_an_admin() {
    let world = World::new().await;
    let (first, second) = (&world.people.admins[0], &world.people.admins[1]);
    let admin = world.login(first).await;
    let until = world.clock.now().plus_ms(60_000);
    let request = SuspensionRequest { until, reason: SuspendReason::Lost };
    for own in [second, first] {
        admin.post(&paths::suspend(own.id), &request).await.refused(ErrorCode::RoleNotAllowed);
    }
    world.login(second).await.get(paths::CHARTS).await.ok();
    admin.post(&paths::suspend(world.people.clinician.id), &request).await.ok();
    let lift = SuspensionRequest { until: world.clock.now(), reason: SuspendReason::Lost };
    let second = world.login(second).await;
    second.post(&paths::suspend(world.people.clinician.id), &lift).await.ok();
    world.login(&world.people.clinician).await.get(paths::CHARTS).await.ok();
}

/// What an admin or the server itself set against a phone is lifted by an admin: staff of the chart
/// neither lift it nor put a shorter one in its place. They may prolong it: the phone that an admin
/// suspended for an hour is found at night to be stolen.
#[tokio::test]
async fn staff_of_a_chart_lift_only_what_staff_set() {
    let world = World::new().await;
    let (phone, path) = (world.people.phone.id, paths::suspend(world.people.phone.id));
    let admin = world.login(&world.people.admins[0]).await;
    let coordinator = world.login(&world.people.coordinator).await;
    let clinician = world.login(&world.people.clinician).await;
    let until = |ms| SuspensionRequest { until: world.clock.now().plus_ms(ms), reason: SuspendReason::Lost };
    let set = async || world.store.device_session(phone, world.clock.now()).await.unwrap().suspension;
    admin.post(&path, &until(60_000)).await.ok();
    let by_admin = set().await;
    for ms in [0, 1, 59_999] {
        coordinator.post(&path, &until(ms)).await.refused(ErrorCode::RoleNotAllowed);
        assert_eq!(set().await, by_admin);
    }
    coordinator.post(&path, &until(120_000)).await.ok();
    let longer = set().await.unwrap();
    let by_coordinator = Some(world.people.coordinator.id);
    assert_eq!((longer.until, longer.by), (until(120_000).until, by_coordinator), "it names who did it");
    // A wrong date is taken back by any of the staff, down to what the admin set and no further.
    clinician.post(&path, &until(90_000)).await.ok();
    assert_eq!(set().await.and_then(|one| one.by), Some(world.people.clinician.id));
    coordinator.post(&path, &until(59_999)).await.refused(ErrorCode::RoleNotAllowed);
    coordinator.post(&path, &until(0)).await.ok();
    assert_eq!(set().await, by_admin);
    coordinator.post(&path, &until(0)).await.refused(ErrorCode::RoleNotAllowed);
    // A word of the admin takes the place of both.
    coordinator.post(&path, &until(120_000)).await.ok();
    admin.post(&path, &until(70_000)).await.ok();
    assert_eq!(set().await.map(|one| one.until), Some(until(70_000).until));
    coordinator.post(&path, &until(120_000)).await.ok();
    admin.post(&path, &until(0)).await.ok();
    assert_eq!(set().await, None);
    // What one of the staff set, another one changes and lifts.
    coordinator.post(&path, &until(60_000)).await.ok();
    clinician.post(&path, &until(1_000)).await.ok();
    coordinator.post(&path, &until(0)).await.ok();
    assert_eq!(set().await, None);
    // What the server did by itself.
    let own = DeviceSuspension {
        until: world.clock.now().plus_ms(60_000),
        reason: SuspendReason::Containment,
        by: None,
    };
    world.store.suspend_device(phone, SuspensionOf::Site, own).await.unwrap();
    coordinator.post(&path, &until(0)).await.refused(ErrorCode::RoleNotAllowed);
    coordinator.post(&path, &until(90_000)).await.ok();
    assert_eq!(set().await.map(|now| (now.until, now.by)), Some((until(90_000).until, by_coordinator)));
    coordinator.post(&path, &until(0)).await.ok();
    assert_eq!(set().await, Some(own));
    // One that has ended is nobody's any more.
    world.clock.advance_ms(60_000);
    coordinator.post(&path, &until(1_000)).await.ok();
}

/// A refusal does not use a refresh token up: when the suspension is over, the device goes on, and
/// nobody is told of a theft.
#[tokio::test]
async fn a_suspended_device_keeps_its_refresh_token() {
    let world = World::new().await;
    let phone = world.login(&world.people.phone).await;
    let coordinator = world.login(&world.people.coordinator).await;
    let until = world.clock.now().plus_ms(60_000);
    let request = SuspensionRequest { until, reason: SuspendReason::Lost };
    coordinator.post(&paths::suspend(phone.device.id), &request).await.ok();
    let refresh = TokenRequest::Refresh(RefreshText::new(phone.refresh.lock().unwrap().clone()));
    phone.grant(&refresh).await.refused(ErrorCode::Suspended);
    world.clock.advance_ms(60_000);
    phone.grant(&refresh).await.ok();
    phone.get(paths::CHARTS).await.ok();
}

#[tokio::test]
async fn a_device_sends_so_many_bytes_and_membership_entries_in_a_minute() {
    let limits = Limits {
        device_bytes_per_min: 100,
        device_mlog_appends_per_min: 1,
        ..crate::support::world::generous()
    };
    let world = World::with(MemoryStore::new(), People::new(7), limits).await;
    let phone = world.login(&world.people.phone).await;
    let nonce = ward_api::WitnessNonce([1; 32]);
    for _ in 0..2 {
        phone.post(paths::WITNESS_TIME, &nonce).await.ok();
    }
    phone.post(paths::WITNESS_TIME, &nonce).await.refused(ErrorCode::RateLimited);
    phone.get(paths::CHARTS).await.ok();
    let other = world.login(&world.people.other_phone).await;
    let entry = ward_api::MlogSubmission { entry: ward_api::Opaque(vec![1]), package: None, place: None };
    other.post(paths::MLOG_ENTRIES, &entry).await.refused(ErrorCode::MlogEntryInvalid);
    let reply = other.post(paths::MLOG_ENTRIES, &entry).await;
    reply.refused(ErrorCode::RateLimited);
    assert!(reply.header("retry-after").is_some());
    other.post(paths::WITNESS_TIME, &nonce).await.ok();
}

/// An admin whom a newer manifest no longer names is nobody, though the certificate still stands.
#[tokio::test]
async fn an_admin_whom_the_manifest_dropped_is_no_staff() {
    let mut world = World::new().await;
    let dropped = world.people.admins[1].id;
    let entry = world.people.manifest_without(dropped);
    world.login(&world.people.admins[1]).await.get(paths::TICKETS).await.ok();
    world.append(&entry, None).await.ok();
    world.login(&world.people.admins[1]).await.get(paths::TICKETS).await.refused(ErrorCode::RoleNotAllowed);
    world.login(&world.people.admins[0]).await.get(paths::TICKETS).await.ok();
}

#[tokio::test]
async fn unknown_devices_and_wrong_forms_get_no_token() {
    let world = World::new().await;
    let phone = world.session(&world.people.phone);
    phone
        .grant(&TokenRequest::Device(ward_id::DeviceId::from_bytes([1; 16])))
        .await
        .refused(ErrorCode::DeviceUnknown);
    phone.grant(&TokenRequest::Device(world.people.coordinator.id)).await.refused(ErrorCode::ProofInvalid);
    let form = b"grant_type=password".to_vec();
    phone
        .try_call("POST", paths::TOKEN, Some(headers::MEDIA_FORM), form.clone(), false)
        .await
        .unwrap()
        .refused(ErrorCode::BadForm);
    phone
        .try_call("POST", paths::TOKEN, Some(headers::MEDIA_CBOR), form, false)
        .await
        .unwrap()
        .refused(ErrorCode::MediaType);
}

#[tokio::test]
async fn a_device_that_asks_too_often_is_told_when_to_come_back() {
    let limits = Limits { device_requests_per_min: 6, ..crate::support::world::generous() };
    let world = World::with(MemoryStore::new(), People::new(7), limits).await;
    let phone = world.login(&world.people.phone).await;
    for _ in 0..5 {
        phone.get(paths::CHARTS).await.ok();
    }
    let reply = phone.get(paths::CHARTS).await;
    reply.refused(ErrorCode::RateLimited);
    let seconds: i64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert_eq!(reply.problem().unwrap().members.retry_after_s, Some(u32::try_from(seconds).unwrap()));
    world.login(&world.people.other_phone).await.get(paths::CHARTS).await.ok();
    world.clock.advance_ms(seconds * 1_000);
    phone.get(paths::CHARTS).await.ok();
}
