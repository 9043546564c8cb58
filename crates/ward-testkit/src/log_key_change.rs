//! The root keys name another log key.

use crate::Site;
use ward_crypto::{SignKey, SiteManifest};
use ward_id::Canonical as _;
use ward_store::{MlogAppend, Store};
use ward_sync::{MlogBody, MlogEntry};

impl<S: Store> Site<S> {
    /// The root keys sign a manifest with another log key while the server does not run. Then it runs with
    /// that key, and the witnesses follow its logs from the beginning.
    pub async fn change_log_key(&mut self, secret: [u8; 32]) {
        let admin = self.admins.first_mut().expect("a site has admins");
        admin.sync().await;
        let membership = admin.client.membership().expect("the admin follows the log");
        let before = membership.manifest().expect("a site has a manifest");
        let mut fields = (**before).clone();
        fields.number += 1;
        fields.prev = Some(before.hash());
        fields.log_key = *SignKey::from_secret_bytes(&secret).public();
        let site = fields.site;
        let next = SiteManifest::new(fields).expect("the manifest is in order");
        let body = MlogBody::SiteManifest(Box::new(next));
        let entry = MlogEntry::unsigned(site, site.into(), membership.head(), &body).expect("it fits");
        let roots = self.root_keys.iter().take(usize::from(self.root_policy.threshold));
        let entry = roots.fold(entry, |entry, root| entry.sign_as_root(root).expect("a root signs"));
        let append = MlogAppend {
            expected_size: membership.size(),
            subject: entry.subject(),
            entry_hash: entry.hash(),
            bytes: entry.to_canonical(),
            package: None,
            ended_devices: Vec::new(),
            received_at: self.clock.now(),
        };
        self.server.store.append_mlog(append).await.expect("the entry is taken");
        self.server.go_on_with(secret).await;
    }
}
