//! The words of the command line. What a command does stands in `commands`.

mod alerts;
mod assure;
mod attachment;
mod devices;
mod instrument;
mod policy;
mod record;
mod schedule;
mod set;
mod text;

pub use alerts::AlertsCommand;
pub use assure::{AuditChartArgs, AuditCommand};
pub use attachment::AttachmentCommand;
pub use devices::{DevicesArgs, DevicesCommand};
pub use instrument::InstrumentCommand;
pub use policy::{
    ListFormat, OpenFindingsArg, PolicyApplyArgs, PolicyBaselineCommand, PolicyCheckArgs, PolicyCommand,
    PolicyExplainArgs, PolicyFixArgs, PolicyInputs, PolicyLawCommand, PolicyRulesArgs, PolicyTestArgs,
    PolicyWaiverCommand, PolicyWaiverWriteArgs, PolicyWebhookArgs, ReportFormat,
};
pub use record::RecordCommand;
pub use schedule::{AssignArgs, DueArgs, ScheduleArgs};
pub use set::SetCommand;
pub use text::TextCommand;

use crate::exit::{Failure, Kind};
use crate::print::Out;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use ward_id::{ChartId, DeviceId, MlogEntryHash, PersonId, TeamId, TicketId};

/// Carries what patients in a trial report, so that only they and their care team can read it.
#[derive(Debug, Parser)]
#[command(name = "ward", version, propagate_version = true)]
pub struct Cli {
    /// Folder of this device: its sealed store and its key.
    #[arg(long, global = true, env = "WARD_HOME", value_name = "DIR", default_value = "ward-home")]
    pub home: PathBuf,
    /// Print JSON instead of text: one document, and before it the six words where there are any.
    /// Errors are JSON too, on standard error.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads the command line.
    ///
    /// # Errors
    /// The exit code, once a page of help or what is wrong has been printed: as JSON if `--json`
    /// stands anywhere on the line.
    pub fn read() -> Result<Self, ExitCode> {
        let matches = with_exit_codes(Self::command()).try_get_matches();
        matches.and_then(|matches| Self::from_arg_matches(&matches)).map_err(|error| {
            let json = std::env::args_os().any(|argument| argument == "--json");
            if json && error.use_stderr() {
                let text = error.render().to_string();
                let mut lines = text.lines().map(|line| line.trim_start_matches("error:").trim());
                let what = lines.next().unwrap_or("the command line is wrong").to_owned();
                let why = lines.take_while(|line| !line.starts_with("Usage:")).collect::<Vec<_>>().join(" ");
                return Failure::new(Kind::Usage, what, why.trim(), "run it with --help")
                    .report(&Out::new(true));
            }
            // Nothing is left to do when even standard error is gone.
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Kind::Usage as u8))
        })
    }
}

/// Every page of help ends with the exit codes.
fn with_exit_codes(command: clap::Command) -> clap::Command {
    command.after_help(EXIT_CODES).mut_subcommands(with_exit_codes)
}

/// Shown under every help page.
pub const EXIT_CODES: &str = "Exit codes: 0 done; 1 the answer is no (a check failed, something was refused); \
2 the command line is wrong; 3 the input cannot be read; 4 the server or the network is not there; \
5 this device may not do that now (locked, revoked, head too old); 70 a fault in Ward.";

/// Every command, grouped by who uses it.
#[derive(Debug, Subcommand)]
pub enum Command {
    // ---- operate ----
    /// Run a whole synthetic trial on this machine and look around in it.
    Demo(DemoArgs),
    /// Make a site: trust root, two admins, three witnesses, a server folder.
    Init(InitArgs),
    /// Run the server of a site.
    Serve(ServeArgs),
    /// Run one witness: it cosigns log heads that only grow.
    Witness(WitnessArgs),
    /// Copy the server's database, consistent and encrypted to an offline key.
    Backup(BackupArgs),
    /// Bring a backup back; refuses to hide lost history.
    Restore(RestoreArgs),
    /// Look for what is wrong with a server folder and say what to do.
    Doctor(ServerFolder),
    /// Explain the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),

    // ---- study ----
    /// Invite a person to enrol a device.
    Invite(InviteArgs),
    /// Look after care teams.
    #[command(subcommand)]
    Team(TeamCommand),
    /// Give a chart a questionnaire and its schedule, or move a date from which others are counted.
    Assign(AssignArgs),
    /// Check questionnaires before anybody is asked.
    #[command(subcommand)]
    Instrument(InstrumentCommand),
    /// Check and publish how the study's data merges.
    #[command(subcommand)]
    Study(StudyCommand),
    /// Alert rules of the study: check, try on past answers, publish; and how alerts are met.
    #[command(subcommand)]
    Alerts(AlertsCommand),
    /// Take a device out of every chart.
    Revoke(RevokeArgs),
    /// Let the operation log go on after a restore that lost entries (an admin's device).
    Reopen(ReopenArgs),
    /// Give a participant who lost their phone a new one (two members of staff).
    Recover(RecoverArgs),

