//! `ward demo`: a whole synthetic trial on this machine, over real TLS, with every device in a
//! folder of its own; then a look around, and a check of everything that Ward promises.

mod answers;
mod cast;
mod checks;
mod clock;
mod days;
mod note_of_two;
mod show;
mod story;

use crate::cli::DemoArgs;
use crate::commands::assign::read_instrument;
use crate::exit::{Done, Failure, Kind};
use crate::print::Out;
use cast::{Patient, Site};
use checks::Check;
use clock::DemoClock;
use days::{Story, Written};
use std::path::{Path, PathBuf};
use std::time::Instant;
use story::PatientPlan;
use ward_crypto::random_id;
use ward_forms::Questionnaire;
use ward_id::{StudyId, TimestampMs};
use ward_server::Clock as _;

/// Ward's own diary, in the program itself so that the demo needs no file.
const DIARY: &[u8] = include_bytes!("../../../../testdata/instruments/ward-symptom-diary.json");
const DAY_MS: i64 = 86_400_000;
const SITES: usize = 2;

/// The demo when its story is over.
struct Told {
    dir: PathBuf,
    sites: Vec<Site>,
    patients: Vec<Patient>,
    plans: Vec<PatientPlan>,
    written: Written,
    clock: DemoClock,
}

/// Runs the demo.
///
/// # Errors
/// What went wrong; with `--check`, also a promise that did not hold.
pub async fn run(args: DemoArgs, out: &Out) -> Done {
    let began = Instant::now();
    let (form, questionnaire) = match &args.instrument {
        Some(file) => read_instrument(file)?,
        None => {
            let form = Questionnaire::parse(DIARY)
                .map_err(|error| Failure::fault("Ward's own diary cannot be read", error))?;
            (form, DIARY.to_vec())
        }
    };
    let dir = fresh_folder(args.dir.as_deref())?;
    write_logs_to(&dir.join("server.log"))?;
    out.line(format!(
        "A trial with {} participants over {} days, in {}",
        args.patients,
        args.days,
        dir.display()
    ));
    let mut told = tell(&args, &form, &questionnaire, dir, out).await?;
    let checks = check(&mut told).await?;
    let seconds = began.elapsed().as_secs_f64();
    show::summary(&mut told, &checks, seconds, out)?;
    let failed: Vec<&Check> = checks.iter().filter(|check| !check.holds).collect();
    if let Some(first) = failed.first() {
        stop(&mut told).await;
        return Err(Failure::new(
            Kind::No,
            format!("{} of {} promises did not hold", failed.len(), checks.len()),
            format!("{}: {}", first.what, first.found),
            "please report it with the folder's server.log; all data in it is made up",
        ));
    }
    if args.check {
        stop(&mut told).await;
        if args.dir.is_none() {
            // The folder was only for this run; what cannot be removed is in the system's own temporary place.
            let _ = std::fs::remove_dir_all(&told.dir);
        }
        return Ok(());
    }
    show::look_around(&mut told, out).await?;
    // From here on the devices belong to whoever tries the commands.
    let mut servers: Vec<_> = told.sites.into_iter().map(Site::into_server).collect();
    drop(told.patients);
    crate::commands::stop_signal()?.await;
    for server in &mut servers {
        server.stop().await;
    }
    Ok(())
}

fn fresh_folder(named: Option<&Path>) -> Result<PathBuf, Failure> {
    let dir = match named {
        Some(dir) if dir.exists() => {
            return Err(Failure::new(
                Kind::Usage,
                format!("{} exists already", dir.display()),
                "the demo makes a folder of its own, so that nothing is overwritten",
                "name another one, or leave --dir out",
            ));
        }
        Some(dir) => dir.to_owned(),
        None => {
            let id: StudyId = random_id(&mut crate::server_folder::system_rng());
            let name: String = id.to_string().chars().take(8).collect();
            std::env::temp_dir().join(format!("ward-demo-{name}"))
        }
    };
    std::fs::create_dir_all(&dir).map_err(|error| {
        Failure::input(format!("{} cannot be made", dir.display()), error, "choose another folder")
    })?;
    Ok(std::path::absolute(&dir).unwrap_or(dir))
}

fn write_logs_to(file: &Path) -> Result<(), Failure> {
    let log =
        std::fs::File::create(file).map_err(|error| Failure::fault("The log cannot be written", error))?;
    let subscriber = ward_server::log_subscriber("info", std::sync::Mutex::new(log))
        .map_err(|error| Failure::fault("The log cannot be written", error))?;
    // A second demo in one process keeps the first one's log.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}

async fn tell(
    args: &DemoArgs,
    form: &Questionnaire,
    questionnaire: &[u8],
    dir: PathBuf,
    out: &Out,
) -> Result<Told, Failure> {
    let plans = story::tell(args.seed, args.patients, args.days);
    let today = crate::server_folder::system_clock::SystemClock::new().now().utc_day();
    // The last day of the story is yesterday.
    let first_midnight = TimestampMs((today - i64::from(args.days)) * DAY_MS);
    let clock = DemoClock::starting_at(first_midnight.plus_ms(60_000));
    let mark: String =
        random_id::<StudyId>(&mut crate::server_folder::system_rng()).to_string().chars().take(10).collect();
    let study: StudyId = random_id(&mut crate::server_folder::system_rng());

    let progress = out.progress("sites and staff", SITES as u64);
    let mut sites = Vec::new();
    for number in 1..=SITES {
        sites.push(Site::build(&dir.join(format!("site-{number}")), study, &clock).await?);
        progress.step();
    }
    progress.done();
    let progress = out.progress("participants", u64::from(args.patients));
    let patient_dir = dir.join("participants");
    let mut patients = cast::enrol_patients(
        &mut sites,
        &plans,
        questionnaire,
        args.days,
        &patient_dir,
        &mark,
        &clock,
        &progress,
    )
    .await?;
    progress.done();
    let progress = out.progress("days", u64::from(args.patients) * u64::from(args.days));
    let mut story = Story {
        sites: &mut sites,
        patients: &mut patients,
        plans: &plans,
        form,
        clock: &clock,
        first_midnight,
        seed: args.seed,
        mark: &mark,
    };
    let mut written = story.live(&progress).await?;
    progress.done();
    written.canaries.extend(patients.iter().map(|patient| patient.name.clone()));
    clock.catch_up();
    checks::meet_again(&mut sites, &mut patients).await?;
    Ok(Told { dir, sites, patients, plans, written, clock })
}

async fn check(told: &mut Told) -> Result<Vec<Check>, Failure> {
    let Told { dir, sites, patients, plans, written, .. } = told;
    let lost = checks::lost_phone_is_blind(patients, written).await?;
    let metrics: Vec<(String, Vec<u8>)> =
        sites.iter().map(|site| ("metrics".to_owned(), (site.metrics)().into_bytes())).collect();
    let mut checks = vec![
        checks::answers_arrived(sites, patients, plans, written),
        checks::accounts_balance(sites, patients, plans),
        checks::logs_verify(sites),
        checks::conflict_is_kept(sites, patients, plans, written),
        checks::conflict_is_decided(sites, patients, plans, written),
        checks::note_is_merged(sites, patients, plans, written),
        lost,
        checks::no_plaintext(dir, &written.canaries, &metrics)?,
    ];
    for site in sites.iter() {
        checks.push(checks::server_verifies(&site.made.config_file).await);
    }
    Ok(checks)
}

async fn stop(told: &mut Told) {
    for site in &mut told.sites {
        site.server.stop().await;
    }
}
