//! The configuration of a server: defaults, under the file, under the environment. Unknown names
//! are errors in both.

use crate::exit::Failure;
use crate::limits::INPUT_FILE_MAX_BYTES;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use toml::Table;
use ward_server::ServerConfig;

/// Variables that begin so and hold a double underscore are configuration:
/// `WARD_SERVER__RATES__DEVICE_PER_MIN` is `server.rates.device_per_min`.
pub const ENVIRONMENT_PREFIX: &str = "WARD_";

/// Where the server's own files lie. Relative paths count from the configuration file's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilesConfig {
    /// The database.
    pub database: PathBuf,
    /// Bytes that the database may take; left out, as many as the disk has. A store at its limit
    /// refuses what is new and goes on reading.
    pub database_max_bytes: Option<u64>,
    /// The key of both logs; it stands in the site manifest.
    pub log_key: PathBuf,
    /// The server's own secret, from which tokens follow.
    pub server_key: PathBuf,
    /// Folders of witnesses that run inside the server.
    pub witnesses: Vec<PathBuf>,
    /// SHA-256 of the TLS keys that devices were told to accept. The server does not start with
    /// another one: every enrolled device would refuse it.
    pub tls_pins: Vec<String>,
}

impl Default for FilesConfig {
    fn default() -> Self {
        Self {
            database: PathBuf::from("ward.db"),
            database_max_bytes: None,
            log_key: PathBuf::from("log.key"),
            server_key: PathBuf::from("server.key"),
            witnesses: Vec::new(),
            tls_pins: Vec::new(),
        }
    }
}

/// Everything that may stand in `ward.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where the server's own files lie.
    pub files: FilesConfig,
    /// What the server does.
    pub server: ServerConfig,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Built in.
    Default,
    /// The configuration file.
    File,
    /// The environment.
    Environment,
}

impl Source {
    /// The word for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Environment => "environment",
        }
    }
}

/// One value of the configuration in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedValue {
    /// Its name, such as `server.listen`.
    pub key: String,
    /// The value, secrets taken out.
    pub value: serde_json::Value,
    /// Where it came from.
    pub source: Source,
}

/// A configuration that was read.
#[derive(Debug)]
pub struct Loaded {
    /// The values in force, paths resolved.
    pub settings: Settings,
    /// Each value with its source.
    pub values: Vec<ExplainedValue>,
    /// The folder of the configuration file.
    pub dir: PathBuf,
}

/// Reads the file and lays the environment over it.
///
/// # Errors
/// A file that cannot be read, and names or values that the configuration does not know.
pub fn load(file: &Path, environment: impl Iterator<Item = (String, String)>) -> Result<Loaded, Failure> {
    let text = read_text(file)?;
    let wrong = |why: String| {
        let next =
            format!("correct {}; `ward config explain` on a working file shows every name", file.display());
        Failure::input("The configuration is not usable", why, next)
    };
    // From the text, so that an error names its line.
    toml::from_str::<Settings>(&text).map_err(|error| wrong(error.to_string()))?;
    let from_file: Table = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let (merged, from_environment) = with_environment(from_file.clone(), environment)?;
    let mut settings: Settings = merged.try_into().map_err(|error: toml::de::Error| {
        Failure::input(
            "The configuration in the environment is not usable",
            error.message(),
            format!("correct or unset the variables {}", variables(&from_environment)),
        )
    })?;
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    settings.resolve(&dir);
    let values = explain(&settings, &from_file, &from_environment);
    Ok(Loaded { settings, values, dir })
}

impl Settings {
    /// Makes every path count from `dir`.
    fn resolve(&mut self, dir: &Path) {
        let files = &mut self.files;
        let mut paths = vec![&mut files.database, &mut files.log_key, &mut files.server_key];
        paths.extend(&mut files.witnesses);
        if let Some(tls) = &mut self.server.tls {
            paths.extend([&mut tls.cert_file, &mut tls.key_file]);
        }
        paths.extend(self.server.witnesses.iter_mut().filter_map(|witness| witness.ca_file.as_mut()));
        for path in paths {
            *path = dir.join(&*path);
        }
    }
}

