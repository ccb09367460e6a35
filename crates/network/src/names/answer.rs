//! What to do with a question, decided without any I/O.

use super::zone::{Found, Zone};
use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{
        DNSClass, Name, RData, Record, RecordType,
        rdata::{A, CNAME},
    },
};
use std::net::Ipv4Addr;

/// How long an answer may be kept, in seconds. Addresses of services never change; those of
/// containers do.
const TTL: u32 = 2;

/// Most addresses in one answer, so that it fits a datagram of 512 bytes.
const ADDRESSES_MAX: usize = 20;

/// What to do with a question.
#[derive(Debug)]
pub(crate) enum Decision {
    /// Send this answer.
    Reply(Vec<u8>),
    /// Pass the question on as it is.
    Forward,
    /// Ask for this host, and answer with what it is under the name that was asked for.
    Alias { question: Box<Message>, host: Name },
    /// Not worth an answer.
    Ignore,
}

/// Decides about a packet.
pub(crate) fn decide(zone: &Zone, asker: Ipv4Addr, packet: &[u8]) -> Decision {
    let Ok(question) = Message::from_vec(packet) else { return malformed(packet) };
    if question.metadata.message_type == MessageType::Response {
        return Decision::Ignore;
    }
    let [query] = question.queries.as_slice() else {
        return reply(&refusal(&question, ResponseCode::FormErr));
    };
    if question.metadata.op_code != OpCode::Query || query.query_class() != DNSClass::IN {
        return Decision::Forward;
    }
    match zone.find(asker, &query.name().to_ascii()) {
        Found::Addresses(addresses) => reply(&own(&question, query, &addresses)),
        Found::Outside(host) => match Name::from_ascii(format!("{host}.")) {
            Ok(host) => Decision::Alias { question: Box::new(question), host },
            Err(_) => reply(&refusal(&question, ResponseCode::ServFail)),
        },
        Found::Nothing => Decision::Forward,
    }
}

/// The question for the host behind an alias.
pub(crate) fn alias_question(question: &Message, host: &Name) -> Message {
    let mut asked = Message::query();
    let kind = question.queries.first().map_or(RecordType::A, Query::query_type);
    asked.metadata.recursion_desired = true;
    asked.add_query(Query::query(host.clone(), kind));
    asked
}

/// The answer under the name that was asked for, from the answer for the host behind it.
pub(crate) fn alias_answer(question: &Message, host: &Name, answer: &[u8]) -> Option<Vec<u8>> {
    let answer = Message::from_vec(answer).ok()?;
    let query = question.queries.first()?;
    let mut message = answer_to(question);
    message.metadata.response_code = answer.metadata.response_code;
    let alias = RData::CNAME(CNAME(host.clone()));
    message.add_answer(Record::from_rdata(query.name().clone(), TTL, alias));
    message.add_answers(answer.answers);
    message.to_vec().ok()
}

/// An answer that says that something went wrong.
pub(crate) fn failure(packet: &[u8]) -> Option<Vec<u8>> {
    let question = Message::from_vec(packet).ok()?;
    refusal(&question, ResponseCode::ServFail).to_vec().ok()
}

fn own(question: &Message, query: &Query, addresses: &[Ipv4Addr]) -> Message {
    let mut message = answer_to(question);
    message.metadata.authoritative = true;
    if matches!(query.query_type(), RecordType::A | RecordType::ANY) {
        for address in addresses.iter().take(ADDRESSES_MAX) {
            let data = RData::A(A(*address));
            message.add_answer(Record::from_rdata(query.name().clone(), TTL, data));
        }
    }
    message
}

fn answer_to(question: &Message) -> Message {
    let mut message = Message::response(question.metadata.id, question.metadata.op_code);
    message.metadata.recursion_desired = question.metadata.recursion_desired;
    message.metadata.recursion_available = true;
    message.add_queries(question.queries.clone());
    message
}

fn refusal(question: &Message, code: ResponseCode) -> Message {
    let mut message = answer_to(question);
    message.metadata.response_code = code;
    message
}

/// A packet that cannot be read gets an answer if at least its id can, and it is no answer itself.
fn malformed(packet: &[u8]) -> Decision {
    const HEADER: usize = 12;
    match packet {
        [high, low, flags, ..] if packet.len() >= HEADER && flags & 0x80 == 0 => {
            let id = u16::from_be_bytes([*high, *low]);
            reply(&Message::error_msg(id, OpCode::Query, ResponseCode::FormErr))
        }
        _ => Decision::Ignore,
    }
}

fn reply(message: &Message) -> Decision {
    message.to_vec().map_or(Decision::Ignore, Decision::Reply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Entry;
    use proptest::prelude::*;

    fn zone() -> Zone {
        let mut zone = Zone::default();
        zone.add_address("catalog", Ipv4Addr::new(10, 211, 0, 2));
        zone.set("queue", Entry::Outside("mq.example.com".to_owned()));
        zone
    }

    fn ask(name: &str, kind: RecordType) -> Decision {
        let mut message = Message::query();
        message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
        decide(&zone(), Ipv4Addr::LOCALHOST, &message.to_vec().unwrap())
    }

    fn replied(decision: Decision) -> Message {
        let Decision::Reply(bytes) = decision else { panic!("{decision:?}") };
        Message::from_vec(&bytes).unwrap()
    }

    #[test]
    fn own_names_have_addresses_and_no_ipv6() {
        let four = replied(ask("Catalog.", RecordType::A));
        assert_eq!(four.answers.len(), 1);
        let six = replied(ask("catalog.", RecordType::AAAA));
        assert_eq!((six.answers.len(), six.metadata.response_code), (0, ResponseCode::NoError));
    }

    #[test]
    fn other_names_are_passed_on_and_aliases_are_looked_up() {
        assert!(matches!(ask("deb.debian.org.", RecordType::A), Decision::Forward));
        let Decision::Alias { question, host } = ask("queue.", RecordType::A) else { panic!() };
        assert_eq!(host.to_ascii(), "mq.example.com.");
        let asked = alias_question(&question, &host);
        let mut answer = Message::response(asked.metadata.id, OpCode::Query);
        let data = RData::A(A(Ipv4Addr::new(192, 0, 2, 9)));
        answer.add_answer(Record::from_rdata(host.clone(), 60, data));
        let bytes = alias_answer(&question, &host, &answer.to_vec().unwrap()).unwrap();
        let message = Message::from_vec(&bytes).unwrap();
        assert_eq!(message.answers.len(), 2);
        assert_eq!(message.metadata.id, question.metadata.id);
    }

    #[test]
    fn answers_and_rubbish_are_not_answered() {
        let answer = Message::response(7, OpCode::Query).to_vec().unwrap();
        assert!(matches!(decide(&zone(), Ipv4Addr::LOCALHOST, &answer), Decision::Ignore));
        assert!(matches!(decide(&zone(), Ipv4Addr::LOCALHOST, b"x"), Decision::Ignore));
    }

    proptest! {
        #[test]
        fn any_packet_is_decided_about(packet in proptest::collection::vec(any::<u8>(), 0..600)) {
            decide(&zone(), Ipv4Addr::LOCALHOST, &packet);
            failure(&packet);
        }

        #[test]
        fn a_damaged_question_is_decided_about(at in 0_usize..40, with: u8) {
            let mut message = Message::query();
            message.add_query(Query::query(Name::from_ascii("catalog.").unwrap(), RecordType::A));
            let mut packet = message.to_vec().unwrap();
            let at = at % packet.len();
            packet[at] = with;
            decide(&zone(), Ipv4Addr::LOCALHOST, &packet);
        }
    }
}
