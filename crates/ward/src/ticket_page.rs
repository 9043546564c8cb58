//! A page with a ticket's QR code, to print or to show on a screen. Nothing in it comes from
//! elsewhere, and it holds a secret until the ticket is used.

use crate::exit::Failure;
use crate::print::instant;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use ward_crypto::Ticket;

/// The page.
///
/// # Errors
/// When the ticket does not fit a QR code.
pub fn ticket_page(ticket: &Ticket) -> Result<String, Failure> {
    let text = ticket.to_text();
    let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M)
        .map_err(|error| Failure::fault("The QR code cannot be made", error))?;
    let picture = code.render::<svg::Color<'_>>().min_dimensions(320, 320).quiet_zone(true).build();
    // The renderer begins with an XML declaration, which has no place inside a page.
    let picture = picture.find("<svg").and_then(|at| picture.get(at..)).unwrap_or_default();
    let note = if ticket.independent {
        ""
    } else {
        "<p><strong>Note:</strong> this site keeps its root, admins and witnesses on one machine. They are not independent.</p>"
    };
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Ward invitation</title>\n\
         <style>body{{font:1.125rem/1.5 system-ui,sans-serif;max-width:38rem;margin:1rem auto;padding:0 1rem;color:#111;background:#fff}}\
         svg{{max-width:100%;height:auto}}code{{overflow-wrap:anywhere;font-size:.8rem}}</style>\n</head>\n<body>\n<main>\n\
         <h1>Your invitation</h1>\n<p>Scan this code in the Ward app, under <em>Enrol</em>. It works once, until {until} (UTC).</p>\n\
         <div role=\"img\" aria-label=\"QR code of the invitation\">{picture}</div>\n\
         <p>Your phone will then show six words. Read them to the person who invited you: both of you must see the same.</p>\n\
         {note}\n<h2>Without a camera</h2>\n<p>Type or paste this text:</p>\n<p><code>{text}</code></p>\n\
         <p>Keep this page to yourself until it is used, then destroy it.</p>\n</main>\n</body>\n</html>\n",
        until = instant(ticket.not_after),
        text = *text,
    ))
}