    // ---- patient and clinic ----
    /// Enrol this device with a ticket.
    Enrol(EnrolArgs),
    /// A participant's devices: which there are, and which wait for your signature.
    Devices(DevicesArgs),
    /// What waits for your answers, what is late, and when you are reminded.
    Due(DueArgs),
    /// Answer a questionnaire, one question at a time, with or without a network.
    Answer(AnswerArgs),
    /// Write down a dose, a plan field, a note, consent or participation.
    #[command(subcommand)]
    Record(RecordCommand),
    /// Notes that several people edit: list, show, write, sign.
    #[command(subcommand)]
    Text(TextCommand),
    /// Photographs, letters and scans of a chart: add, list, fetch.
    #[command(subcommand)]
    Attachment(AttachmentCommand),
    /// Lists of a chart, such as allergies: put something in, take it out.
    #[command(subcommand)]
    Set(SetCommand),
    /// Meet the server: send what waits, fetch what is new, check all of it.
    Sync(SyncArgs),
    /// What is saved here, received by the server, opened at the site.
    Status,
    /// Put this device's store in order after a fault of its disk: fetches again what the server has,
    /// and says exactly what is lost.
    Repair,
    /// What stopped this device from sending: look at it, save it, decide.
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// Read a chart.
    Chart(ChartArgs),
    /// Take over what a device could not make count itself: sent after it was revoked, or handed over.
    Adopt(AdoptArgs),
    /// Do not take over such an entry, and say why.
    Decline(DeclineArgs),
    /// Destroy everything that this device holds.
    Wipe(WipeArgs),
    /// Values that contradict each other: list them, and decide.
    Resolve(ResolveArgs),
    /// Declare a record or note void, such as answers of the wrong day. It stays in the trail.
    Void(VoidArgs),
    /// What needs somebody's attention, most urgent first.
    #[command(args_conflicts_with_subcommands = true)]
    Worklist(WorklistArgs),
    /// Write data out: FHIR NDJSON, CSV, or a readable page for the patient.
    Export(ExportArgs),
    /// Take over unsent work that another device wrote into a sealed file.
    Import(ImportArgs),

    // ---- assure ----
    /// Check infrastructure code before it is deployed, and name the law it would break.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Check that the trail is whole.
    #[command(subcommand)]
    Audit(AuditCommand),
}

/// `ward demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// How many synthetic participants.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..=500))]
    pub patients: u32,
    /// How many days of diary.
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(3..=120))]
    pub days: u32,
    /// Seed of everything that is random in the story (not of keys).
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Use this FHIR questionnaire instead of Ward's own symptom diary.
    #[arg(long, value_name = "FILE")]
    pub instrument: Option<PathBuf>,
    /// Folder to make; must not exist yet.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Run without a person, verify everything, print a summary, stop.
    #[arg(long)]
    pub check: bool,
}

/// `ward init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Folder to make.
    pub dir: PathBuf,
    /// Make root, admins and witnesses on this machine. Tickets and security pages will say that
    /// they are not independent.
    #[arg(long)]
    pub one_machine: bool,
    /// Address the server will listen on.
    #[arg(long, default_value = "127.0.0.1:8443")]
    pub listen: std::net::SocketAddr,
    /// Where devices reach the server; part of every ticket.
    #[arg(long, value_name = "URL")]
    pub origin: Option<String>,
    /// Without --one-machine: key line and address of a witness, `name+hash+key@https://host`, as
    /// `ward witness --show-key` prints the key; three times.
    #[arg(long, value_name = "KEY@URL", conflicts_with = "one_machine")]
    pub witness: Vec<String>,
    /// Name of a witness that somebody other than the server's operator runs.
    #[arg(long, value_name = "NAME", requires = "witness")]
    pub outside: Vec<String>,
    /// Certificates of the witnesses that are reached over https (PEM), `name=FILE`.
    #[arg(long, value_name = "NAME=FILE", requires = "witness")]
    pub witness_ca: Vec<String>,
}

/// `ward serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Configuration file; `ward init` writes one.
    #[arg(long, value_name = "FILE", default_value = "ward.toml")]
    pub config: PathBuf,
}