fn read_text(file: &Path) -> Result<String, Failure> {
    let unreadable = |why: &dyn std::fmt::Display| {
        let next = "name the file with --config; `ward init` writes one as server/ward.toml";
        Failure::input(format!("The configuration {} cannot be read", file.display()), why, next)
    };
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(|error| unreadable(&error))?;
    let bytes = opened
        .take(INPUT_FILE_MAX_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|error| unreadable(&error))?;
    if bytes as u64 > INPUT_FILE_MAX_BYTES {
        return Err(unreadable(&format!("it is larger than {INPUT_FILE_MAX_BYTES} bytes")));
    }
    Ok(text)
}

/// Lays the variables over the table and says which names they set.
fn with_environment(
    mut table: Table,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<(Table, BTreeSet<String>), Failure> {
    let mut set = BTreeSet::new();
    for (name, text) in environment {
        let Some(rest) = name.strip_prefix(ENVIRONMENT_PREFIX).filter(|rest| rest.contains("__")) else {
            continue;
        };
        let path: Vec<String> = rest.split("__").map(str::to_ascii_lowercase).collect();
        put(&mut table, &path, value_of(&text)).ok_or_else(|| {
            let why = format!("{name} names a part of something that is not a table");
            Failure::input("The configuration in the environment is not usable", why, format!("unset {name}"))
        })?;
        set.insert(path.join("."));
    }
    Ok((table, set))
}

/// A TOML value if the text is one, else the text itself.
fn value_of(text: &str) -> toml::Value {
    let parsed = toml::from_str::<Table>(&format!("value = {text}")).ok();
    let single = parsed.filter(|table| table.len() == 1).and_then(|mut table| table.remove("value"));
    single.unwrap_or_else(|| toml::Value::String(text.to_owned()))
}

fn put(table: &mut Table, path: &[String], value: toml::Value) -> Option<()> {
    let (first, rest) = path.split_first()?;
    if rest.is_empty() {
        table.insert(first.clone(), value);
        return Some(());
    }
    let below = table.entry(first.clone()).or_insert_with(|| toml::Value::Table(Table::new()));
    put(below.as_table_mut()?, rest, value)
}

fn variables(keys: &BTreeSet<String>) -> String {
    let name = |key: &String| format!("{ENVIRONMENT_PREFIX}{}", key.replace('.', "__").to_ascii_uppercase());
    keys.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn explain(settings: &Settings, file: &Table, environment: &BTreeSet<String>) -> Vec<ExplainedValue> {
    let mut values = Vec::new();
    // Settings hold no map with other than text keys: this cannot fail.
    let whole = serde_json::to_value(settings).unwrap_or_default();
    flatten("", whole, &mut values);
    let source = |key: &str| {
        let by_environment = |set: &String| {
            key == set || key.strip_prefix(set.as_str()).is_some_and(|rest| rest.starts_with('.'))
        };
        let path: Vec<&str> = key.split('.').collect();
        if environment.iter().any(by_environment) {
            Source::Environment
        } else if stands_in(file, &path) {
            Source::File
        } else {
            Source::Default
        }
    };
    values
        .into_iter()
        .map(|(key, value)| ExplainedValue { source: source(&key), value: redacted(value), key })
        .collect()
}

fn flatten(prefix: &str, value: serde_json::Value, out: &mut Vec<(String, serde_json::Value)>) {
    match value {
        serde_json::Value::Object(map) => {
            for (name, below) in map {
                let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
                flatten(&key, below, out);
            }
        }
        leaf => out.push((prefix.to_owned(), leaf)),
    }
}

fn stands_in(table: &Table, path: &[&str]) -> bool {
    match path {
        [] => true,
        [first, rest @ ..] => match table.get(*first) {
            Some(toml::Value::Table(below)) => stands_in(below, rest),
            Some(_) => rest.is_empty(),
            None => false,
        },
    }
}

/// Takes user names and passwords out of addresses. Keys are named by file and never stand here.
fn redacted(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => Value::String(redacted_text(text)),
        Value::Array(items) => Value::Array(items.into_iter().map(redacted).collect()),
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(name, below)| (name, redacted(below))).collect())
        }
        other => other,
    }
}

