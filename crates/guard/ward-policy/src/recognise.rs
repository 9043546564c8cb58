//! Which format a text is, by what it holds. Names of files say nothing.

use crate::graph::Format;
use crate::input_error::InputError;
use crate::json::{Kind, Scanner};
use crate::source_documents::read_documents;
use crate::yaml::YamlNode;

/// Tells the format of a text in JSON or YAML.
///
/// # Errors
/// [`InputError::UnknownFormat`] when it is infrastructure code that Ward doesn't read, with a sentence
/// about what it is; [`InputError::NotInfrastructure`] when it is something else; another
/// [`InputError`] when it is neither JSON nor YAML.
pub fn recognise(text: &str) -> Result<Format, InputError> {
    if text.trim_start().starts_with('{')
        && let Some(known) = by_first_names(text)
    {
        return known;
    }
    let documents = match read_documents(text) {
        Err(InputError::NotYaml { .. } | InputError::NotJson { .. }) if text.contains("{{") => {
            // Charts are not YAML before they are rendered: the reader of manifests says what to do.
            return Ok(Format::Kubernetes);
        }
        other => other?,
    };
    let marks: Vec<Mark> = documents.iter().filter_map(mark).collect();
    for kind in [Mark::Template, Mark::Object] {
        if marks.contains(&kind) {
            return Ok(if kind == Mark::Template { Format::CloudFormation } else { Format::Kubernetes });
        }
    }
    Err(InputError::NotInfrastructure)
}

fn not_known(what: &str) -> InputError {
    InputError::UnknownFormat { what: what.to_owned() }
}

/// What JSON is by its outermost names; `None` if they don't tell. Most plans tell within a line.
fn by_first_names(text: &str) -> Option<Result<Format, InputError>> {
    let mut scanner = Scanner::new(text);
    let mut names = Names::default();
    let mut told = None;
    // What ends the walk early is no fault of the text: whoever reads it in earnest finds those.
    let _ = scanner.object(|name, scanner| {
        names.take(&name, scanner)?;
        told = names.tell();
        if told.is_some() { Err(not_known("")) } else { Ok(()) }
    });
    told.or_else(|| names.tell_at_end())
}

/// The outermost names that were met.
#[derive(Debug, Default)]
struct Names {
    has_format_version: bool,
    has_changes: bool,
    has_values: bool,
    has_state_serial: bool,
    has_lineage: bool,
    has_arm_schema: bool,
    has_content_version: bool,
    has_arm_resources: bool,
}

impl Names {
    fn take(&mut self, name: &str, scanner: &mut Scanner<'_>) -> Result<(), InputError> {
        let kind = scanner.peek()?;
        match (name, kind) {
            ("format_version", _) => self.has_format_version = true,
            ("resource_changes" | "planned_values" | "configuration", _) => self.has_changes = true,
            ("values", Kind::Object) => self.has_values = true,
            ("serial", Kind::Number) => self.has_state_serial = true,
            ("lineage", Kind::Text) => self.has_lineage = true,
            ("contentVersion", Kind::Text) => self.has_content_version = true,
            ("resources", Kind::Array | Kind::Object) => self.has_arm_resources = true,
            ("$schema", Kind::Text) => {
                let schema = scanner.text()?.to_ascii_lowercase();
                self.has_arm_schema = schema.contains("schema.management.azure.com");
                return Ok(());
            }
            _ => {}
        }
        // A plan is large: what follows the name that tells is not passed over.
        if self.tell().is_some() { Ok(()) } else { scanner.skip().map(drop) }
    }

    fn tell(&self) -> Option<Result<Format, InputError>> {
        if self.has_format_version && self.has_changes {
            return Some(Ok(Format::TerraformPlan));
        }
        if self.has_format_version && self.has_values {
            return Some(Ok(Format::TerraformState));
        }
        if self.has_arm_schema || (self.has_content_version && self.has_arm_resources) {
            return Some(Err(not_known(
                "this is a template of Azure Resource Manager, which Ward doesn't read: nothing was checked",
            )));
        }
        if self.has_state_serial && self.has_lineage {
            return Some(Err(not_known(
                "this is a state as Terraform keeps it: give what `terraform show -json` writes",
            )));
        }
        None
    }

    fn tell_at_end(&self) -> Option<Result<Format, InputError>> {
        // A plan without changes, or one of a version that says it otherwise: its reader decides.
        self.has_format_version.then_some(Ok(Format::TerraformPlan))
    }
}

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Template,
    Object,
}

fn mark(document: &YamlNode) -> Option<Mark> {
    let has_text = |node: &YamlNode, name: &str| node.get(name).and_then(YamlNode::as_text).is_some();
    let is_object = |node: &YamlNode| has_text(node, "apiVersion") && has_text(node, "kind");
    if is_object(document) || document.as_items().is_some_and(|items| items.iter().any(is_object)) {
        return Some(Mark::Object);
    }
    let resources = document.get("Resources").and_then(YamlNode::as_entries)?;
    let has_type = resources.iter().any(|(_, resource)| resource.get("Type").is_some());
    // A loop or a macro may stand where resources do.
    let has_function =
        resources.iter().any(|(key, _)| key.as_text().is_some_and(|key| key.starts_with("Fn::")));
    let is_template = has_type || has_function || document.get("AWSTemplateFormatVersion").is_some();
    is_template.then_some(Mark::Template)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_what_they_hold() {
        for (text, format) in [
            (r#"{"format_version": "1.2", "planned_values": {}}"#, Format::TerraformPlan),
            (r#"{"planned_values": {}, "format_version": "0.1"}"#, Format::TerraformPlan),
            (r#"{"format_version": "1.2", "terraform_version": "1.9.0"}"#, Format::TerraformPlan),
            (r#"{"format_version": "1.0", "values": {"root_module": {}}}"#, Format::TerraformState),
            (r#"{"Resources": {"B": {"Type": "AWS::S3::Bucket"}}}"#, Format::CloudFormation),
            ("Resources:\n  B: {Type: AWS::S3::Bucket}\n", Format::CloudFormation),
            ("AWSTemplateFormatVersion: '2010-09-09'\nResources: {}\n", Format::CloudFormation),
            ("Resources:\n  Fn::ForEach::B: [X, [a], {}]\n", Format::CloudFormation),
            ("# first\n---\n---\napiVersion: v1\nkind: Pod\n", Format::Kubernetes),
            (r#"{"apiVersion": "v1", "kind": "List", "items": []}"#, Format::Kubernetes),
            (r#"[{"apiVersion": "v1", "kind": "Pod"}]"#, Format::Kubernetes),
            ("apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ include \"x\" . }}\n", Format::Kubernetes),
        ] {
            assert_eq!(recognise(text), Ok(format), "{text}");
        }
    }

    #[test]
    fn fails_closed_templates_of_azure_and_raw_states_are_refused() {
        for (text, word) in [
            (
                r#"{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"}"#,
                "Azure Resource Manager",
            ),
            (r#"{"contentVersion": "1.0.0.0", "resources": []}"#, "Azure Resource Manager"),
            (r#"{"version": 4, "serial": 1, "lineage": "x", "resources": []}"#, "terraform show"),
        ] {
            match recognise(text) {
                Err(InputError::UnknownFormat { what }) => assert!(what.contains(word), "{text}: {what}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        for text in ["{\"a\": 1}", "just: text\n", ""] {
            assert_eq!(recognise(text), Err(InputError::NotInfrastructure), "{text}");
        }
        assert!(matches!(recognise("{\"a\": "), Err(InputError::NotJson { .. })));
    }
}
