//! A small command-line host: one sync operation between an SQLite file and a CRM, against any server.
//!
//! Exit status: 0 when all went well, 1 when some records failed, 2 when the run could not be done.

mod args;
mod check;
mod host;
mod local;
mod operations;
mod quarantine;
mod runs;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command, Quarantine, StoreArgs};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = store_of(&cli.command).json;
    match carry_out(cli.command).await {
        Ok(failed) => ExitCode::from(u8::from(failed > 0)),
        Err(error) => {
            report(&error, json);
            ExitCode::from(2)
        }
    }
}

/// Does what the command says, and tells how many records failed.
async fn carry_out(command: Command) -> anyhow::Result<u64> {
    match command {
        Command::Add(args) => local::add(args).await,
        Command::AutoPush(args) => operations::auto_push(args).await,
        Command::Check(args) => check::check(args).await,
        Command::Edit(args) => local::edit(args).await,
        Command::Import(args) => operations::import(args).await,
        Command::Log(args) => local::log(args).await,
        Command::Preview(args) => operations::preview(args).await,
        Command::Push(args) => operations::push(args).await,
        Command::Quarantine(args) => quarantine::carry_out(args.what).await,
        Command::Records(args) => local::records(args).await,
        Command::Resume(args) => operations::resume(args).await,
        Command::Runs(args) => runs::show(args).await,
        Command::Sweep(args) => operations::sweep(args).await,
        Command::Sync(args) => operations::sync(args).await,
    }
}

fn store_of(command: &Command) -> &StoreArgs {
    match command {
        Command::Add(args) | Command::Edit(args) => &args.store,
        Command::AutoPush(args) | Command::Import(args) | Command::Sweep(args) | Command::Sync(args) => &args.store,
        Command::Check(args) => &args.store,
        Command::Log(args) => &args.store,
        Command::Preview(args) => &args.run.store,
        Command::Push(args) => &args.run.store,
        Command::Quarantine(args) => match &args.what {
            Quarantine::List(args) => &args.known.store,
            Quarantine::Release(args) => &args.held.known.store,
        },
        Command::Records(args) => &args.store,
        Command::Resume(args) => &args.run.store,
        Command::Runs(args) => &args.known.store,
    }
}

fn report(error: &anyhow::Error, json: bool) {
    let known = error.downcast_ref::<abmatic_sync_core::error::Error>();
    let message = message_of(error);
    eprintln!("error: {message}");
    if let Some(known) = known {
        eprintln!("cause: {}\nto do: {}", known.cause(), known.solution());
    }
    if json {
        let code = known.map_or("INVALID_REQUEST", |known| known.code().as_str());
        let solution = known.map(|known| known.solution());
        let line = serde_json::json!({"error": code, "message": message, "solution": solution});
        // Whoever closed the pipe does not want to know.
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}

/// The error and what lies under it, each thing said once.
fn message_of(error: &anyhow::Error) -> String {
    let mut message = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !message.contains(&cause) {
            message.push_str(": ");
            message.push_str(&cause);
        }
    }
    message
}
