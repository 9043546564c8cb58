//! Somebody in between at enrolment, and invitations of other sites.

use crate::loot::loot;
use crate::scene::{ghost, site_with_nurse};
use minicbor::Decode;
use ward_api::{EnrolmentInfo, OwnTicket, TicketState};
use ward_client::{Certified, ClientError, Comparison, EnrolOutcome, HttpMethod, NewInvite};
use ward_crypto::{
    AttestLevel, DeviceBinding, EnrolBlob, EnrolRequest, Role, RootPolicy, Ticket, TicketError, TicketFields,
    TicketSecret, V1, open_enrol_request, sas_words, seal_enrol_request,
};
use ward_id::{Canonical as _, ChartId, PersonId, TicketId, base64url_decode};
use ward_store::TicketStore as _;
use ward_testkit::{SeededRng, Site, TestDevice};

async fn invite(site: &mut Site, chart: ChartId, person: PersonId) -> Ticket {
    let invite = NewInvite { person, role: Role::Patient, chart: Some(chart), not_after: None, server: None };
    site.coordinator.client.invite(invite).await.unwrap()
}

/// The server gives the issuer another request than the device sent.
fn exchange_request(issuer: &TestDevice, ticket: TicketId, blob: &EnrolBlob) {
    let blob = blob.to_canonical();
    issuer.relay.after(move |request, response| {
        if request.method == HttpMethod::Get
            && request.path == ward_api::paths::TICKETS
            && response.status == 200
        {
            let mut rows = Vec::<OwnTicket>::from_canonical(&response.body).unwrap();
            for row in rows.iter_mut().filter(|row| row.ticket == ticket) {
                (row.state, row.blob) = (TicketState::Redeemed, Some(blob.clone().into()));
            }
            response.body = rows.to_canonical();
        }
    });
}

#[derive(Decode)]
#[cbor(map)]
struct Photograph {
    #[cbor(n(5), with = "minicbor::bytes")]
    secret: [u8; 32],
}

/// The secret, as anybody reads it off the picture of a ticket.
fn photographed(ticket: &Ticket) -> TicketSecret {
    let text = ticket.to_text();
    let bytes = base64url_decode(text.strip_prefix("ward:1:").unwrap()).unwrap();
    TicketSecret::from_secret_bytes(minicbor::decode::<Photograph>(&bytes).unwrap().secret)
}

/// The same ticket with something else in it.
fn altered(ticket: &Ticket, secret: TicketSecret, person: PersonId, role: Role) -> Ticket {
    Ticket::new(TicketFields {
        v: ticket.v,
        study: ticket.study,
        site: ticket.site,
        srf: ticket.srf,
        ticket: ticket.ticket,
        secret,
        server_origin: ticket.server_origin.clone(),
        spki_pins: ticket.spki_pins.clone(),
        issuer_enc_hash: ticket.issuer_enc_hash,
        issuer_device: ticket.issuer_device,
        person,
        role,
        chart: ticket.chart.filter(|_| role == Role::Patient),
        not_after: ticket.not_after,
        independent: ticket.independent,
    })
    .unwrap()
}

#[tokio::test]
async fn rt_03_a_request_with_any_key_exchanged_is_refused_by_the_issuer() {
    let (mut site, _nurse, _patient) = site_with_nurse(301).await;
    let (chart, person) = site.open_chart().await;
    let ticket = invite(&mut site, chart, person).await;
    let mut phone = site.device("phone").await;
    let words = phone.begin(&ticket.to_text()).await;
    let issuer = loot(&site.coordinator).await.keys;
    let stored = site.server.store.tickets_of(site.coordinator.device(), site.clock.now()).await.unwrap();
    let sent = stored.into_iter().find(|row| row.ticket.ticket == ticket.ticket).unwrap().blob.unwrap();
    let honest =
        open_enrol_request(&ticket, &issuer.enc, &EnrolBlob::from_canonical(&sent).unwrap()).unwrap();
    let thief = ghost(&site, person, Role::Patient, 3);
    let stolen = &thief.cert.binding;
    let with = |change: &dyn Fn(&mut ward_crypto::DeviceBindingFields)| {
        let mut fields = (*honest.binding).clone();
        change(&mut fields);
        EnrolRequest { binding: DeviceBinding::new(fields).unwrap(), ..honest.clone() }
    };
    let swapped = [
        with(&|fields| fields.auth_pk = stolen.auth_pk),
        with(&|fields| fields.sign_pk = stolen.sign_pk),
        with(&|fields| fields.enc_pk = stolen.enc_pk.clone()),
        with(&|fields| fields.device = stolen.device),
        with(&|fields| fields.person = site.coordinator.person()),
        with(&|fields| fields.role = Role::Clinician),
    ];
    // Whoever photographed the ticket can seal all of that as if it were invited.
    let mut rng = SeededRng::new(3, "in between");
    let mut blobs: Vec<EnrolBlob> = swapped
        .iter()
        .map(|request| {
            let (person, role) = (request.binding.person, request.binding.role);
            let told = altered(&ticket, photographed(&ticket), person, role);
            seal_enrol_request(&told, issuer.enc.public(), request, &mut rng).unwrap()
        })
        .collect();
    // The server lacks the ticket's secret: not even an honest request opens that it sealed.
    let guessed = altered(&ticket, TicketSecret::generate(&mut rng), ticket.person, ticket.role);
    blobs.push(seal_enrol_request(&guessed, issuer.enc.public(), &honest, &mut rng).unwrap());
    site.coordinator.sync().await;
    let certified = site.coordinator.client.membership().unwrap().size();
    for blob in &blobs {
        exchange_request(&site.coordinator, ticket.ticket, blob);
        assert!(site.coordinator.client.pending_enrolments().await.unwrap().is_empty());
        let refused = site.coordinator.client.certify(ticket.ticket, Comparison::Same).await;
        assert_eq!(refused, Err(ClientError::EnrolmentMismatch));
        site.coordinator.relay.heal();
    }
    site.coordinator.sync().await;
    let log = site.coordinator.client.membership().unwrap();
    assert_eq!(log.size(), certified, "no certificate was issued");
    assert_eq!(log.participant_devices(chart).count(), 0);
    assert_eq!(phone.client.enrol_finish().await.unwrap(), EnrolOutcome::Waiting);
    let pending = site.coordinator.client.pending_enrolments().await.unwrap();
    assert_eq!(pending[0].words, words);
    let done = site.coordinator.client.certify(ticket.ticket, Comparison::Same).await.unwrap();
    assert!(matches!(done, Certified::Done(_)));
    phone.finish().await;
}

