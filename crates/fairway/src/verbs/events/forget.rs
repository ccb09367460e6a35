//! `fairway events forget`: what is personal of a subject, unreadable in every copy.

use crate::{
    app::App,
    failure::{Doing, Exit, Failure},
    ledgers::{self, LedgerArgs},
    printer::Printer,
};
use fairway_subjects::ForgetError;

/// Make what is personal of a subject unreadable for ever, in every copy and backup
#[derive(clap::Args)]
pub struct Args {
    /// The subject, as the metadata of its events name it
    subject: String,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Removes the subject's key and says so in the ledger.
pub async fn run(
    args: &Args,
    place: &LedgerArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let (subject, subjects) = (&args.subject, ledgers::subjects(app, place)?);
    let ledger = ledgers::open_to_copy(app, place).await?;
    let intent = format!("what is personal of `{subject}` becomes unreadable, in backups too");
    if !args.yes && !printer.confirm("events forget", &intent)? {
        printer.talk("nothing was forgotten\n");
        return Ok(Exit::Failed);
    }
    let forgotten = fairway_subjects::forget(&ledger, &subjects, subject).await;
    let doing = format!("forget `{subject}`");
    let forgotten = match forgotten {
        Err(ForgetError::Kept(error)) => return Err(ledgers::kept_failed(&doing, error)),
        forgotten => forgotten.doing(doing)?,
    };
    if forgotten {
        printer.talk(&format!("`{subject}` is forgotten\n"));
    } else {
        printer.talk(&format!("there is no key of `{subject}`, so there is nothing to forget\n"));
    }
    Ok(Exit::Done)
}
