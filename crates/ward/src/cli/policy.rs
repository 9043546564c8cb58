//! Words of the commands that check infrastructure code.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use ward_policy::limits::MAX_WAIVER_DAYS;

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
    /// Answer for one finding, for a while: write, approve and check waivers.
    #[command(subcommand)]
    Waiver(PolicyWaiverCommand),
    /// Let pass what was there before checking began; it may only shrink.
    #[command(subcommand)]
    Baseline(PolicyBaselineCommand),
    /// Show how to mend what has a safe textual fix, as a diff. Writes nothing.
    ///
    /// A fix is shown only if the check, done again with it, no longer finds the violation and finds nothing
    /// new. Ends as the check of what is there ends, before anything is mended: with 0, 1, 2 or 3.
    Fix(PolicyFixArgs),
    /// Check a plan of Terraform and apply it, and nothing else than what was checked.
    ///
    /// Ends as the check does if it refuses; otherwise as the program that applies. A signal to stop is passed on to
    /// that program once, and Ward waits for it to end.
    Apply(PolicyApplyArgs),
    /// Answer a cluster of Kubernetes before it admits an object: a validating webhook over TLS.
    Webhook(PolicyWebhookArgs),
}

/// `ward policy webhook`.
#[derive(Debug, Args)]
pub struct PolicyWebhookArgs {
    /// Address to listen on.
    #[arg(long, default_value = "0.0.0.0:8443")]
    pub listen: std::net::SocketAddr,
    /// The certificate chain, as PEM.
    #[arg(long, value_name = "FILE")]
    pub cert: PathBuf,
    /// Its key, as PEM. Only its owner may open it; or root owns it, the group of this process reads it and
    /// nobody else does, as in a pod with `fsGroup`.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// What becomes of an object of which not everything is known.
    #[arg(long, value_enum, default_value_t = OpenFindingsArg::Refuse)]
    pub open: OpenFindingsArg,
    /// What your organisation decided; otherwise `ward-policy.yaml`, if it is there.
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Folder with rules of your own.
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
}

/// What becomes of an object of which not everything is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OpenFindingsArg {
    /// It is refused.
    Refuse,
    /// It is admitted with a warning.
    Warn,
}

/// What a check is of.
#[derive(Debug, Args)]
pub struct PolicyInputs {
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
    /// A file with values of Terraform's variables, as it would be given to `terraform plan`; may be
    /// given more than once. Values in the environment (TF_VAR_…) are not read.
    #[arg(long, value_name = "FILE")]
    pub var_file: Vec<PathBuf>,
    /// The value of one of Terraform's variables; may be given more than once.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub var: Vec<(String, String)>,
}

/// Reads `NAME=VALUE`.
fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("a variable is given as NAME=VALUE".to_owned()),
    }
}

/// `ward policy waiver …`.
#[derive(Debug, Subcommand)]
pub enum PolicyWaiverCommand {
    /// Make a key for signing waivers, and print its public half for the settings.
    Key {
        /// The file to make; only its owner can read it.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Write a waiver of one finding, bound to what is seen now, and sign it as its author.
    Write(Box<PolicyWaiverWriteArgs>),
    /// Sign a waiver that somebody else wrote.
    Approve {
        /// The waiver; the signature is added to it.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Who signs, as the settings name them.
        #[arg(long, value_name = "NAME")]
        name: String,
        /// The key to sign with.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Check signatures, dates, stage and approvals of waivers. What they waive is looked at by `ward policy check`.
    ///
    /// Ends with 0 if all of them count; 1 if one does not; 3 if one was not read.
    Check {
        /// The waivers.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Folder with rules of the organisation.
        #[arg(long, value_name = "DIR")]
        rules: Option<PathBuf>,
        /// Where those who may sign are named; otherwise `ward-policy.yaml`.
        #[arg(long, value_name = "FILE")]
        settings: Option<PathBuf>,
    },
}

/// `ward policy waiver write`.
#[derive(Debug, Args)]
pub struct PolicyWaiverWriteArgs {
    /// What the finding is in.
    #[command(flatten)]
    pub inputs: PolicyInputs,
    /// The rule, such as `W-003`.
    #[arg(long, value_name = "RULE")]
    pub rule: String,
    /// The part of the rule, if it has several.
    #[arg(long, value_name = "PART")]
    pub aspect: Option<String>,
    /// The exact address of the resource.
    #[arg(long, value_name = "ADDRESS")]
    pub resource: String,
    /// Why the finding stays for now.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// What stands in place of the measure; owed where a specification is addressable.
    #[arg(long, value_name = "TEXT")]
    pub alternative: Option<String>,
    /// Where it is followed up.
    #[arg(long, value_name = "TEXT")]
    pub ticket: Option<String>,
    /// Days that it counts, 90 at most.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u8).range(1..=MAX_WAIVER_DAYS))]
    pub days: u8,
    /// Who writes it, as the settings name them.
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// The key to sign with.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The file to write; it must not be there yet.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `ward policy baseline …`.
#[derive(Debug, Subcommand)]
pub enum PolicyBaselineCommand {
    /// Write the baseline, or take out of it what is gone. Nothing is ever added to one that is there.
    ///
    /// Ends with 0; with 1 if there are findings that the baseline does not have.
    Write {
        /// What is checked.
        #[command(flatten)]
        inputs: PolicyInputs,
        /// The baseline.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Compare a baseline with an earlier one: ends with 1 if it grew.
    Compare {
        /// The earlier one.
        #[arg(value_name = "EARLIER")]
        earlier: PathBuf,
        /// The one that is to take its place.
        #[arg(value_name = "LATER")]
        later: PathBuf,
    },
}

/// `ward policy fix`.
#[derive(Debug, Args)]
pub struct PolicyFixArgs {
    /// The folder of Terraform configuration.
    #[command(flatten)]
    pub inputs: PolicyInputs,
    /// Print a unified diff. There is no other way yet.
    #[arg(long, required = true)]
    pub diff: bool,
}

/// `ward policy apply`.
#[derive(Debug, Args)]
pub struct PolicyApplyArgs {
    /// What your organisation decided; otherwise `ward-policy.yaml`, if it is there.
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Folder with rules of your own.
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// Folder with waivers.
    #[arg(long, value_name = "DIR")]
    pub waivers: Option<PathBuf>,
    /// The command: `terraform apply PLAN`, with the plan that `terraform plan -out=PLAN` wrote.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<std::ffi::OsString>,
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
    /// What is checked.
    #[command(flatten)]
    pub inputs: PolicyInputs,
    /// How the report is written.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Folder with waivers, as YAML.
    #[arg(long, value_name = "DIR")]
    pub waivers: Option<PathBuf>,
    /// Findings that were there before checking began. What is gone has to be taken out of it.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
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
