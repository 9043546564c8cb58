//! Reads one input, whatever its format, into a graph.

use crate::cloudformation::read_cloudformation;
use crate::graph::{Format, Graph};
use crate::input_error::InputError;
use crate::input_text::read_text;
use crate::kubernetes::{ManifestFile, read_kubernetes};
use crate::recognise::recognise;
use crate::terraform_plan::read_terraform;

/// Reads one text of infrastructure code into a graph.
///
/// # Errors
/// [`InputError`] when its format is not known, or it is not what its format says.
pub fn read_input(bytes: &[u8]) -> Result<Graph, InputError> {
    read_named_input("input", bytes)
}

/// Reads one file of infrastructure code into a graph. `file` is what reports call it; it says
/// nothing about the format.
///
/// # Errors
/// As [`read_input`].
pub fn read_named_input(file: &str, bytes: &[u8]) -> Result<Graph, InputError> {
    let text = read_text(bytes)?;
    match recognise(&text)? {
        Format::CloudFormation => read_cloudformation(file, &text),
        Format::Kubernetes => read_kubernetes(&[ManifestFile { file, text: &text }]),
        Format::TerraformPlan | Format::TerraformState => read_terraform(&text),
        Format::TerraformSource => Err(InputError::UnknownFormat {
            what: "sources of Terraform are read as a folder, not as a file".to_owned(),
        }),
        Format::ClusterObject => Err(InputError::UnknownFormat {
            what: "objects of a running cluster are read from its reviews, not from a file".to_owned(),
        }),
    }
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
