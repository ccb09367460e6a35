//! What a driver answers to requests.

use crate::{
    consumer::{Delivery, Nack, Token},
    decide::{Demand, Input, MemberId, Verdict},
    driver::{run::Driver, work::Done},
    error::{Ended, GroupError},
    info::Live,
    request::{Answer, Joining, Request, Taking, Who},
};
use fairway_ledger::Position;
use tokio::{sync::oneshot, time::Instant};

impl Driver {
    /// Takes in a request.
    pub(super) fn answer(&mut self, request: Request) -> Result<Vec<Input>, Ended> {
        match request {
            Request::Join { seat, gone, reply } => Ok(self.join(seat, gone, reply)),
            Request::Take { take, reply } => Ok(self.take(&take, reply)),
            Request::Answer { who, tokens, answer, reply } => {
                let (inputs, unknown) = self.hear(&who, &tokens, answer);
                // Who does not wait for the answer does not want it.
                reply.send(unknown).unwrap_or_default();
                Ok(inputs)
            }
            Request::Look(reply) => {
                drop(reply.send((self.state.progress(), self.look())));
                Ok(Vec::new())
            }
            Request::Close(why) => Err(why),
        }
    }

    fn full(&self) -> Option<GroupError> {
        let most = self.state.settings().consumers_max;
        let is_full = self.state.members().count() >= most as usize;
        is_full.then(|| GroupError::ConsumersMax { group: self.id.clone(), most })
    }

    fn join(
        &mut self,
        seat: Joining,
        gone: oneshot::Receiver<()>,
        reply: oneshot::Sender<Result<MemberId, GroupError>>,
    ) -> Vec<Input> {
        if let Some(error) = self.full() {
            drop(reply.send(Err(error)));
            return Vec::new();
        }
        let credit = seat.credit;
        let member = self.seats.push(seat, self.ledger.clock().now());
        self.work.spawn(async move {
            // It is never sent to, only dropped.
            drop(gone.await);
            Ok(Done::Left(member))
        });
        drop(reply.send(Ok(member)));
        vec![Input::Joined { member, credit, demand: Demand::Always }]
    }

    fn take(
        &mut self,
        take: &Taking,
        reply: oneshot::Sender<Result<Vec<Delivery>, GroupError>>,
    ) -> Vec<Input> {
        let mut inputs = Vec::new();
        let known = self.seats.named(&take.name);
        if let (None, Some(error)) = (known, self.full()) {
            drop(reply.send(Err(error)));
            return inputs;
        }
        let member = known.unwrap_or_else(|| {
            let member = self.seats.taker(&take.name, self.ledger.clock().now());
            let credit = self.state.settings().consumer_in_flight_max;
            inputs.push(Input::Joined { member, credit, demand: Demand::Asked(0) });
            member
        });
        inputs.extend(self.give_back(member));
        self.seats.ask(member, take, reply);
        inputs.push(Input::Asked { member, count: take.most });
        inputs
    }

    /// Answers those whose wait has an end.
    pub(super) fn settle(&mut self) {
        for member in self.seats.due(Instant::now()) {
            let mut inputs = vec![Input::Asked { member, count: 0 }];
            inputs.extend(self.give_back(member));
            self.apply(inputs);
        }
    }

    /// Answers one that takes; if it does not wait any more, others get what it did not.
    fn give_back(&mut self, member: MemberId) -> Option<Input> {
        let left = self.seats.settle(member);
        let positions: Vec<Position> = left.iter().map(|left| left.event.position).collect();
        let (verdict, reason) = (Verdict::GiveBack, String::new());
        (!positions.is_empty()).then_some(Input::Nacked { member, positions, verdict, reason })
    }

    /// Takes in what a consumer says; the tokens that it does not have are the second part.
    pub(super) fn hear(
        &mut self,
        who: &Who,
        tokens: &[Token],
        answer: Answer,
    ) -> (Vec<Input>, Vec<Token>) {
        let member = match who {
            Who::Member(member) => Some(*member),
            Who::Named(name) => self.seats.named(name),
        };
        let Some(member) = member else { return (Vec::new(), tokens.to_vec()) };
        let (mut positions, mut unknown) = (Vec::with_capacity(tokens.len()), Vec::new());
        for &token in tokens {
            match self.held(member, token) {
                Some(position) => positions.push(position),
                None => unknown.push(token),
            }
        }
        let inputs = match answer {
            Answer::Ack => vec![Input::Acked { member, positions }],
            Answer::Extend => vec![Input::Extended { member, positions }],
            Answer::Nack(nack, reason) => {
                let verdict = nack.verdict();
                let nacked = Input::Nacked { member, positions, verdict, reason };
                if nack == Nack::Stop {
                    self.seats.remove(member, Ended::Stopped);
                    // What it gives back does not come to it again before it is gone.
                    let last = Input::Asked { member, count: 0 };
                    vec![last, nacked, Input::Left(member)]
                } else {
                    vec![nacked]
                }
            }
        };
        (inputs, unknown)
    }

    /// The position of an event that a consumer has.
    fn held(&self, member: MemberId, token: Token) -> Option<Position> {
        let is_held = |position: &Position| self.state.holds(member, *position);
        match token {
            Token::Position(position) => Some(position).filter(is_held),
            Token::Id(id) => {
                let same = self.ids.range((id, Position(0))..=(id, Position::END));
                same.map(|&(_, position)| position).find(is_held)
            }
        }
    }

    fn look(&self) -> Live {
        let members = self.state.members();
        Live {
            since: self.since,
            in_flight: self.state.in_flight(),
            waiting: self.state.waiting(),
            counters: self.state.counters(),
            consumers: members.filter_map(|(&id, member)| self.seats.info(id, member)).collect(),
        }
    }
}
