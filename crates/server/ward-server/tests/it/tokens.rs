//! Tokens, proofs, refresh, suspension, rates.

use crate::support::wire::proof;
use crate::support::{People, World};
use http::Request;
use ward_api::{
    ErrorCode, Limits, RefreshText, SuspendReason, SuspensionRequest, TokenRequest, headers, paths,
};
use ward_id::base64url_decode;
use ward_server::Clock as _;
use ward_store::MemoryStore;

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
