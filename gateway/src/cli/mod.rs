//! What an operator types: every command, its output, its exit code (sysexits).

mod arguments;
mod ca;
mod cert;
mod check;
mod demo;
mod import;
mod kept_aside;
mod key;
mod opened;
mod output;
mod policy;
mod publish;
mod queue;
mod run;
mod store;
mod trouble;
mod trust;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use output::Output;
use trouble::Trouble;

/// Reads the command line and does what it says.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version come this way too; a broken pipe behind them is nobody's trouble.
            let is_mistake = error.use_stderr();
            let _unsaid = error.print();
            return ExitCode::from(if is_mistake { trouble::USAGE } else { 0 });
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(obey(arguments)),
        Err(error) => Err(Trouble::unavailable(format!(
            "no threads to be had: {error}"
        ))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => trouble.tell(),
    }
}

async fn obey(arguments: Arguments) -> Result<(), Trouble> {
    let output = Output {
        json: arguments.json,
    };
    let config = arguments.config.as_deref();
    match arguments.command {
        Command::Run => run::run(config).await,
        Command::Check => check::check(config, &output),
        Command::Demo { dir, listen } => demo::demo(&dir, listen).await,
        Command::Cert(command) => cert::obey(config, command, &output).await,
        Command::Key(command) => key::obey(config, command, &output).await,
        Command::Trust(command) => trust::obey(config, command, &output).await,
        Command::Ca(command) => ca::obey(config, command, &output).await,
        Command::Policy(command) => policy::obey(config, command, &output).await,
        Command::Store(command) => store::obey(config, command, &output).await,
        Command::Queue(command) => queue::obey(config, command, &output).await,
    }
}
