//! A chart as one page for its participant: what they reported, what was planned, what was said,
//! and who looked.

use super::answers::answer_rows;
use super::page_text::{Cell, Page, said};
use super::place_words::{participation_words, purpose_words};
use crate::views::calendar::{iso_day, plain_minute};
use crate::views::{ChartForms, NamedChart, SharedText, SignedText, role_name, shared_texts};
use std::collections::BTreeMap;
use ward_crypto::Role;
use ward_id::TimestampMs;
use ward_sync::{
    AnsweredBy, AppointmentStatus, Author, ChartView, ConsentStatus, DataChoice, DoseOutcome, EntryKind,
    Response, ResponseStatus, Thread, Value, Written,
};

/// The page, in plain words and without scripts or anything from elsewhere. Corrections stand
/// beside what they corrected, and where values contradict each other all are shown.
pub fn patient_page(chart: &NamedChart<'_>, made_at: TimestampMs) -> String {
    let mut page = Page::new(&format!("Study chart of {}", chart.label));
    page.paragraph_of(
        "aside",
        &format!(
            "Made on {}. Times are in UTC. This page is for you: it shows what your study chart holds, in full, as far \
             as this device had received it. Keep it safe, because anybody who opens it can read it. \
             Your chart’s number is <code>{}</code>.",
            plain_minute(made_at),
            chart.chart
        ),
    );
    let view = chart.view;
    reports(&mut page, view);
    medication(&mut page, view);
    doses(&mut page, view);
    visits(&mut page, view);
    notes(&mut page, view);
    shared_notes(&mut page, view);
    consents(&mut page, view);
    participation(&mut page, view);
    profile(&mut page, view);
    accesses(&mut page, view);
    left_out(&mut page, view);
    page.finish()
}

fn by(author: &Author) -> &'static str {
    if author.role == Role::Patient { "you" } else { role_name(author.role) }
}

/// The current writes of threads, in the order in which they were written.
fn current<'t, 'v: 't, P: Value + 'v>(
    threads: impl IntoIterator<Item = &'t Thread<'v, P>>,
) -> Vec<(Written<'v, P>, bool)> {
    let flat = threads.into_iter().flat_map(|thread| {
        let conflict = thread.is_conflict();
        thread.current.iter().map(move |written| (*written, conflict))
    });
    let mut out: Vec<_> = flat.collect();
    out.sort_by_key(|(written, _)| written.order());
    out
}

fn table_or_nothing(page: &mut Page, caption: &str, heads: &[&str], rows: &[Vec<Cell>]) {
    if rows.is_empty() {
        page.paragraph("Nothing yet.");
    } else {
        page.table(caption, heads, rows);
    }
}

