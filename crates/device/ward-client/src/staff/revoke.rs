//! Taking a device out of every chart.

use crate::client::{Outcome, as_error};
use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_api::{SuspendReason, SuspensionRequest, paths};
use ward_audit::{CosignedHead, LogView, TreeHead};
use ward_id::{DeviceId, TimestampMs};
use ward_sync::{MlogBody, Revoke, RevokePolicy, Wipe};

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Suspends a device until an instant: the server refuses it everything, and no key is taken
    /// away. It is what can be done at once; revoke the device if it stays lost.
    ///
    /// # Errors
    /// What a call can fail with.
    pub async fn suspend(
        &mut self,
        device: DeviceId,
        until: TimestampMs,
        reason: SuspendReason,
    ) -> Result<(), ClientError> {
        let body = SuspensionRequest { until, reason };
        self.wire()?.post_done(&paths::suspend(device), &body).await
    }

    /// Revokes a device. Its entries below the newest head of the operation log that this device
    /// verified stand; later ones wait to be adopted (salvage) or are refused (sever). Members of
    /// its charts make new epochs at their next sync; this device does so at once where it can. A
    /// participant revokes another device of their own with salvage only.
    ///
    /// # Errors
    /// [`ClientError::Unknown`] for a device that the log does not know here, [`ClientError::Void`]
    /// with the rule that is broken, and what a call can fail with.
    pub async fn revoke(
        &mut self,
        device: DeviceId,
        policy: RevokePolicy,
        reason: &str,
    ) -> Result<Outcome, ClientError> {
        self.follow_mlog().await.map_err(as_error)?;
        let olog = self.verified_olog().await?;
        let open = self.device()?;
        let (_, chart) =
            open.mlog.membership.find_device(device).ok_or(ClientError::Unknown("the device"))?;
        let subject = chart.map_or_else(|| open.me.site.into(), Into::into);
        let body = MlogBody::Revoke(Revoke { device, olog, policy, reason: reason.to_owned() });
        let outcome = self.act(subject, &body).await?;
        if outcome.is_done() {
            self.rotate_where_needed().await;
        }
        Ok(outcome)
    }

    /// Orders a revoked device to destroy what it holds. It obeys when it next meets a server that shows
    /// it the order; with policy salvage it first hands over what it could not send. The order is signed
    /// by whoever may revoke the device with policy sever: for a participant's device, staff of its chart.
    ///
    /// # Errors
    /// As [`Client::revoke`]; [`ClientError::Void`] for a device that is not revoked.
    pub async fn order_wipe(&mut self, device: DeviceId, reason: &str) -> Result<Outcome, ClientError> {
        self.follow_mlog().await.map_err(as_error)?;
        let open = self.device()?;
        let (_, chart) =
            open.mlog.membership.find_device(device).ok_or(ClientError::Unknown("the device"))?;
        let subject = chart.map_or_else(|| open.me.site.into(), Into::into);
        self.act(subject, &MlogBody::Wipe(Wipe { device, reason: reason.to_owned() })).await
    }

    /// The newest head of the operation log, verified now.
    pub(crate) async fn verified_olog(&mut self) -> Result<TreeHead, ClientError> {
        self.follow_olog().await.map_err(as_error)?;
        let head = self.device()?.olog.as_ref().and_then(LogView::head).map(CosignedHead::head);
        Ok(head.unwrap_or_else(TreeHead::empty))
    }
}
