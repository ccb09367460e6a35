//! `fairway read-models query`: asks a read model.

use super::{CommonArgs, host, named::NameArg};
use crate::{
    app::App,
    failure::{Exit, Failure},
    printer::{Format, Printer},
    words::one_line,
};
use fairway_ledger::Position;
use fairway_read_models::{Answer, Consistency, Parameters, Question};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Ask a read model
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    of: NameArg,
    /// The query, by its name in the declaration
    #[arg(value_name = "QUERY", required_unless_present = "sql")]
    query: Option<String>,
    /// SQL that reads, in place of a query
    #[arg(long, conflicts_with = "query")]
    sql: Option<String>,
    /// The value of a parameter; JSON, or else a text
    #[arg(short, long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    params: Vec<(String, Value)>,
    /// Wait until the event at this position is taken in
    #[arg(long, value_name = "POSITION")]
    at_least: Option<u64>,
    /// The longest time to wait for that
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = fairway_model::parse_duration)]
    wait: Duration,
}

fn parameter(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write `name=value`")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((name.to_owned(), value))
}

/// Prints the rows.
pub async fn run(
    args: &Args,
    common: &CommonArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let models = host::open(common, app).await?;
    let question = match (&args.query, &args.sql) {
        (Some(query), _) => Question::Named(query.clone()),
        (None, sql) => Question::Sql(sql.clone().unwrap_or_default()),
    };
    let parameters: Parameters = args.params.iter().cloned().collect();
    let consistency = match args.at_least {
        Some(position) => Consistency::AtLeast(Position(position), args.wait),
        None => Consistency::Now,
    };
    let answer = models.query(&args.of.name, (question, parameters), consistency).await;
    let answer = answer.map_err(|error| host::failed("ask the read model", error))?;
    print(&answer, printer);
    Ok(Exit::Done)
}

fn print(answer: &Answer, printer: &mut Printer) {
    match printer.format {
        Format::Text => {
            let header: Vec<&str> = answer.columns.iter().map(String::as_str).collect();
            let rows: Vec<Vec<String>> =
                answer.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
            printer.table(&header, &rows);
            if answer.is_cut {
                printer.talk("there are more rows\n");
            }
        }
        Format::Json => {
            let object = |row: &Vec<Value>| {
                answer.columns.iter().cloned().zip(row.iter().cloned()).collect::<Map<_, _>>()
            };
            let rows: Vec<Map<String, Value>> = answer.rows.iter().map(object).collect();
            printer.json(&json!({
                "position": answer.position,
                "version": answer.version,
                "rows": rows,
                "cut": answer.is_cut,
            }));
        }
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => one_line(text),
        value => value.to_string(),
    }
}
