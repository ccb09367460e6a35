//! Reads a build, whatever keeps it.

use crate::{
    error::ReadModelError,
    open::Places,
    postgres::{self, Links, PostgresReader},
    read::{Answer, Found, Parameters, Question},
    registry::Built,
    sql::{self, Use},
    sqlite::{Place, SqliteReader},
    target::{Parked, ParkedOf, Standing},
};
use fairway_model::{
    Span,
    config::{ReadModelTarget, Sql},
};
use tokio::sync::OwnedSemaphorePermit;

/// Reads a build.
pub(crate) struct Reader {
    built: Built,
    kept: Kept,
}

/// What keeps it.
enum Kept {
    Sqlite(SqliteReader),
    Postgres(PostgresReader),
}

impl Reader {
    /// What reads a build.
    pub(crate) fn of(
        places: &Places,
        links: &Links,
        built: &Built,
    ) -> Result<Self, ReadModelError> {
        let kept = match &built.declaration.model().target {
            ReadModelTarget::Sqlite | ReadModelTarget::Callback(_) => {
                Kept::Sqlite(SqliteReader(Place::of(&places.dir, built)))
            }
            ReadModelTarget::Postgres(address) => {
                let address = places.fill(address)?;
                let place = postgres::Place::of(address, built);
                Kept::Postgres(PostgresReader { place, links: links.clone() })
            }
        };
        Ok(Self { built: built.clone(), kept })
    }

    /// How far the build is; none if it is not there.
    pub(crate) async fn standing(&self) -> Result<Option<Standing>, ReadModelError> {
        match &self.kept {
            Kept::Sqlite(reader) => reader.standing().await,
            Kept::Postgres(reader) => reader.standing().await,
        }
    }

    /// What is parked; none if the build is not there.
    pub(crate) async fn parked(
        &self,
        of: ParkedOf,
        limit: usize,
    ) -> Result<Option<Vec<Parked>>, ReadModelError> {
        match &self.kept {
            Kept::Sqlite(reader) => reader.parked(of, limit).await,
            Kept::Postgres(reader) => reader.parked(of, limit).await,
        }
    }

    /// Asks; none if the build is not there. The turn ends when the database is done.
    pub(crate) async fn query(
        &self,
        (question, parameters): (Question, Parameters),
        turn: OwnedSemaphorePermit,
    ) -> Result<Option<Answer>, ReadModelError> {
        let query = self.sql(question)?;
        let rows = match &self.kept {
            Kept::Sqlite(reader) => reader.query(query, parameters, turn).await?,
            Kept::Postgres(reader) => {
                let rows = reader.query(query, parameters).await;
                drop(turn);
                rows?
            }
        };
        let version = self.built.declaration.model().version;
        Ok(rows.map(|Found { position, columns, rows, is_cut }| Answer {
            version,
            position,
            columns,
            rows,
            is_cut,
        }))
    }

    /// The name and the SQL of a question.
    fn sql(&self, question: Question) -> Result<(String, String), ReadModelError> {
        let model = self.built.declaration.model();
        let Some(dialect) = self.built.declaration.dialect() else {
            return Err(ReadModelError::NoQueries(model.name.clone()));
        };
        match question {
            Question::Sql(text) => {
                let sql = Sql { text, span: Span::START };
                let checked = sql::check_statement(&sql, dialect, Use::Query);
                checked.map_err(|fault| ReadModelError::Query(fault.message))?;
                Ok(("SQL".to_owned(), sql.text))
            }
            Question::Named(query) => {
                let missing = |query: &str| ReadModelError::MissingQuery {
                    name: model.name.clone(),
                    query: query.to_owned(),
                    queries: model.queries.keys().cloned().collect(),
                };
                let sql = model.queries.get(&query).ok_or_else(|| missing(&query))?;
                Ok((query, sql.text.clone()))
            }
        }
    }
}