/// `ward witness`.
#[derive(Debug, Args)]
pub struct WitnessArgs {
    /// Folder with the witness's key and state; made when it is new.
    pub dir: PathBuf,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8444")]
    pub listen: std::net::SocketAddr,
    /// Name of the witness, when its folder is new.
    #[arg(long)]
    pub name: Option<String>,
    /// Host name under which servers reach this witness. Makes a TLS key when there is none; the
    /// certificate is then given to servers. Needed where it listens for other machines.
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// A log to follow: its key line `origin+hash+key`; may be given more than once and is kept.
    #[arg(long, value_name = "KEY")]
    pub log: Vec<String>,
    /// Print the public key line and stop.
    #[arg(long)]
    pub show_key: bool,
}

/// A server's configuration.
#[derive(Debug, Args)]
pub struct ServerFolder {
    /// Configuration file of the server.
    #[arg(long, value_name = "FILE", default_value = "ward.toml")]
    pub config: PathBuf,
}

/// `ward backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    #[command(flatten)]
    pub server: ServerFolder,
    /// File to write.
    pub file: PathBuf,
    /// Public key file that the backup is encrypted to (`ward backup --make-key`).
    #[arg(long, value_name = "FILE", required_unless_present = "make_key")]
    pub to: Option<PathBuf>,
    /// Make a key pair instead: FILE (keep offline) and FILE.pub.
    #[arg(long)]
    pub make_key: bool,
}

/// `ward restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    #[command(flatten)]
    pub server: ServerFolder,
    /// The backup.
    pub file: PathBuf,
    /// The offline key.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Put it in place though history is missing: the server then waits until devices have given
    /// the membership log back and an admin has run `ward reopen`.
    #[arg(long)]
    pub reopen: bool,
    /// The key of the logs that the site's newest manifest names, if the backup is older than that
    /// manifest: witnesses that follow the logs under it answer to no other.
    #[arg(long, value_name = "FILE")]
    pub log_key: Option<PathBuf>,
}

/// `ward reopen`.
#[derive(Debug, Args)]
pub struct ReopenArgs {
    /// Why the log ended, for the record.
    #[arg(long)]
    pub reason: String,
    /// Go on though witnesses know more than any device has shown yet.
    #[arg(long)]
    pub accept_gap: bool,
}

/// `ward sync`.
#[derive(Debug, Args)]
pub struct SyncArgs {
    /// Stay and meet the server again and again: on hints, and after a minute in any case.
    #[arg(long)]
    pub watch: bool,
}

/// `ward config …`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Every value, and where it came from; secrets are not shown.
    Explain(ServerFolder),
}

/// Roles that can be invited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InviteRole {
    /// A participant.
    Patient,
    /// A trial coordinator.
    Coordinator,
    /// A nurse or physician.
    Clinician,
    /// The principal investigator.
    Investigator,
}

/// `ward invite`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct InviteArgs {
    #[command(subcommand)]
    pub command: Option<InviteCommand>,
    /// Whom to invite.
    #[arg(long, value_enum, default_value = "patient")]
    pub role: InviteRole,
    /// A person who already has a pseudonym (a second device). Default: a new one.
    #[arg(long)]
    pub person: Option<PersonId>,
    /// The care team of a new participant; their chart is opened with the invitation.
    #[arg(long)]
    pub team: Option<TeamId>,
    /// The participant's name, sealed in the chart.
    #[arg(long)]
    pub name: Option<String>,
    #[command(flatten)]
    pub schedule: ScheduleArgs,
    /// Remote enrolment: the ticket lives 72 hours instead of 15 minutes.
    #[arg(long)]
    pub remote: bool,
    /// Write a page with the QR code, to print or show.
    #[arg(long, value_name = "FILE.html")]
    pub print: Option<PathBuf>,
}

/// `ward invite …`.
#[derive(Debug, Subcommand)]
pub enum InviteCommand {
    /// Tickets of this device and what became of them.
    List,
    /// Make a ticket useless.
    Void {
        /// The ticket.
        ticket: TicketId,
    },
    /// Compare the six words and sign the certificate.
    Approve {
        /// The ticket.
        ticket: TicketId,
        /// The two lists of words were compared and are the same.
        #[arg(long, conflicts_with = "different")]
        same: bool,
        /// They differ: refuse this device.
        #[arg(long)]
        different: bool,
    },
    /// Entries that wait for a second signature.
    Proposals,
    /// Give the second signature.
    Cosign {
        /// The entry.
        entry: MlogEntryHash,
    },
}

