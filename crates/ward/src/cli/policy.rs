//! Words of the commands that check infrastructure code.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// `ward policy …`.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Refuse what would break the law if it were deployed. Needs no device and no network.
    ///
    /// Ends with 0 if everything is proven; 1 if a rule is not met; 2 if something could not be known
    /// or evaluated before the deployment, or no rule knows any of the resources; 3 if a file was not
    /// read. Everything but 0 means: do not deploy.
    Check(PolicyCheckArgs),
}

/// `ward policy check`.
#[derive(Debug, Args)]
pub struct PolicyCheckArgs {
    /// Folders with any of these, or single files: plans or states of Terraform as JSON (terraform show
    /// -json), Terraform configuration, templates of CloudFormation, manifests of Kubernetes; `-` for
    /// standard input. A file of Terraform stands for the folder it lies in.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// What your organisation decided: regions, services under contract, tags, classes of data.
    /// Otherwise `ward-policy.yaml` in the current folder, if it is there.
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// A file with values of Terraform's variables, as it would be given to `terraform plan`; may be
    /// given more than once. Values in the environment (TF_VAR_…) are not read.
    #[arg(long, value_name = "FILE")]
    pub var_file: Vec<PathBuf>,
    /// The value of one of Terraform's variables; may be given more than once.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub var: Vec<(String, String)>,
    /// How the report is written.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Pass although no rule knows any of the resources.
    #[arg(long)]
    pub allow_empty: bool,
}

/// Reads `NAME=VALUE`.
fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("a variable is given as NAME=VALUE".to_owned()),
    }
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}
