//! The task that owns the sets of one group and does what is decided.

use super::decide::{Action, Fleet, Found, Input};
use super::perform::Performer;
use super::record::{Record, Wanted};
use super::replica::Key;
use crate::{contact, embedded::Embedded, group, launch::blocking, network::failed, state::now};
use fairway_engine::{
    ContainerId, EngineError, GroupId, Observation, ReplicaSet, ReplicaState, SetId,
};
use fairway_network::{Network, Target};
use std::{collections::BTreeMap, future, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    task::{JoinError, JoinSet},
    time::sleep,
};

/// Most commands and events that wait.
const QUEUE: usize = 256;

/// Most observations that wait for one observer; one that is further behind is let go.
const OBSERVATIONS: usize = 4096;

/// Pause before the network is told again what it did not take.
const PAUSE: Duration = Duration::from_secs(1);

/// How often a name is directed before that is an error.
const DIRECTIONS: u32 = 3;

type Answer<T> = oneshot::Sender<Result<T, EngineError>>;

/// What a group can be asked.
pub(super) enum Command {
    /// Make a set exist.
    Ensure(Box<ReplicaSet>, Answer<()>),
    /// Remove a set; answered when it is gone.
    Remove(String, Answer<()>),
    /// Share the connections to a name among sets.
    Route(String, Vec<(String, u16)>, Answer<()>),
    /// Which sets there are.
    Sets(Answer<Vec<SetId>>),
    /// How every replica stands, now and from here on.
    Observe(Answer<(Vec<Observation>, mpsc::Receiver<Observation>)>),
    /// Remove all sets and end; answered when they are gone.
    Close(Answer<()>),
}

/// Takes up the sets of a group, and gives the way to ask for more.
pub(super) async fn drive(
    engine: &Embedded,
    network: Network,
    group: &GroupId,
) -> Result<mpsc::Sender<Command>, EngineError> {
    let (commands, asked) = mpsc::channel(QUEUE);
    let (heard, hearing) = mpsc::channel(QUEUE);
    let (places, id) = (engine.places().clone(), group.clone());
    let record = blocking(move || Record::load(&places, &id)).await?;
    let found = find(engine, group).await?;
    let performer = Performer { engine: engine.clone(), group: group.clone(), heard };
    let mut driver = Driver {
        performer,
        network,
        fleet: Fleet::default(),
        record,
        observers: Vec::new(),
        leaving: BTreeMap::new(),
        failures: BTreeMap::new(),
        undirected: Vec::new(),
        tasks: JoinSet::new(),
    };
    driver.begin(found).await;
    tokio::spawn(driver.run(asked, hearing));
    Ok(commands)
}

/// The containers of replicas, as they are.
async fn find(engine: &Embedded, group: &GroupId) -> Result<BTreeMap<Key, Found>, EngineError> {
    let mut found = BTreeMap::new();
    for name in group::names_in(&engine.places().containers(group))? {
        let Some(key) = Key::parse(&name) else { continue };
        let id = ContainerId { group: group.clone(), name };
        let state = match contact::find(engine, &id).await {
            Ok(contact::Found::Watched(_, state) | contact::Found::Lost(state)) => state,
            // Left by somebody who was killed while he started or removed it.
            Err(EngineError::NoContainer(_)) => {
                fairway_engine::Sandbox::remove(engine, &id).await?;
                continue;
            }
            Err(error) => return Err(error),
        };
        let as_found = match (state.exit, state.ready) {
            (Some(exit), _) => Found::Ended(exit),
            (None, true) => Found::Ready(state.address),
            (None, false) => Found::Running(state.address),
        };
        found.insert(key, as_found);
    }
    Ok(found)
}

struct Driver {
    performer: Performer,
    network: Network,
    fleet: Fleet,
    record: Record,
    observers: Vec<mpsc::Sender<Observation>>,
    /// Who waits for which set to be gone.
    leaving: BTreeMap<String, Vec<Answer<()>>>,
    /// What went wrong with the removal of containers of a set.
    failures: BTreeMap<String, EngineError>,
    /// Names the network did not take.
    undirected: Vec<String>,
    /// What goes on with containers; ends with this.
    tasks: JoinSet<Doing>,
}