/// `ward team …`.
#[derive(Debug, Subcommand)]
pub enum TeamCommand {
    /// Set who is in a team.
    Set {
        /// The team; a new one when left out.
        #[arg(long)]
        team: Option<TeamId>,
        /// Persons.
        #[arg(required = true)]
        persons: Vec<PersonId>,
    },
    /// Teams and their members.
    List,
}

/// What happens to entries that the revoked device has not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RevokePolicy {
    /// Honest entries may still be adopted by staff.
    Salvage,
    /// Nothing of it counts any more.
    Sever,
}

/// `ward revoke`.
#[derive(Debug, Args)]
pub struct RevokeArgs {
    /// The device.
    pub device: DeviceId,
    /// Why, in a sentence; members see it.
    #[arg(long)]
    pub reason: String,
    /// What happens to what it has not sent.
    #[arg(long, value_enum, default_value = "salvage")]
    pub policy: RevokePolicy,
    /// Also order it to destroy what it holds; with salvage it hands over what is unsent first.
    #[arg(long)]
    pub wipe: bool,
}

/// `ward recover`.
#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// The ticket that the participant's new phone was enrolled with.
    pub ticket: TicketId,
    /// The chart.
    #[arg(long)]
    pub chart: ChartId,
    /// Why, in a sentence; the participant sees it.
    #[arg(long)]
    pub reason: String,
    /// A device that is lost; may be given more than once. Needed where several are active.
    #[arg(long, value_name = "DEVICE")]
    pub lost: Vec<DeviceId>,
    /// The lists of six words were compared and are the same.
    #[arg(long)]
    pub same: bool,
}

/// `ward enrol`.
#[derive(Debug, Args)]
pub struct EnrolArgs {
    /// The ticket (`ward:1:…`), or `-` to read it from standard input.
    pub ticket: String,
    /// Wait until the site has signed, for at most this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    pub wait_s: u64,
}

/// Who gives the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AnsweredByArg {
    /// The participant alone.
    Self_,
    /// The participant with help.
    WithHelp,
    /// Somebody asked the questions.
    Interview,
}

/// `ward answer`.
#[derive(Debug, Args)]
pub struct AnswerArgs {
    /// The chart; may be left out on a patient's device.
    #[arg(long)]
    pub chart: Option<ChartId>,
    /// The instrument's url; may be left out if there is one.
    #[arg(long)]
    pub instrument: Option<String>,
    /// Which planned time they are for, as `ward due` names it; else what is due now.
    #[arg(long = "for", value_name = "WHEN", conflicts_with = "amend")]
    pub occurrence: Option<String>,
    /// Take the answers from this file (FHIR QuestionnaireResponse, or `{"linkId": value}`).
    #[arg(long, value_name = "FILE")]
    pub answers: Option<PathBuf>,
    /// Take them also for a time that is answered already.
    #[arg(long, requires = "answers", conflicts_with = "amend")]
    pub again: bool,
    /// The language to ask in, such as `de-CH`, where the questionnaire carries it.
    #[arg(long, value_name = "TAG")]
    pub language: Option<String>,
    /// Who answers.
    #[arg(long, value_enum, default_value = "self")]
    pub by: AnsweredByArg,
    /// Correct the answers of this entry: every question is asked again, with the old answer shown.
    #[arg(long, value_name = "ENTRY", requires = "reason")]
    pub amend: Option<ward_id::EntryId>,
    /// Why they are corrected.
    #[arg(long)]
    pub reason: Option<String>,
    /// List what was begun on this device and not finished.
    #[arg(long, conflicts_with_all = ["answers", "amend", "discard"])]
    pub drafts: bool,
    /// Throw away something that was begun, by its name in `--drafts`.
    #[arg(long, value_name = "DRAFT", conflicts_with_all = ["answers", "amend"])]
    pub discard: Option<String>,
}

/// `ward evidence …`.
#[derive(Debug, Subcommand)]
pub enum EvidenceCommand {
    /// What this device found, and what each of it means.
    List,
    /// Write the signed proofs to a new file, for the security officer.
    Save {
        /// The file.
        file: PathBuf,
    },
    /// You have taken note of what was lost on this device: do not show it any more.
    ForgetLosses,
    /// Let this device send again. The proofs are removed from it: save them first.
    Dismiss {
        /// Why it is safe to go on, in a sentence.
        #[arg(long)]
        reason: String,
    },
}

/// `ward study …`.
#[derive(Debug, Subcommand)]
pub enum StudyCommand {
    /// Say what is wrong with a study schema. Needs no device and no network.
    Check {
        /// The schema (TOML).
        file: PathBuf,
    },
    /// Sign a study schema into the membership log; every device follows it. An admin's device.
    Publish {
        /// The schema (TOML).
        file: PathBuf,
    },
}

