//! From the parser's events to a tree.

use super::merge::MappingBuilder;
use super::node::{Kind, Node, Scalar, Style};
use super::{DEPTH_MAX, NODES_MAX, position};
use crate::config::reporter::Reporter;
use crate::{Diagnostic, Span};
use saphyr_parser::{Event, ScalarStyle, Tag};
use std::{borrow::Cow, collections::HashMap, sync::Arc};

/// Builds the tree of one document. An `Err` ends the reading; lesser faults go to the reporter.
pub(super) struct Builder<'r, 't> {
    log: &'r mut Reporter<'t>,
    frames: Vec<Frame>,
    anchors: HashMap<usize, Arc<Node>>,
    nodes: u32,
    root: Option<Arc<Node>>,
}

/// A list or mapping whose end is not reached.
struct Frame {
    anchor: usize,
    span: Span,
    owner: Option<Span>,
    content: Content,
}

enum Content {
    Sequence(Vec<Arc<Node>>),
    Mapping(MappingBuilder),
}

type EventTag<'e> = Option<Cow<'e, Tag>>;

impl<'r, 't> Builder<'r, 't> {
    pub(super) fn new(log: &'r mut Reporter<'t>) -> Self {
        Self { log, frames: Vec::new(), anchors: HashMap::new(), nodes: 0, root: None }
    }

    /// Takes the next event.
    pub(super) fn take(
        &mut self,
        event: Event,
        span: saphyr_parser::Span,
    ) -> Result<(), Box<Diagnostic>> {
        match event {
            Event::Alias(anchor) => self.alias(anchor, position::span(span)),
            Event::Scalar(text, style, anchor, tag) => {
                let place = position::scalar_span(span, &text, style);
                self.check_tag(tag, position::span(span));
                self.count(1, place)?;
                let style = if style == ScalarStyle::Plain { Style::Plain } else { Style::Quoted };
                let scalar = Kind::Scalar(Scalar { text: text.into_owned(), style });
                let owner = self.owner();
                self.complete(anchor, node(place, owner, scalar));
                Ok(())
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(anchor, tag, span, Content::Sequence(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.open(anchor, tag, span, Content::Mapping(MappingBuilder::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.close(span);
                Ok(())
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    /// The tree, after the last event.
    pub(super) fn finish(self) -> Result<Arc<Node>, Box<Diagnostic>> {
        let empty = self.fatal(Span::START, "the file is empty");
        self.root.filter(|root| !root.is_nothing()).ok_or(empty)
    }

    /// A fault after which there is nothing to go on with.
    pub(super) fn fatal(&self, span: Span, message: impl Into<String>) -> Box<Diagnostic> {
        Box::new(self.log.diagnose(span, message))
    }

    /// The reporter of the file.
    pub(super) fn log(&self) -> &Reporter<'t> {
        self.log
    }

    fn open(
        &mut self,
        anchor: usize,
        tag: EventTag,
        span: saphyr_parser::Span,
        content: Content,
    ) -> Result<(), Box<Diagnostic>> {
        let place = position::span(span);
        self.check_tag(tag, place);
        self.count(1, place)?;
        self.check_depth(1, place)?;
        let owner = self.owner();
        self.frames.push(Frame { anchor, span: place, owner, content });
        Ok(())
    }

    fn close(&mut self, end: saphyr_parser::Span) {
        let frame = self.frames.pop().expect("the parser ends only what it began");
        let flow_end = position::end_on_line(end, frame.span.line);
        let (kind, first) = match frame.content {
            Content::Sequence(items) => (Kind::Sequence(items), 1),
            Content::Mapping(mapping) => {
                let entries = mapping.finish();
                let first = entries.first().map_or(1, |entry| entry.key_span.length);
                (Kind::Mapping(entries), first)
            }
        };
        let length = flow_end.map_or(first, |end| end.saturating_sub(frame.span.column));
        let span = Span { length, ..frame.span };
        self.complete(frame.anchor, node(span, frame.owner, kind));
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Box<Diagnostic>> {
        let Some(target) = self.anchors.get(&anchor).cloned() else {
            return Err(self.fatal(span, "an alias inside of what it stands for"));
        };
        self.count(target.weight, span)?;
        self.check_depth(target.depth, span)?;
        self.attach(target);
        Ok(())
    }

    fn complete(&mut self, anchor: usize, node: Node) {
        let node = Arc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, Arc::clone(&node));
        }
        self.attach(node);
    }

    fn attach(&mut self, node: Arc<Node>) {
        match self.frames.last_mut().map(|frame| &mut frame.content) {
            Some(Content::Sequence(items)) => items.push(node),
            Some(Content::Mapping(mapping)) => mapping.take(node, self.log),
            None => self.root = Some(node),
        }
    }

    /// The key whose value comes next.
    fn owner(&self) -> Option<Span> {
        match self.frames.last().map(|frame| &frame.content) {
            Some(Content::Mapping(mapping)) => mapping.open_key(),
            Some(Content::Sequence(_)) | None => None,
        }
    }

    fn count(&mut self, nodes: u32, span: Span) -> Result<(), Box<Diagnostic>> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > NODES_MAX {
            let message = format!("more than {NODES_MAX} values, with each alias spelled out");
            return Err(self.fatal(span, message));
        }
        Ok(())
    }

    fn check_depth(&self, below: u32, span: Span) -> Result<(), Box<Diagnostic>> {
        let here = u32::try_from(self.frames.len()).unwrap_or(u32::MAX);
        if here.saturating_add(below) > DEPTH_MAX {
            return Err(self.fatal(span, format!("nested deeper than {DEPTH_MAX} levels")));
        }
        Ok(())
    }

    /// Tags of YAML's own (`!!str`) change nothing, as each key knows what it takes.
    fn check_tag(&mut self, tag: EventTag, span: Span) {
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
            self.log.error(span, format!("tags such as `{tag}` have no meaning here"));
        }
    }
}

fn node(span: Span, owner: Option<Span>, kind: Kind) -> Node {
    let inner = |nodes: &mut dyn Iterator<Item = &Arc<Node>>| {
        nodes.fold((1_u32, 0_u32), |(weight, depth), node| {
            (weight.saturating_add(node.weight), depth.max(node.depth))
        })
    };
    let (weight, depth) = match &kind {
        Kind::Scalar(_) => (1, 0),
        Kind::Sequence(items) => inner(&mut items.iter()),
        Kind::Mapping(entries) => inner(&mut entries.iter().map(|entry| &entry.value)),
    };
    let is_scalar = matches!(kind, Kind::Scalar(_));
    let depth = if is_scalar { 0 } else { depth + 1 };
    Node { span, owner: owner.unwrap_or(span), kind, weight, depth }
}
