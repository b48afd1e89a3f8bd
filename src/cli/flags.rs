//! A flag for every setting but the secret ones: the command line of a process is everybody's to read on its machine.

use clap::{Arg, ArgMatches, Command, parser::ValueSource};

use crate::app::config::{Flags, Kind, SETTINGS, Setting};

/// What names the file.
const CONFIG: &str = "config";

/// The command line with the flags of all settings, good before and behind a subcommand.
pub(super) fn with_settings(command: Command) -> Command {
    let file = Arg::new(CONFIG)
        .long(CONFIG)
        .value_name("FILE")
        .global(true)
        .help(
            "The file of settings [env: STAYGATE_CONFIG] [default: staygate.toml, if it is there]",
        )
        .help_heading("Settings");
    command.arg(file).args(settings().map(|setting| {
        let default = setting
            .default
            .map_or_else(String::new, |default| format!(" [default: {default}]"));
        Arg::new(setting.key)
            .long(setting.key.replace('_', "-"))
            .value_name("VALUE")
            .global(true)
            .hide_short_help(true)
            .allow_hyphen_values(true)
            .help(format!("[env: {}]{default}", setting.variable))
            .help_heading("Settings")
    }))
}

/// What was given.
pub(super) fn given(matches: &ArgMatches) -> Flags {
    let value = |name: &str| {
        let said = matches.value_source(name) == Some(ValueSource::CommandLine);
        let value = matches.get_one::<String>(name).filter(|_| said);
        value.cloned()
    };
    Flags {
        file: value(CONFIG),
        settings: settings()
            .filter_map(|setting| Some((setting.key, value(setting.key)?)))
            .collect(),
    }
}

fn settings() -> impl Iterator<Item = &'static Setting> {
    SETTINGS
        .iter()
        .filter(|setting| setting.kind != Kind::Secret)
}
