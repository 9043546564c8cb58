//! Which format an input has, by what stands in it.

use crate::graph::Graph;
use crate::input_error::InputError;
use crate::input_text::read_text;
use crate::terraform_plan::{is_terraform, read_terraform};

/// Reads one file of infrastructure code into a graph.
///
/// # Errors
/// [`InputError`] when its format is not known, or it is not what its format says.
pub fn read_input(bytes: &[u8]) -> Result<Graph, InputError> {
    let text = read_text(bytes)?;
    let trimmed = text.trim_start();
    if !trimmed.starts_with('{') {
        return Err(unknown(
            "this is neither a plan nor a state of Terraform in JSON (terraform show -json)",
        ));
    }
    if is_terraform(&text) {
        return read_terraform(&text);
    }
    if trimmed.contains("deploymentTemplate.json") {
        return Err(unknown(
            "templates of Azure Resource Manager are recognised and not checked by this Ward",
        ));
    }
    Err(unknown("this JSON is no plan and no state of Terraform (terraform show -json)"))
}

fn unknown(what: &str) -> InputError {
    InputError::UnknownFormat { what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fails_closed_on_what_is_not_a_plan() {
        for bytes in [
            &b""[..],
            b"{}",
            b"[]",
            b"resource {}",
            b"{\"$schema\": \"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#\"}",
            b"{\"format_version\": \"2.0\", \"resource_changes\": []}",
            b"{\"format_version\": \"1.2\", \"resource_changes\": [",
            b"{\"resource_changes\": []}",
        ] {
            assert!(read_input(bytes).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
    }
}
