//! Publishing the study's alert rules.

use crate::client::Outcome;
use crate::views::read_rules;
use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_crypto::V1;
use ward_sync::{AlertRuleSet, MlogBody};

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Puts alert rules into the membership log, as the revision after the one before.
    /// From then on every device of the care team follows them. An admin signs.
    ///
    /// # Errors
    /// [`ClientError::RulesRefused`] for rules that no device could read, [`ClientError::Void`] with the
    /// rule of the log that is broken, [`ClientError::NotConfirmed`], and what a call can fail with.
    pub async fn publish_alert_rules(
        &mut self,
        revision: u64,
        rules: Vec<u8>,
    ) -> Result<Outcome, ClientError> {
        self.follow_mlog().await.map_err(crate::client::as_error)?;
        let now = self.env_wall();
        let open = self.device()?;
        let set = AlertRuleSet { v: V1, study: open.me.study, revision, from: now, rules };
        read_rules(&set).map_err(ClientError::RulesRefused)?;
        let site = open.me.site;
        self.act(site.into(), &MlogBody::AlertRules(Box::new(set))).await
    }
}