/// The outcome of a task: what failed, for which set.
type Doing = Option<(String, EngineError)>;

impl Driver {
    async fn begin(&mut self, found: BTreeMap<Key, Found>) {
        let wanted = self.record.sets.iter().map(|(name, set)| (name.clone(), set.replicas));
        let (wanted, routes) = (wanted.collect(), self.record.routes.clone());
        self.step(Input::Opened { wanted, routes, found }).await;
    }

    async fn run(mut self, mut asked: mpsc::Receiver<Command>, mut hearing: mpsc::Receiver<Input>) {
        let mut closing = None;
        while closing.is_none() || !self.fleet.is_empty() {
            let due = self.due();
            tokio::select! {
                command = asked.recv(), if closing.is_none() => match command {
                    Some(Command::Close(answer)) => {
                        self.remove_all().await;
                        closing = Some(answer);
                    }
                    Some(command) => self.obey(command).await,
                    // Nobody is left who could ask: what runs goes on by itself.
                    None => return,
                },
                Some(input) = hearing.recv() => self.step(input).await,
                Some(done) = self.tasks.join_next() => self.note(done),
                () = due => {
                    for name in std::mem::take(&mut self.undirected) {
                        self.step(Input::Undirected(name)).await;
                    }
                    self.step(Input::Tick).await;
                }
            }
        }
        if let Some(answer) = closing {
            let failure = self.failures.pop_first().map(|(_, error)| error);
            reply(answer, failure.map_or(Ok(()), Err));
        }
    }

    /// Waits until something is to be done again.
    fn due(&self) -> impl Future<Output = ()> + use<> {
        let start = self.fleet.next_start().map(|at| at.since(now()));
        let again = (!self.undirected.is_empty()).then_some(PAUSE);
        let pause = [start, again].into_iter().flatten().min();
        async move {
            match pause {
                Some(pause) => sleep(pause).await,
                None => future::pending().await,
            }
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Ensure(set, answer) => {
                let done = self.ensure(*set).await;
                reply(answer, done);
            }
            Command::Remove(set, answer) => self.remove(set, answer).await,
            Command::Route(name, shares, answer) => {
                let done = self.route(name, shares).await;
                reply(answer, done);
            }
            Command::Sets(answer) => {
                let group = &self.performer.group;
                let id = |name: &String| SetId { group: group.clone(), name: name.clone() };
                reply(answer, Ok(self.record.sets.keys().map(id).collect()));
            }
            Command::Observe(answer) => {
                let standings = self.fleet.standings().into_iter();
                let now = standings.map(|(key, state)| self.observation(&key, state)).collect();
                let (observer, from_here_on) = mpsc::channel(OBSERVATIONS);
                self.observers.push(observer);
                reply(answer, Ok((now, from_here_on)));
            }
            Command::Close(_) => unreachable!("closing ends the loop that obeys"),
        }
    }

    async fn ensure(&mut self, set: ReplicaSet) -> Result<(), EngineError> {
        let name = set.id.name.clone();
        if !self.fleet.has(&name) && self.fleet.knows(&name) {
            return Err(EngineError::Broken(format!("set `{}` is being removed", set.id)));
        }
        match self.record.sets.get_mut(&name) {
            Some(known) if known.spec != set.spec => {
                let id = set.id;
                let why = format!("set `{id}` exists already with another specification");
                return Err(EngineError::Broken(why));
            }
            Some(known) if known.replicas == set.replicas => return Ok(()),
            Some(known) => known.replicas = set.replicas,
            None => {
                let wanted = Wanted { spec: set.spec, replicas: set.replicas };
                self.record.sets.insert(name.clone(), wanted);
            }
        }
        self.save().await?;
        self.step(Input::Ensure { set: name, replicas: set.replicas }).await;
        Ok(())
    }

