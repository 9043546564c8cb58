//! Suspension: the one thing the server does to a device by itself. It takes no key away.

use crate::App;
use crate::call::{Answer, Call, Caller, done};
use crate::problem_response::{Refusal, refuse};
use crate::store_problem::store_failed;
use ward_api::limits::SUSPENSION_MAX_MS;
use ward_api::{ErrorCode, SuspensionRequest};
use ward_crypto::Role;
use ward_id::DeviceId;
use ward_store::{DeviceSuspension, Store, SuspensionOf};

/// Suspends a device. It is the first thing that is done against a device in the wrong hands. What an admin or
/// the server itself set, staff of the chart neither lift nor shorten: whoever holds one staff device must not
/// be able to. They add a longer one of their own, in their own name, and take that back.
pub(super) async fn suspend<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let device: DeviceId = call.path_id("device")?;
    let request: SuspensionRequest = call.decode()?;
    let caller = call.caller()?;
    let length_ms = request.until.since_ms(call.now);
    may_suspend(app, &caller, device, length_ms <= 0)?;
    let standing = if caller.role == Role::Admin { SuspensionOf::Site } else { SuspensionOf::Staff };
    let session = app.store().device_session(device, call.now).await.map_err(store_failed)?;
    // What an admin or the server set stays until it ends or an admin changes it.
    let floor = session.floor.filter(|_| standing == SuspensionOf::Staff);
    let takes_back_own = length_ms <= 0 && session.suspension != session.floor;
    if !takes_back_own && floor.is_some_and(|floor| request.until < floor.until) {
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
        app.store().lift_suspension(device, standing).await.map_err(store_failed)?;
    } else {
        let (until, reason, by) = (request.until, request.reason, Some(caller.device));
        let suspension = DeviceSuspension { until, reason, by };
        app.store().suspend_device(device, standing, suspension).await.map_err(store_failed)?;
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
