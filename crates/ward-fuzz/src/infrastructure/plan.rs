//! Plans and states of Terraform.

use super::judged::holds;
use crate::Target;
use ward_policy::{read_terraform, read_text};

pub(crate) const TARGET: Target = Target {
    name: "plan",
    about: "a plan or a state: judged the same twice, only what is proven passes, every report is inert",
    words: &[
        "{\"format_version\": \"1.2\", ",
        "\"resource_changes\": [",
        "\"resource_drift\": [",
        "\"planned_values\": {",
        "\"prior_state\": {",
        "\"configuration\": {\"root_module\": {",
        "\"address\": \"aws_db_instance.d\", ",
        "\"mode\": \"managed\", ",
        "\"type\": \"aws_db_instance\", ",
        "\"name\": \"d\", ",
        "\"index\": 0, ",
        "\"change\": {\"actions\": [\"create\"], ",
        "\"before\": null, ",
        "\"after\": {",
        "\"after_unknown\": {",
        "\"after_sensitive\": {",
        "\"expressions\": {",
        "\"references\": [\"aws_kms_key.k.arn\", \"aws_kms_key.k\"]",
        "\"module_calls\": {",
        "\"storage_encrypted\": false",
        "\"complete\": false",
        "\"errored\": true",
    ],
    run,
};

fn run(input: &[u8]) {
    let Ok(text) = read_text(input) else { return };
    holds(read_terraform(&text), read_terraform(&text));
}