    async fn remove(&mut self, set: String, answer: Answer<()>) {
        if !self.fleet.knows(&set) {
            return reply(answer, Ok(()));
        }
        self.record.sets.remove(&set);
        if let Err(error) = self.save().await {
            return reply(answer, Err(error));
        }
        self.leaving.entry(set.clone()).or_default().push(answer);
        self.step(Input::Remove { set }).await;
    }

    async fn remove_all(&mut self) {
        for set in std::mem::take(&mut self.record.sets).into_keys() {
            self.step(Input::Remove { set }).await;
        }
    }

    async fn route(&mut self, name: String, shares: Vec<(String, u16)>) -> Result<(), EngineError> {
        self.record.routes.insert(name.clone(), shares.clone());
        self.save().await?;
        // Also if nothing changes: the network may not know the name yet.
        self.undirected.retain(|known| *known != name);
        self.step(Input::Undirected(name.clone())).await;
        self.step(Input::Route { name: name.clone(), shares }).await;
        // A process of the network that was killed is soon there again.
        for _ in 0..DIRECTIONS {
            if !self.undirected.contains(&name) {
                return Ok(());
            }
            sleep(PAUSE).await;
            self.undirected.retain(|known| *known != name);
            self.step(Input::Undirected(name.clone())).await;
        }
        Err(EngineError::Broken(format!("the network did not take `{name}`")))
    }

    async fn save(&self) -> Result<(), EngineError> {
        let (record, group) = (self.record.clone(), self.performer.group.clone());
        let places = self.performer.engine.places().clone();
        blocking(move || record.save(&places, &group)).await
    }

    async fn step(&mut self, input: Input) {
        for action in self.fleet.step(now(), input) {
            self.perform(action).await;
        }
    }

    async fn perform(&mut self, action: Action) {
        let performer = self.performer.clone();
        match action {
            Action::Direct { name, endpoints } => {
                let target = Target::Endpoints(endpoints);
                if self.network.set_service(&name, target).await.map_err(failed).is_err() {
                    self.undirected.push(name);
                }
            }
            Action::Tell(key, state) => {
                let seen = self.observation(&key, state);
                self.observers.retain(|observer| observer.try_send(seen.clone()).is_ok());
            }
            Action::Start(key) => {
                let wanted = self.record.sets.get(&key.set);
                let spec = wanted.expect("a set that starts replicas is on record").spec.clone();
                self.tasks.spawn(async move {
                    performer.start(key, spec).await;
                    None
                });
            }
            Action::Watch(key) => {
                self.tasks.spawn(async move {
                    performer.watch(key).await;
                    None
                });
            }
            Action::Retire(key) => {
                let set = key.set.clone();
                let doing = async move { performer.retire(key).await.err().map(|e| (set, e)) };
                self.tasks.spawn(doing);
            }
            Action::Discard(key) => {
                let set = key.set.clone();
                let doing = async move { performer.discard(key).await.err().map(|e| (set, e)) };
                self.tasks.spawn(doing);
            }
            Action::Forgotten(set) => self.forgotten(&set),
        }
    }

    fn forgotten(&mut self, set: &str) {
        let mut failure = self.failures.remove(set);
        for answer in self.leaving.remove(set).unwrap_or_default() {
            reply(answer, failure.take().map_or(Ok(()), Err));
        }
    }

    /// Keeps what went wrong for who waits for the set to be gone.
    fn note(&mut self, done: Result<Doing, JoinError>) {
        if let Ok(Some((set, error))) = done {
            self.failures.insert(set, error);
        }
    }

    fn observation(&self, key: &Key, state: ReplicaState) -> Observation {
        let set = SetId { group: self.performer.group.clone(), name: key.set.clone() };
        Observation { set, replica: self.performer.container(key), state }
    }
}

fn reply<T>(answer: oneshot::Sender<T>, what: T) {
    // Who asked may have gone.
    drop(answer.send(what));
}
