//! Where settings come from: the file, the environment and the command line, each weighing more than the one before.

use std::{collections::HashMap, fmt};

use anyhow::{Context as _, anyhow, bail, ensure};
use config::{Config, ConfigError, File, FileFormat, Value};

use super::{
    Settings, backups,
    names::{Kind, SETTINGS, Setting},
};

/// Where the tests find their servers; a developer's shell may have them.
const OF_THE_TESTS: &str = "STAYGATE_TEST_";
/// Names the file; itself no setting of the file.
const CONFIG: &str = "STAYGATE_CONFIG";
/// The file that is read when none is named, if it is there.
const FILE: &str = "staygate.toml";
/// What the variable of a secret ends in that names a file with it, as containers are given theirs.
const IN_A_FILE: &str = "_FILE";

/// What the command line says of settings.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// The file to read.
    pub file: Option<String>,
    /// Settings by their keys.
    pub settings: Vec<(&'static str, String)>,
}

/// Who said what a setting is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody.
    Default,
    /// The file of this name.
    File(String),
    /// The environment variable of this name.
    Variable(String),
    /// The flag of this name.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(name) | Self::Variable(name) => f.write_str(name),
            Self::Flag(key) => write!(f, "--{}", key.replace('_', "-")),
        }
    }
}

/// Everything that was said of settings; not yet whether it can be used.
#[derive(Debug)]
pub struct Sources {
    builder: Config,
    origins: HashMap<&'static str, Origin>,
    store_variables: Vec<(String, String)>,
}

impl Sources {
    /// Reads the file and this process's environment, and puts the flags above them.
    ///
    /// # Errors
    /// One clear line for a file that can't be read, or a variable that is no setting.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one home of the environment"
    )]
    pub fn gather(flags: Flags) -> anyhow::Result<Self> {
        Self::of(
            std::env::vars().filter(|(_, value)| !value.is_empty()),
            flags,
        )
    }

    /// The same from a given environment.
    ///
    /// # Errors
    /// As [`Self::gather`].
    pub(super) fn of(
        environment: impl Iterator<Item = (String, String)>,
        flags: Flags,
    ) -> anyhow::Result<Self> {
        let said = Said::by(environment)?;
        let (file, required) = match flags.file.or(said.file) {
            Some(file) => (file, true),
            None => (FILE.to_owned(), false),
        };
        let in_file = read(&file, required)?;
        let mut builder = Config::builder();
        let mut origins = HashMap::new();
        for setting in SETTINGS {
            builder = builder.set_default(setting.key, setting.default)?;
            if in_file.contains_key(setting.key) {
                origins.insert(setting.key, Origin::File(file.clone()));
            }
        }
        for (key, value) in in_file {
            builder = builder.set_override(key, value)?;
        }
        for (key, name, value) in said.settings {
            builder = builder.set_override(key, value)?;
            origins.insert(key, Origin::Variable(name));
        }
        for (key, value) in flags.settings {
            builder = builder.set_override(key, value)?;
            origins.insert(key, Origin::Flag(key.to_owned()));
        }
        Ok(Self {
            builder: builder.build()?,
            origins,
            store_variables: said.of_stores,
        })
    }

    /// The settings in force.
    ///
    /// # Errors
    /// One clear line for the first that is wrong or missing.
    pub fn settings(&self) -> anyhow::Result<Settings> {
        let read = self.builder.clone().try_deserialize();
        let mut settings: Settings = read.context("a setting is wrong")?;
        settings.store_variables.clone_from(&self.store_variables);
        settings.check()?;
        Ok(settings)
    }

    /// What a setting is, as it was written; none where it is not set.
    pub(super) fn value(&self, setting: &Setting) -> Option<String> {
        self.builder.get_string(setting.key).ok()
    }

    /// Who said so.
    pub(super) fn origin(&self, setting: &Setting) -> &Origin {
        self.origins.get(setting.key).unwrap_or(&Origin::Default)
    }
}

/// What an environment says.
#[derive(Default)]
struct Said {
    /// The file to read.
    file: Option<String>,
    /// The keys of settings, the variables that give them, and what those say.
    settings: Vec<(&'static str, String, String)>,
    /// What object stores are told.
    of_stores: Vec<(String, String)>,
}

impl Said {
    fn by(environment: impl Iterator<Item = (String, String)>) -> anyhow::Result<Self> {
        let mut said = Self::default();
        for (name, value) in environment {
            if name == CONFIG {
                said.file = Some(value);
            } else if let Some(setting) = by_variable(&name) {
                said.set(setting, name, value)?;
            } else if let Some(setting) = name.strip_suffix(IN_A_FILE).and_then(by_variable)
                && setting.kind != Kind::Plain
            {
                let text = std::fs::read_to_string(&value);
                let text = text.with_context(|| format!("{name}: {value} can't be read"))?;
                said.set(setting, name, text.trim_end().to_owned())?;
            } else if backups::is_of_a_store(&name) {
                said.of_stores.push((name, value));
            } else if name.starts_with("STAYGATE_") && !name.starts_with(OF_THE_TESTS) {
                bail!("{name} is not a setting; staygate.example.toml has them all");
            }
        }
        Ok(said)
    }

    fn set(
        &mut self,
        setting: &'static Setting,
        name: String,
        value: String,
    ) -> anyhow::Result<()> {
        let twice = self
            .settings
            .iter()
            .any(|(key, variable, _)| *key == setting.key && *variable != name);
        ensure!(
            !twice,
            "{0} and {0}{IN_A_FILE} are both there: give one",
            setting.variable
        );
        self.settings.push((setting.key, name, value));
        Ok(())
    }
}

fn by_variable(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.variable == name)
}

fn read(file: &str, required: bool) -> anyhow::Result<HashMap<String, Value>> {
    Config::builder()
        .add_source(File::new(file, FileFormat::Toml).required(required))
        .build()
        .and_then(Config::try_deserialize)
        .map_err(|error| anyhow!("{file} can't be read: {}", without_text(&error)))
}

/// What is wrong with a file, but for its text: there may be secrets in it.
fn without_text(error: &ConfigError) -> String {
    let told = match error {
        ConfigError::FileParse { cause, .. } => cause.to_string(),
        other => other.to_string(),
    };
    told.lines().next().unwrap_or_default().to_owned()
}
