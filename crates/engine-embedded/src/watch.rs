//! What becomes of a container, as a stream.

use crate::{
    contact::{self, Contact, Found},
    embedded::Embedded,
    plan::Plan,
    probe::{Prober, Verdict},
    state::State,
    wire::Request,
};
use fairway_engine::{ContainerEvent, ContainerId, EngineError};
use futures_util::{
    StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use std::collections::VecDeque;

/// Says how a container stands now and each change from here on.
pub(crate) async fn watch(
    engine: &Embedded,
    id: &ContainerId,
) -> Result<BoxStream<'static, ContainerEvent>, EngineError> {
    let (contact, state) = match contact::find(engine, id).await? {
        Found::Watched(contact, state) => (Some(*contact), state),
        Found::Lost(state) => (None, state),
    };
    let mut watcher = Watcher {
        engine: engine.clone(),
        id: id.clone(),
        contact,
        prober: None,
        is_ready: false,
        events: VecDeque::from([ContainerEvent::Started(state.address)]),
    };
    watcher.see(&state)?;
    let step = |mut watcher: Watcher| async { watcher.next().await.map(|event| (event, watcher)) };
    Ok(stream::unfold(watcher, step).boxed())
}

struct Watcher {
    engine: Embedded,
    id: ContainerId,
    /// The helper, until the container has ended.
    contact: Option<Contact>,
    /// Probes, until there is a verdict.
    prober: Option<BoxFuture<'static, Verdict>>,
    is_ready: bool,
    /// What is to be said next.
    events: VecDeque<ContainerEvent>,
}

/// What happened.
enum News {
    State(Option<State>),
    Verdict(Verdict),
}

impl Watcher {
    async fn next(&mut self) -> Option<ContainerEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            let news = self.news().await?;
            match news {
                News::State(Some(state)) => self.see(&state).ok()?,
                News::State(None) => self.lose().await?,
                News::Verdict(Verdict::Ready) => {
                    // The helper tells everybody, this one too.
                    self.prober = None;
                    let contact = self.contact.as_mut()?;
                    contact.ask(Request::Ready).await.ok()?;
                }
                News::Verdict(Verdict::Unready(why)) => {
                    self.prober = None;
                    self.events.push_back(ContainerEvent::Unready(why));
                }
            }
        }
    }

    async fn news(&mut self) -> Option<News> {
        let contact = self.contact.as_mut()?;
        let Some(prober) = &mut self.prober else {
            return Some(News::State(contact.next().await.ok()?));
        };
        Some(tokio::select! {
            state = contact.next() => News::State(state.ok()?),
            verdict = prober => News::Verdict(verdict),
        })
    }

    fn see(&mut self, state: &State) -> Result<(), EngineError> {
        if state.ready && !self.is_ready {
            self.is_ready = true;
            self.prober = None;
            self.events.push_back(ContainerEvent::Ready);
        }
        if let Some(exit) = state.exit {
            (self.contact, self.prober) = (None, None);
            self.events.push_back(ContainerEvent::Exited(exit));
        } else if !state.ready && self.prober.is_none() {
            self.probe(state)?;
        }
        Ok(())
    }

    fn probe(&mut self, state: &State) -> Result<(), EngineError> {
        let dir = self.engine.places().container(&self.id);
        let plan = Plan::load(&Plan::path(&dir))?;
        let (engine, id) = (self.engine.clone(), self.id.clone());
        let (address, started) = (state.address, state.started);
        self.prober = Some(match plan.ready {
            None => Box::pin(async { Verdict::Ready }),
            Some(readiness) => Box::pin(Prober { engine, id, address, started, readiness }.run()),
        });
        Ok(())
    }

    /// The helper ended without a word: it was killed, or it removed the container.
    async fn lose(&mut self) -> Option<()> {
        let state = match contact::find(&self.engine, &self.id).await.ok()? {
            Found::Watched(contact, state) => {
                self.contact = Some(*contact);
                state
            }
            Found::Lost(state) => {
                self.contact = None;
                state
            }
        };
        self.see(&state).ok()
    }
}
