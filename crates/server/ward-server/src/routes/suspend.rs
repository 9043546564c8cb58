//! Suspension: the one thing the server does to a device by itself. It takes no key away.

use crate::App;
use crate::call::{Answer, Call, Caller, done};
use crate::problem_response::{Refusal, refuse};
use crate::store_problem::store_failed;
use ward_api::limits::SUSPENSION_MAX_MS;
use ward_api::{ErrorCode, SuspensionRequest};
use ward_crypto::Role;
use ward_id::DeviceId;
use ward_store::{DeviceSuspension, Store};

pub(super) async fn suspend<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let device: DeviceId = call.path_id("device")?;
    let request: SuspensionRequest = call.decode()?;
    let caller = call.caller()?;
    let length_ms = request.until.since_ms(call.now);
    may_suspend(app, &caller, device, length_ms <= 0)?;
    let session = app.store().device_session(device, call.now).await.map_err(store_failed)?;
    let others = session.suspension.filter(|standing| !may_change(app, &caller, standing));
    if others.as_ref().is_some_and(|standing| request.until < standing.until) {
        return Err(refuse(
            ErrorCode::RoleNotAllowed,
            "An admin or the server suspended it; an admin shortens or lifts that.",
        ));
    }
    if length_ms > SUSPENSION_MAX_MS {
        return Err(refuse(
            ErrorCode::Malformed,
            "A suspension lasts at most 30 days; revoke the device instead.",
        ));
    }
    if length_ms <= 0 {
        app.store().lift_suspension(device).await.map_err(store_failed)?;
    } else {
        // What is prolonged stays what it was: nobody shortens it again who could not before.
        let (reason, by) = others.map_or((request.reason, Some(caller.device)), |it| (it.reason, it.by));
        let suspension = DeviceSuspension { until: request.until, reason, by };
        app.store().suspend_device(device, suspension).await.map_err(store_failed)?;
    }
    app.sessions().forget(device);
    done(call.spec)
}

/// Admins suspend any device but those of admins: with one signature, one of them could keep the
/// other out and nobody would be left to lift it. An admin's device goes by a revocation, which
/// takes two. Other staff suspend devices of participants whose charts they are members of.
fn may_suspend<S: Store>(
    app: &App<S>,
    caller: &Caller,
    device: DeviceId,
    lifts: bool,
) -> Result<(), Refusal> {
    let membership = app.membership().read();
    if membership.record(device).is_none() && caller.role == Role::Admin {
        return Err(refuse(
            ErrorCode::NotFound,
            "No certificate of that device stands in the membership log.",
        ));
    }
    let allowed = match (caller.role, membership.home(device)) {
        (Role::Admin, _) => {
            membership.is_admin(caller.device)
                && device != caller.device
                && (lifts || !membership.is_admin(device))
        }
        (_, Some(chart)) => membership.is_member(chart, caller.device),
        (_, None) => false,
    };
    if allowed {
        Ok(())
    } else {
        Err(refuse(
            ErrorCode::RoleNotAllowed,
            "Staff suspend devices of their own participants, admins those of staff; an admin's device is revoked by two.",
        ))
    }
}

/// Whether a caller shortens or lifts a suspension. It is the first thing that is done against a device in
/// the wrong hands. What an admin or the server itself set stays until it ends or an admin changes it:
/// whoever holds one staff device must not be able to lift it, or to put a shorter one in its place. The
/// staff of a chart change what one of them set, and prolong whatever stands.
fn may_change<S: Store>(app: &App<S>, caller: &Caller, standing: &DeviceSuspension) -> bool {
    let membership = app.membership().read();
    let by_staff = standing.by.and_then(|by| membership.record(by)).is_some_and(|by| {
        let role = by.role();
        role != Role::Admin && role.is_staff()
    });
    caller.role == Role::Admin || by_staff
}