#[tokio::test]
async fn rt_03_a_stranger_with_a_photograph_of_the_ticket_is_betrayed_by_the_six_words() {
    let (mut site, _nurse, _patient) = site_with_nurse(302).await;
    let (chart, person) = site.open_chart().await;
    let ticket = invite(&mut site, chart, person).await;
    let mut phone = site.device("phone").await;
    let words = phone.begin(&ticket.to_text()).await;
    // The stranger knows the secret, so the request is perfect. Only the keys are others.
    let thief = ghost(&site, person, Role::Patient, 4);
    let mut fields = (*thief.cert.binding).clone();
    fields.ticket = ticket.ticket;
    let binding = DeviceBinding::new(fields).unwrap();
    let counter = binding.counter_sign(&thief.keys.sign, thief.keys.auth_signer().unwrap()).unwrap();
    let request = EnrolRequest {
        v: V1,
        binding,
        counter_sign: counter.sign,
        counter_auth: counter.auth,
        attest_level: AttestLevel::Software,
        id_token: None,
    };
    let issuer = loot(&site.coordinator).await.keys;
    let mut rng = SeededRng::new(4, "in between");
    let blob = seal_enrol_request(&ticket, issuer.enc.public(), &request, &mut rng).unwrap();
    exchange_request(&site.coordinator, ticket.ticket, &blob);
    let pending = site.coordinator.client.pending_enrolments().await.unwrap();
    assert_eq!(pending[0].words, sas_words(&request.binding, site.coordinator.device()));
    assert_ne!(pending[0].words, words);
    let declined = site.coordinator.client.certify(ticket.ticket, Comparison::Different).await.unwrap();
    assert_eq!(declined, Certified::Declined);
    site.coordinator.sync().await;
    let log = site.coordinator.client.membership().unwrap();
    assert!(log.find_device(thief.device).is_none());
    assert_eq!(phone.client.enrol_finish().await.unwrap(), EnrolOutcome::Ended(TicketState::Declined));
}

#[tokio::test]
async fn rt_03_a_new_device_refuses_another_issuer_and_another_root() {
    let (mut site, _nurse, _patient) = site_with_nurse(303).await;
    let (chart, person) = site.open_chart().await;
    let ticket = invite(&mut site, chart, person).await;
    let mut phone = site.device("phone").await;
    let thief = ghost(&site, site.coordinator.person(), Role::Coordinator, 5);
    let mut fields = (*site.root_policy).clone();
    fields.keys = vec![*thief.keys.sign.public()];
    fields.threshold = 1;
    let root = RootPolicy::new(fields).unwrap().to_canonical();
    let issuer = thief.cert.to_canonical();
    for (root, issuer) in [(Some(root), None), (None, Some(issuer))] {
        phone.relay.after(move |request, response| {
            if request.method == HttpMethod::Get && request.path.contains("/enrol/") {
                let mut info = EnrolmentInfo::from_canonical(&response.body).unwrap();
                info.root_policy = root.clone().map_or(info.root_policy.clone(), Into::into);
                info.issuer_cert = issuer.clone().map_or(info.issuer_cert.clone(), Into::into);
                response.body = info.to_canonical();
            }
        });
        assert_eq!(phone.client.enrol_begin(&ticket.to_text()).await.err(), Some(ClientError::WrongSite));
        let sent = phone.relay.record().into_iter().filter(|one| one.request.method == HttpMethod::Post);
        assert_eq!(sent.count(), 0, "no request was made for a wrong key");
        phone.relay.heal();
    }
    let words = phone.begin(&ticket.to_text()).await;
    assert_eq!(site.coordinator.client.pending_enrolments().await.unwrap()[0].words, words);
}

#[tokio::test]
async fn rt_28_no_enrolled_device_makes_a_call_for_an_invitation_of_another_site() {
    let (site, nurse, patient) = site_with_nurse(281).await;
    let (mut other, _, _) = site_with_nurse(282).await;
    let (chart, person) = other.open_chart().await;
    let foreign = invite(&mut other, chart, person).await.to_text();
    let Site { mut admins, coordinator, .. } = site;
    let admin = admins.swap_remove(0);
    for mut device in [patient, nurse, coordinator, admin] {
        let before = device.relay.record().len();
        let refused = device.client.enrol_begin(&foreign).await;
        assert_eq!(refused.err(), Some(ClientError::Ticket(TicketError::OtherSite)));
        assert_eq!(device.relay.record().len(), before, "not one request was made");
        device.sync().await;
        assert!(device.relay.record().len() > before, "the record would have shown it");
    }
    let mut phone = other.device("phone").await;
    phone.begin(&foreign).await;
}