fn redacted_text(text: String) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://[not shown]@{host}{path}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str, environment: &[(&str, &str)]) -> Result<Loaded, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ward.toml");
        std::fs::write(&file, text).unwrap();
        load(&file, environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    fn source_of(loaded: &Loaded, key: &str) -> Source {
        loaded.values.iter().find(|value| value.key == key).unwrap().source.clone()
    }

    #[test]
    fn layers_lie_over_one_another() {
        let text = "[server]\ndrain_s = 5\n[server.rates]\ndevice_per_min = 7\n";
        let environment = [
            ("WARD_SERVER__DRAIN_S", "9"),
            ("WARD_SERVER__LISTEN", "127.0.0.1:9"),
            ("WARD_HOME", "x"),
            ("HOME", "y__z"),
        ];
        let loaded = load_text(text, &environment).unwrap();
        assert_eq!(loaded.settings.server.drain_s, 9);
        assert_eq!(loaded.settings.server.listen, "127.0.0.1:9".parse().unwrap());
        assert_eq!(loaded.settings.server.rates.device_per_min, 7);
        assert_eq!(loaded.settings.files.database, loaded.dir.join("ward.db"));
        assert_eq!(source_of(&loaded, "server.drain_s"), Source::Environment);
        assert_eq!(source_of(&loaded, "server.rates.device_per_min"), Source::File);
        assert_eq!(source_of(&loaded, "server.rates.person_per_min"), Source::Default);
        assert_eq!(source_of(&loaded, "files.database"), Source::Default);
    }

    #[test]
    fn unknown_names_are_errors_in_file_and_environment() {
        for text in ["[server]\nlisen = \"127.0.0.1:1\"", "[file]\n", "drain_s = 1", "[server.rates]\nx = 1"]
        {
            assert!(load_text(text, &[]).is_err(), "{text}");
        }
        for name in
            ["WARD_SERVER__LISEN", "WARD_SERVR__LISTEN", "WARD_SERVER__RATES__X", "WARD_SERVER__DRAIN_S__X"]
        {
            assert!(load_text("[server]\ndrain_s = 1", &[(name, "1")]).is_err(), "{name}");
        }
    }

    #[test]
    fn lists_and_tables_come_from_the_environment_too() {
        let environment = [
            ("WARD_SERVER__ORIGINS", r#"["https://a.example", "https://b.example"]"#),
            ("WARD_SERVER__TLS__CERT_FILE", "c.pem"),
            ("WARD_SERVER__TLS__KEY_FILE", "/k.pem"),
        ];
        let loaded = load_text("", &environment).unwrap();
        assert_eq!(loaded.settings.server.origins.len(), 2);
        let tls = loaded.settings.server.tls.unwrap();
        assert_eq!((tls.cert_file, tls.key_file), (loaded.dir.join("c.pem"), PathBuf::from("/k.pem")));
    }

    #[test]
    fn the_file_has_a_limit() {
        let limit = usize::try_from(INPUT_FILE_MAX_BYTES).unwrap();
        let comment = |bytes: usize| format!("#{}", "x".repeat(bytes - 1));
        assert!(load_text(&comment(limit), &[]).is_ok());
        assert!(load_text(&comment(limit + 1), &[]).is_err());
    }

    #[test]
    fn secrets_in_addresses_are_not_shown() {
        let text = "[[server.witnesses]]\nname = \"w\"\nurl = \"https://me:geheim@w.example/x\"\n";
        let loaded = load_text(text, &[]).unwrap();
        let shown = serde_json::to_string(&loaded.values).unwrap();
        assert!(!shown.contains("geheim") && shown.contains("https://[not shown]@w.example/x"), "{shown}");
        assert_eq!(loaded.settings.server.witnesses[0].url, "https://me:geheim@w.example/x");
    }
}
