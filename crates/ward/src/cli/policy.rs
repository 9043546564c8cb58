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
    /// Say what a rule asks for, why, by which law, and how to meet it.
    Explain(PolicyExplainArgs),
    /// List the rules, and where they judge nothing.
    Rules(PolicyRulesArgs),
    /// The law that rules cite.
    #[command(subcommand)]
    Law(PolicyLawCommand),
    /// Run the fixtures of rules of your own, and say what no fixture tries.
    ///
    /// Ends with 0 if every fixture gets its verdict and every cell is tried; 1 if not; 2 if there is
    /// nothing to run; 3 if a file has a fault.
    Test(PolicyTestArgs),
}

/// `ward policy test`.
#[derive(Debug, Args)]
pub struct PolicyTestArgs {
    /// Folder with the rules (`rules:`) and their fixtures (`fixtures:`), as YAML.
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// How the report is written.
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub format: ListFormat,
}

/// `ward policy explain`.
#[derive(Debug, Args)]
pub struct PolicyExplainArgs {
    /// The rule, such as `W-001`.
    #[arg(value_name = "RULE")]
    pub rule: String,
    /// Folder with an official edition of the law, as JSON: its words are shown then.
    #[arg(long, value_name = "DIR", env = "WARD_LAW")]
    pub law: Option<PathBuf>,
    /// Folder with rules of your own.
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
}

/// `ward policy rules`.
#[derive(Debug, Args)]
pub struct PolicyRulesArgs {
    /// How the list is written.
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub format: ListFormat,
    /// Folder with rules of your own.
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
}

/// `ward policy law …`.
#[derive(Debug, Subcommand)]
pub enum PolicyLawCommand {
    /// Compare what Ward cites with an official edition: what changed, what nobody verified.
    ///
    /// Ends with 0 if the words are those that were summarised; 1 if some changed, or a review is due; 2
    /// if the edition lacks some of them; 3 if it was not read.
    Verify {
        /// Folder with the edition, as JSON: lists of paragraphs with `cite` and `text`.
        #[arg(long, value_name = "DIR", env = "WARD_LAW")]
        law: PathBuf,
        /// How the list is written.
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
    },
}

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
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
    /// Folder with rules of your own, as YAML; they judge beside those of Ward.
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// How the report is written.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Pass although no rule knows any of the resources.
    #[arg(long)]
    pub allow_empty: bool,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For tools that show findings beside the code: SARIF 2.1.0.
    Sarif,
    /// For a browser: one page that needs nothing else.
    Html,
}
