//! Publishing the study schema: how data merges, and who decides.

use crate::client::Outcome;
use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_crypto::V1;
use ward_sync::{MinReader, MlogBody, SchemaField, StudySchema};

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// The study schema that would follow on the newest one, with these fields in their order.
    ///
    /// # Errors
    /// [`ClientError::Locked`] or [`ClientError::NotEnrolled`].
    pub fn next_study_schema(
        &self,
        mut fields: Vec<SchemaField>,
        mut min_readers: Vec<MinReader>,
    ) -> Result<StudySchema, ClientError> {
        let open = self.device()?;
        let before = open.mlog.membership.study_schema();
        fields.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        for field in &mut fields {
            field.resolvers.sort_by_key(|role| role.number());
            field.resolvers.dedup();
        }
        min_readers.sort_by(|a, b| (a.kind, &a.schema).cmp(&(b.kind, &b.schema)));
        Ok(StudySchema {
            v: V1,
            study: open.me.study,
            number: before.map_or(0, |before| before.number.saturating_add(1)),
            prev: before.map(StudySchema::hash),
            fields,
            min_readers,
        })
    }

    /// Puts a study schema into the membership log; from then on every device follows it. An admin
    /// signs. A schema that drops what somebody's safety hangs on is refused here, and would have no
    /// effect in the log either.
    ///
    /// # Errors
    /// [`ClientError::SchemaRefused`] with the first finding, [`ClientError::Void`] with the rule of
    /// the log that is broken, [`ClientError::NotConfirmed`], and what a call can fail with.
    pub async fn publish_study_schema(
        &mut self,
        fields: Vec<SchemaField>,
        min_readers: Vec<MinReader>,
    ) -> Result<Outcome, ClientError> {
        self.follow_mlog().await.map_err(crate::client::as_error)?;
        let schema = self.next_study_schema(fields, min_readers)?;
        if let Some(finding) = schema.findings().first() {
            return Err(ClientError::SchemaRefused(finding.to_string()));
        }
        let site = self.device()?.me.site;
        self.act(site.into(), &MlogBody::StudySchema(Box::new(schema))).await
    }
}
