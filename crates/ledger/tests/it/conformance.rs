use crate::place::Place;
use async_trait::async_trait;
use fairway_ledger::{
    Clock, Ledger,
    conformance::{self, Cases, checks::check_in_use},
    open_portable,
};

#[async_trait]
impl conformance::Place for Place {
    async fn open(&self, clock: Clock) -> Ledger {
        Ledger::open_with(&self.path(), clock).unwrap()
    }

    async fn forbid_removals(&self) {
        self.ask(
            "CREATE TRIGGER kept BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'kept'); END",
        );
    }

    async fn allow_removals(&self) {
        self.ask("DROP TRIGGER kept");
    }
}

#[tokio::test]
async fn a_ledger_in_a_file_does_what_every_ledger_does() {
    conformance::run(Cases::All, || Box::new(Place::new())).await;
}

#[tokio::test]
async fn a_check_of_a_ledger_in_use_finds_nothing_wrong() {
    let place = Place::new();
    check_in_use(open_portable(&place.path(), Clock::system()).unwrap()).await;
}