/// `ward resolve`.
#[derive(Debug, Args)]
pub struct ResolveArgs {
    /// The chart; may be left out where there is one.
    #[arg(long)]
    pub chart: Option<ChartId>,
    /// This candidate holds.
    #[arg(long, value_name = "ENTRY", requires = "reason", conflicts_with_all = ["among", "value"])]
    pub choose: Option<ward_id::EntryId>,
    /// A candidate of the conflict in which another value holds.
    #[arg(long, value_name = "ENTRY", requires = "value")]
    pub among: Option<ward_id::EntryId>,
    /// The other value.
    #[arg(long, requires = "among", requires = "reason")]
    pub value: Option<String>,
    /// Its unit.
    #[arg(long, requires = "value")]
    pub unit: Option<String>,
    /// Why, in a sentence; everybody who reads the chart sees it.
    #[arg(long)]
    pub reason: Option<String>,
}

/// `ward void`.
#[derive(Debug, Args)]
pub struct VoidArgs {
    /// The version of the record that holds, as `ward chart --json` names it.
    pub entry: ward_id::EntryId,
    /// Why, in a sentence; everybody who reads the chart sees it.
    #[arg(long)]
    pub reason: String,
    /// The chart; may be left out where there is one.
    #[arg(long)]
    pub chart: Option<ChartId>,
}

/// `ward adopt`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["entry", "all", "list"])))]
pub struct AdoptArgs {
    /// The entry, as `--list` names it. Ask its author first whether they wrote it.
    pub entry: Option<ward_id::EntryId>,
    /// Everything of one device that waits, in the order in which it was written.
    #[arg(long, requires = "device")]
    pub all: bool,
    /// The device, for --all.
    #[arg(long, requires = "all")]
    pub device: Option<DeviceId>,
    /// Only show what waits.
    #[arg(long)]
    pub list: bool,
}

/// `ward decline`.
#[derive(Debug, Args)]
pub struct DeclineArgs {
    /// The entry, as `ward adopt --list` names it.
    pub entry: ward_id::EntryId,
    /// Why, in a sentence; members see it.
    #[arg(long)]
    pub reason: String,
}

/// `ward wipe`.
#[derive(Debug, Args)]
pub struct WipeArgs {
    /// How many entries exist on this device only and are lost with it, as `ward wipe` alone says.
    #[arg(long, value_name = "COUNT")]
    pub lose: Option<u64>,
}

/// `ward chart`.
#[derive(Debug, Args)]
pub struct ChartArgs {
    /// The chart; left out: the list of charts.
    pub chart: Option<ChartId>,
}

/// `ward worklist`.
#[derive(Debug, Args)]
pub struct WorklistArgs {
    #[command(subcommand)]
    pub command: Option<WorklistCommand>,
    /// Also show what was acknowledged.
    #[arg(long)]
    pub all: bool,
}

/// `ward worklist …`.
#[derive(Debug, Subcommand)]
pub enum WorklistCommand {
    /// Say what was done about an item.
    Ack {
        /// The item, as the worklist names it.
        item: String,
        /// What was done.
        #[arg(long, required_unless_present = "no_action")]
        action: Option<String>,
        /// Nothing had to be done, and why.
        #[arg(long, value_name = "WHY", conflicts_with = "action")]
        no_action: Option<String>,
    },
}

/// Formats of `ward export`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// FHIR R4 resources, one a line.
    Ndjson,
    /// A table of answers.
    Csv,
}

/// `ward export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The chart; left out: all charts of this device.
    #[arg(long)]
    pub chart: Option<ChartId>,
    /// Format.
    #[arg(long, value_enum, default_value = "ndjson")]
    pub format: ExportFormat,
    /// A readable page for the participant instead.
    #[arg(long)]
    pub for_patient: bool,
    /// File to write; `-` for standard output.
    #[arg(long, short, default_value = "-")]
    pub output: String,
    /// Write what was not sent into this sealed file instead: entries, drafts and attachments, for
    /// the site's staff. For a device that is full or has no network.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["chart", "format", "for_patient", "output"])]
    pub unsent: Option<PathBuf>,
    /// With --unsent: also draw words that open the file, for this person's new device.
    #[arg(long, requires = "unsent")]
    pub words: bool,
}

/// `ward import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The file that `ward export --unsent` wrote.
    pub file: PathBuf,
    /// The words that were shown with it; without them this staff device's own key opens it.
    #[arg(long, value_name = "WORDS")]
    pub words: Option<String>,
    /// Take over every entry whose author's signature holds. For staff; ask the author first.
    #[arg(long)]
    pub adopt: bool,
}
