//! Who takes back what: declarations that a record is void, amendments in their place, and what nobody
//! may take back.

use crate::support::desk::Desk;
use crate::support::*;
use ward_id::*;
use ward_sync::*;

/// The pen of somebody in the ward.
macro_rules! pen {
    ($desk:expr, $who:ident, $incarnation:expr) => {
        $desk.ward.pen(&$desk.ward.$who, $incarnation)
    };
}

fn done(note: &str) -> QuestionnaireResponse {
    QuestionnaireResponse {
        response: format!(r#"{{"resourceType":"QuestionnaireResponse","x":"{note}"}}"#).into_bytes(),
        ..response("day-1", ResponseStatus::Completed, AnsweredBy::Self_)
    }
}

#[test]
fn what_was_decided_is_not_declared_void() {
    let mut desk = Desk::new(24);
    let (mut phone, mut nurse, mut clinician) =
        (pen!(desk, phone, 1), pen!(desk, coordinator, 2), pen!(desk, clinician, 3));
    let given = nurse.write(&desk.chart, consent(ConsentStatus::Given));
    desk.arrive(&given);
    let no = nurse.amend(&desk.chart, consent(ConsentStatus::Withdrawn), given.id());
    let yes = nurse.amend(
        &desk.chart,
        Consent { consent_version: "3".into(), ..consent(ConsentStatus::Given) },
        given.id(),
    );
    let withdrawal = phone.amend(&desk.chart, consent(ConsentStatus::Withdrawn), given.id());
    [&no, &yes, &withdrawal].into_iter().for_each(|entry| desk.arrive(entry));
    let all = desk.check(|view| view.conflicts()[0].candidates.clone());
    let key = FieldKey::Record(EntryKind::CONSENT);
    let decision = nurse.decide(&desk.chart, Resolve::choosing(key, all, withdrawal.id()));
    desk.arrive(&decision);
    for pen in [&mut clinician, &mut nurse] {
        let void = pen.decide(&desk.chart, Void { target: decision.id() });
        desk.arrive(&void);
        desk.check(|view| {
            assert!(matches!(view.place(void.id()), Some(Place::Invalid(_))));
            assert_eq!(view.consents()[0].single().map(Written::id), Some(decision.id()));
        });
    }
    // Nor does another consent replace it without the participant: it contradicts the decision.
    let over = nurse.amend(&desk.chart, consent(ConsentStatus::Given), decision.id());
    desk.arrive(&over);
    desk.check(|view| {
        let thread = &view.consents()[0];
        assert!(thread.is_conflict() && thread.current_ids().contains(&decision.id()));
    });
}

fn consent(status: ConsentStatus) -> Consent {
    let choice = (status == ConsentStatus::Withdrawn).then_some(DataChoice::Keep);
    Consent { consent_version: "2".into(), status, choice }
}

#[test]
fn an_amendment_takes_nothing_that_a_declaration_could_not() {
    let mut desk = Desk::new(25);
    let (mut phone, mut nurse, mut doctor) =
        (pen!(desk, phone, 1), pen!(desk, coordinator, 2), pen!(desk, clinician, 3));
    let withdrawal = phone.write(&desk.chart, consent(ConsentStatus::Withdrawn));
    let leave = phone.write(&desk.chart, Participation { state: ParticipationState::Withdrawn, from: T0 });
    let note = doctor.write(&desk.chart, Note { text: "no ibuprofen".into(), supersedes: vec![] });
    let answers = phone.write(&desk.chart, done("a"));
    for entry in [&withdrawal, &leave, &note, &answers] {
        desk.arrive(entry);
    }
    let given = nurse.amend(&desk.chart, consent(ConsentStatus::Given), withdrawal.id());
    let active = Participation { state: ParticipationState::Active, from: T0 };
    let active = doctor.amend(&desk.chart, active, leave.id());
    let other = phone.write(&desk.chart, Note { text: "ibuprofen".into(), supersedes: vec![note.id()] });
    for entry in [&given, &active, &other] {
        desk.arrive(entry);
    }
    desk.check(|view| {
        for (theirs, ours) in [(&withdrawal, &given), (&leave, &active), (&note, &other)] {
            assert_eq!(view.place(theirs.id()), Some(Place::InConflict), "it was not replaced");
            assert_eq!(view.place(ours.id()), Some(Place::InConflict), "nor is anything lost");
        }
        assert_eq!((view.consents().len(), view.participation().len(), view.notes().len()), (1, 1, 1));
        assert_eq!(view.conflicts().len(), 3);
    });
    // Their author may, and staff may correct what anybody answered or noted.
    let back = phone.amend(&desk.chart, consent(ConsentStatus::Given), withdrawal.id());
    let fixed = doctor.write(&desk.chart, Note { text: "no NSAID".into(), supersedes: vec![note.id()] });
    let corrected =
        nurse.amend(&desk.chart, response("a", ResponseStatus::Amended, AnsweredBy::Interview), answers.id());
    for entry in [&back, &fixed, &corrected] {
        desk.arrive(entry);
    }
    desk.check(|view| {
        for replaced in [&withdrawal, &note, &answers] {
            assert_eq!(view.place(replaced.id()), Some(Place::Superseded));
        }
    });
}

#[test]
fn nobody_takes_an_access_receipt_off_the_list() {
    let mut desk = Desk::new(26);
    let (mut phone, mut nurse) = (pen!(desk, phone, 1), pen!(desk, coordinator, 2));
    let receipt = |purpose| AccessReceipt { purpose, day: T0.utc_day(), first_at: T0, last_at: T0, count: 1 };
    let glass = nurse.write(&desk.chart, receipt(AccessPurpose::BreakGlass));
    desk.arrive(&glass);
    for pen in [&mut nurse, &mut phone] {
        let over = pen.amend(&desk.chart, receipt(AccessPurpose::Care), glass.id());
        desk.arrive(&over);
    }
    desk.check(|view| {
        let listed: Vec<EntryId> =
            view.access_receipts().iter().flat_map(|thread| &thread.current).map(Written::id).collect();
        assert!(listed.len() == 3 && listed.contains(&glass.id()));
        assert_eq!(view.place(glass.id()), Some(Place::Visible));
    });
}