fn reports(page: &mut Page, view: &ChartView<'_>) {
    page.heading(2, "What you reported");
    let forms = ChartForms::of(view);
    let mut by_day: BTreeMap<&str, Vec<(&str, &Thread<'_, Response>)>> = BTreeMap::new();
    for ((url, occurrence), threads) in view.responses() {
        by_day
            .entry(occurrence.as_str())
            .or_default()
            .extend(threads.iter().map(|thread| (url.as_str(), thread)));
    }
    if by_day.is_empty() {
        page.paragraph("Nothing yet.");
    }
    for (day, threads) in by_day {
        page.heading(3, day);
        let sent =
            |url: &str| threads.iter().filter(|(of, thread)| *of == url && !thread.is_voided()).count();
        if threads.iter().any(|(url, _)| sent(url) > 1) {
            page.paragraph_of("aside", "There is more than one set of answers for this day. All are kept.");
        }
        for (url, thread) in threads {
            if thread.is_conflict() {
                page.paragraph_of(
                    "warn",
                    "There are several corrections. Your team has not chosen between them.",
                );
            }
            voids(page, thread);
            for written in thread.versions() {
                let replaced = thread.past.iter().any(|past| past.id() == written.id());
                report(page, &forms, forms.title(url), written, replaced);
            }
        }
    }
}

/// Who says that what follows does not hold.
fn voids(page: &mut Page, thread: &Thread<'_, Response>) {
    for void in &thread.voids {
        let why = void.entry.body().reason.as_deref().unwrap_or_default();
        let text = format!("These answers do not hold, says {}: {}", by(&void.author), said(why));
        page.paragraph_of("aside", &text);
    }
}

fn report(page: &mut Page, forms: &ChartForms, title: &str, written: &Written<'_, Response>, replaced: bool) {
    let value = written.value;
    let how = match value.answered_by() {
        AnsweredBy::Self_ => "answered by you",
        AnsweredBy::WithHelp => "answered by you with help",
        AnsweredBy::Interview => "answered by you in an interview",
    };
    let state = match (replaced, value.status()) {
        _ if written.is_decision() => ", as your team decided",
        (true, _) => ", corrected later",
        (false, ResponseStatus::Draft) => ", not finished",
        (false, ResponseStatus::Amended) => ", a correction",
        (false, ResponseStatus::Completed) => "",
    };
    let caption = format!("{title} ({how} on {}{state})", plain_minute(written.captured_at()));
    match forms.answers_of(value) {
        Ok(response) => {
            let form = forms.form_of(value).ok();
            let rows: Vec<Vec<Cell>> = answer_rows(form, &response)
                .into_iter()
                .map(|row| vec![Cell::said(row.question), Cell::said(row.answer)])
                .collect();
            table_or_nothing(page, &caption, &["Question", "Answer"], &rows);
        }
        Err(_) => {
            page.paragraph(&caption);
            page.paragraph_of("warn", "These answers are kept, but this app cannot read them.");
        }
    }
    if let Some(reason) = &written.entry.body().reason {
        let what = if written.is_decision() { "decision" } else { "correction" };
        page.paragraph_of("aside", &format!("Reason for the {what}: {}", said(reason)));
    }
}

fn medication(page: &mut Page, view: &ChartView<'_>) {
    page.heading(2, "Your medication plan");
    if view.unreadable(EntryKind::MEDICATION_PLAN_FIELD) + view.unreadable(EntryKind::RESOLVE) > 0 {
        page.paragraph_of(
            "warn",
            "The plan has changes that this app is too old to read. Please ask your team before you follow it.",
        );
    }
    let mut rows = Vec::new();
    let mut open = Vec::new();
    for ((medication, field), thread) in view.medication_plan() {
        let mut shown: Vec<String> = Vec::new();
        for written in &thread.current {
            let unit = written.value.unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default();
            let amount = written.value.value.as_ref();
            let amount =
                amount.map_or_else(|| "taken out of the plan".to_owned(), |value| format!("{value}{unit}"));
            let since = format!("{}, by {}", plain_minute(written.captured_at()), by(&written.author));
            rows.push(vec![
                Cell::said(medication.as_str()),
                Cell::said(field.as_str()),
                Cell::said(amount.clone()),
                Cell::own(since),
            ]);
            if !shown.contains(&amount) {
                shown.push(amount);
            }
        }
        if thread.is_conflict() {
            let values: Vec<String> = shown.iter().map(|amount| said(amount)).collect();
            open.push(format!(
                "<strong>{} {}: your team is deciding between {}.</strong> Please ask them before you change anything.",
                said(medication.as_str()),
                said(field),
                values.join(" and ")
            ));
        }
    }
    for text in open {
        page.paragraph_of("warn", &text);
    }
    table_or_nothing(page, "What the plan says now", &["Medicine", "What", "Value", "Since"], &rows);
}

fn doses(page: &mut Page, view: &ChartView<'_>) {
    page.heading(2, "Doses");
    let rows: Vec<Vec<Cell>> = current(view.doses())
        .into_iter()
        .map(|(written, conflict)| {
            let outcome = match written.value.outcome {
                DoseOutcome::Taken => "taken",
                DoseOutcome::Skipped => "not taken",
            };
            let open = if conflict { ", not settled" } else { "" };
            vec![
                Cell::own(plain_minute(written.value.at)),
                Cell::said(written.value.medication.as_str()),
                Cell::own(format!("{outcome}{open} (noted by {})", by(&written.author))),
                Cell::said(written.value.note.clone().unwrap_or_default()),
            ]
        })
        .collect();
    table_or_nothing(page, "Doses taken and not taken", &["When", "Medicine", "What", "Remark"], &rows);
}

fn visits(page: &mut Page, view: &ChartView<'_>) {
    page.heading(2, "Appointments");
    let mut visits = current(view.appointments().values());
    visits.sort_by_key(|(written, _)| (written.value.starts_at, written.order()));
    if visits.iter().any(|(_, conflict)| *conflict) {
        page.paragraph_of(
            "warn",
            "For one appointment there are several entries. Please ask your team which one holds.",
        );
    }
    let rows: Vec<Vec<Cell>> = visits
        .into_iter()
        .map(|(written, conflict)| {
            let value = written.value;
            let status = match (value.status, conflict) {
                (AppointmentStatus::Booked, false) => "booked",
                (AppointmentStatus::Booked, true) => "booked, not settled",
                (AppointmentStatus::Cancelled, false) => "cancelled",
                (AppointmentStatus::Cancelled, true) => "cancelled, not settled",
            };
            vec![
                Cell::own(format!("{}, {} minutes", plain_minute(value.starts_at), value.minutes)),
                Cell::said(value.place.as_str()),
                Cell::said(value.purpose.as_str()),
                Cell::own(status),
            ]
        })
        .collect();
    table_or_nothing(page, "Your appointments", &["When", "Where", "What for", "State"], &rows);
}

fn notes(page: &mut Page, view: &ChartView<'_>) {
    page.heading(2, "Notes");
    let rows: Vec<Vec<Cell>> = current(view.notes())
        .into_iter()
        .map(|(written, conflict)| {
            let conflict = if conflict { ", one of several versions" } else { "" };
            vec![
                Cell::own(format!(
                    "{}, {}{conflict}",
                    plain_minute(written.captured_at()),
                    by(&written.author)
                )),
                Cell::said(written.value.text.as_str()),
            ]
        })
        .collect();
    table_or_nothing(page, "Notes in your chart", &["When and by whom", "Note"], &rows);
}

/// Notes that several people edit: what they say now, who wrote and signed, and what is not settled.
fn shared_notes(page: &mut Page, view: &ChartView<'_>) {
    let texts = shared_texts(view);
    if texts.is_empty() {
        return;
    }
    page.heading(2, "Notes that several people write");
    for text in &texts {
        shared_note(page, text);
    }
}

fn shared_note(page: &mut Page, text: &SharedText) {
    page.heading(3, &format!("Begun on {}", plain_minute(text.begun_at)));
    let mut writers: Vec<&str> = text.contributors.iter().map(by).collect();
    writers.dedup();
    page.paragraph_of(
        "aside",
        &format!("Written by {}, last on {}.", writers.join(", "), plain_minute(text.written_at)),
    );
    page.paragraph_of("text", &said(&text.text));
    for passage in &text.to_review {
        page.paragraph_of(
            "warn",
            &format!(
                "Two people wrote here without seeing each other’s words. Your team has not looked at it yet: {}",
                said(&passage.text)
            ),
        );
    }
    let signed: Vec<String> = text.signatures.iter().map(signature).collect();
    if !signed.is_empty() {
        page.list("ul", &signed);
    }
}

fn signature(signed: &SignedText) -> String {
    let since = if signed.changed_since { " The note was changed since this signature." } else { "" };
    format!("Signed by {} on {}: {}.{since}", by(&signed.by), plain_minute(signed.at), said(&signed.meaning))
}

fn consents(page: &mut Page, view: &ChartView<'_>) {
    page.heading(2, "Your consent");
    let rows: Vec<Vec<Cell>> = current(view.consents())
        .into_iter()
        .map(|(written, _)| {
            let status = match (written.value.status, written.value.choice) {
                (ConsentStatus::Given, _) => "given",
                (ConsentStatus::Withdrawn, Some(DataChoice::Erase)) => {
                    "withdrawn; you asked for your data to be erased"
                }
                (ConsentStatus::Withdrawn, _) => {
                    "withdrawn; the data collected until then stays in the study"
                }
            };
            vec![
                Cell::own(format!(
                    "{}, noted by {}",
                    plain_minute(written.captured_at()),
                    by(&written.author)
                )),
                Cell::said(written.value.consent_version.as_str()),
                Cell::own(status),
            ]
        })
        .collect();
    table_or_nothing(page, "Consent given and withdrawn", &["When", "Consent form", "What"], &rows);
}

fn participation(page: &mut Page, view: &ChartView<'_>) {
    page.heading(2, "Your part in the study");
    let rows: Vec<Vec<Cell>> = current(view.participation())
        .into_iter()
        .map(|(written, _)| {
            vec![
                Cell::own(plain_minute(written.value.from)),
                Cell::own(participation_words(written.value.state)),
                Cell::own(format!("{}, {}", plain_minute(written.captured_at()), by(&written.author))),
            ]
        })
        .collect();
    table_or_nothing(page, "How you took part", &["From", "State", "Noted"], &rows);
}

fn profile(page: &mut Page, view: &ChartView<'_>) {
    page.heading(2, "About you");
    let rows: Vec<Vec<Cell>> = view
        .profile()
        .iter()
        .flat_map(|(field, thread)| thread.current.iter().map(move |written| (field, written)))
        .map(|(field, written)| {
            vec![
                Cell::said(field.as_str()),
                Cell::said(written.value.value.as_str()),
                Cell::own(format!("{}, {}", plain_minute(written.captured_at()), by(&written.author))),
            ]
        })
        .collect();
    table_or_nothing(page, "What is noted about you", &["What", "Value", "Noted"], &rows);
}

fn accesses(page: &mut Page, view: &ChartView<'_>) {
    page.heading(2, "Who looked");
    page.paragraph("Each device that opens your chart leaves a note of it, one for each day and reason.");
    let rows: Vec<Vec<Cell>> = current(view.access_receipts())
        .into_iter()
        .map(|(written, _)| {
            let value = written.value;
            let times = if value.count == 1 { "once".to_owned() } else { format!("{} times", value.count) };
            vec![
                Cell::own(iso_day(value.day)),
                Cell::own(by(&written.author)),
                Cell::own(purpose_words(value.purpose)),
                Cell::own(times),
            ]
        })
        .collect();
    table_or_nothing(page, "Who opened your chart", &["Day", "Who", "Why", "How often"], &rows);
}

/// What stands in the chart and not on this page.
fn left_out(page: &mut Page, view: &ChartView<'_>) {
    let counts = view.accounting();
    let aside = [
        (counts.parked, "wait for other entries that have not arrived"),
        (counts.quarantined, "are kept aside, because their device was lost or is not known"),
        (counts.unknown_kind, "need a newer app to be read"),
        (counts.invalid, "cannot be read"),
        (counts.not_permitted, "were written by somebody who may not write them"),
    ];
    let items: Vec<String> =
        aside.iter().filter(|(count, _)| *count > 0).map(|(count, why)| format!("{count} {why}.")).collect();
    if !items.is_empty() {
        page.heading(2, "Entries that are not shown");
        page.paragraph("Your chart also holds entries that take no part in what stands above:");
        page.list("ul", &items);
    }
}
