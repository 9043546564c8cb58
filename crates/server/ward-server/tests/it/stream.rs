//! The stream of hints.

use crate::support::wire::proof;
use crate::support::{Session, Wire, World};
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use ward_api::limits::DEVICE_MAX_CONNECTIONS;
use ward_api::{ErrorCode, MlogSubmission, Opaque, paths};
use ward_id::Canonical as _;
use ward_server::Clock as _;
use ward_store::MemoryStore;
use ward_sync::RevokePolicy;

/// Opens a stream and leaves it open.
async fn open(world: &World<MemoryStore>, session: &Session<'_>) -> Result<Body, u16> {
    let Wire::Router(router) = &world.wire else { panic!("in process") };
    let path = paths::events(world.people.chart);
    let (token, nonce) = (session.token.lock().unwrap().clone(), session.nonce.lock().unwrap().clone());
    let proof = proof(session.device, "GET", &path, Some(&token), &nonce, world.clock.now());
    let request = Request::get(&path).header("authorization", format!("DPoP {token}")).header("dpop", proof);
    let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    if response.status() == 200 { Ok(response.into_body()) } else { Err(response.status().as_u16()) }
}

async fn next(body: &mut Body) -> Option<String> {
    let frame = body.frame().await?.unwrap();
    Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
}

#[tokio::test]
async fn hints_arrive_and_end_with_the_membership() {
    let mut world = World::new().await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let phone = world.login(&world.people.phone).await;
    let spare = world.login(&world.people.spare).await;
    let (mut stays, mut ends) = (open(&world, &phone).await.unwrap(), open(&world, &spare).await.unwrap());
    let mut pen = world.pen(&world.people.phone, chart, 1);
    phone.post(&paths::envelopes(chart), &pen.batch(3, &secret, world.people.membership.head())).await.ok();
    for body in [&mut stays, &mut ends] {
        assert_eq!(next(body).await.unwrap(), "event: olog\ndata: {\"size\":3}\n\n");
    }
    let entry = world.people.revoke(
        &world.people.spare,
        chart.into(),
        RevokePolicy::Salvage,
        &world.people.coordinator,
    );
    let submission = MlogSubmission { entry: Opaque(entry.to_canonical()), package: None, place: None };
    world.login(&world.people.coordinator).await.post(paths::MLOG_ENTRIES, &submission).await.ok();
    assert_eq!(next(&mut stays).await.unwrap(), "event: mlog\ndata: {}\n\n");
    assert_eq!(next(&mut ends).await, None, "a revoked device hears nothing more");
}

/// Who ended the session, or whose certificate ran out, hears nothing more.
#[tokio::test]
async fn a_stream_ends_with_its_session_and_with_its_certificate() {
    let world = World::new().await;
    let chart = world.people.chart;
    let spare = world.login(&world.people.spare).await;
    let clinician = world.login(&world.people.clinician).await;
    let (mut ends, mut stays) =
        (open(&world, &spare).await.unwrap(), open(&world, &clinician).await.unwrap());
    assert_eq!(spare.call("POST", paths::TOKEN_REVOKE, None, Vec::new()).await.status, 204);
    let entry = world.people.revoke(
        &world.people.phone,
        chart.into(),
        RevokePolicy::Salvage,
        &world.people.coordinator,
    );
    let submission = MlogSubmission { entry: Opaque(entry.to_canonical()), package: None, place: None };
    world.login(&world.people.coordinator).await.post(paths::MLOG_ENTRIES, &submission).await.ok();
    assert_eq!(next(&mut ends).await, None);
    assert_eq!(next(&mut stays).await.unwrap(), "event: mlog\ndata: {}\n\n");
    world.clock.advance_ms(3_651 * 86_400_000);
    assert_eq!(next(&mut stays).await, None, "its certificate is over");
}

#[tokio::test]
async fn a_device_has_a_bounded_number_of_streams() {
    let world = World::new().await;
    let phone = world.login(&world.people.phone).await;
    let mut streams = Vec::new();
    for _ in 0..DEVICE_MAX_CONNECTIONS {
        streams.push(open(&world, &phone).await.unwrap());
    }
    assert_eq!(open(&world, &phone).await.err(), Some(ErrorCode::TooManyConnections.status()));
    streams.pop();
    assert!(open(&world, &phone).await.is_ok());
    let other = world.login(&world.people.clinician).await;
    assert!(open(&world, &other).await.is_ok());
    world.app.drain();
    assert_eq!(open(&world, &other).await.err(), Some(ErrorCode::Draining.status()));
}
