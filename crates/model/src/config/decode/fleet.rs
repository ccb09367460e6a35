//! `fleet.yaml`.

use crate::config::form::{
    Choice, Definitions, Fields, FolderPattern, Form, InnerPath, List, Map, Named, NonEmpty, Port,
    Record, Schema, Word, read_text, record, short,
};
use crate::config::reporter::Reporter;
use crate::config::yaml::{Document, Node};
use crate::config::{Base, EngineKind, Environment, Fleet};
use crate::{EnvironmentName, FleetName, ImageRef};

record! {
    /// All the services of one product, and where they run.
    Fleet {
        /// The product's name.
        name as "fleet": FleetName, required;
        /// Folders with a `fairway.yaml`, relative to this file; `*` stands for one path
        /// component.
        services: NonEmpty<FolderPattern>, default "[services/*]";
        /// Images made on this machine, by the name under which they are used.
        bases: Map<ImageRef, Base>, default "{}";
        /// Places where releases run.
        environments: Named<EnvironmentName, Environment>, default "{}";
    }
}

/// What `services` of a fleet says, whatever else is wrong.
pub(crate) fn service_patterns(text: &str, log: &mut Reporter) -> Vec<String> {
    let document = Document::read(text, log);
    let read = |document: Document| {
        let mut fields = Fields::open(document.root(), Fleet::KEYS, log)?;
        fields.default::<NonEmpty<FolderPattern>>("services")
    };
    document.and_then(read).unwrap_or_default()
}

/// What [`read_debian_name`] lets through.
const DEBIAN_NAME: &str = "^[A-Za-z0-9][A-Za-z0-9+.:-]*$";

/// The keys of a base as they stand in the file.
struct BaseKeys {
    debian: Option<String>,
    packages: Vec<String>,
    dockerfile: Option<String>,
}

record! {
    /// How an image is made: exactly one of `debian` and `dockerfile`.
    BaseKeys as "Base", one of ["debian", "dockerfile"] {
        /// A Debian suite, such as `bookworm`, from whose packages it is made.
        debian: Suite, optional;
        /// Packages beyond the minimal set.
        packages: List<Package>, default "[]", with "debian";
        /// A folder, relative to this file, whose `Dockerfile` is built.
        dockerfile: InnerPath, optional;
    }
}

impl Form for Base {
    type Value = Base;

    fn schema(definitions: &mut Definitions) -> Schema {
        BaseKeys::reference(definitions)
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<Base> {
        let BaseKeys { debian, packages, dockerfile } = BaseKeys::read_given((), node, log)?;
        let debian = debian.map(|suite| Base::Debian { suite, packages });
        debian.or(dockerfile.map(|context| Base::Dockerfile { context }))
    }
}

record! {
    /// A named place where releases run.
    Environment given name: EnvironmentName {
        /// What runs its containers.
        engine: Choice<EngineKind>, default "embedded";
        /// The environment a release must be live in before it may come here.
        from: EnvironmentName, optional;
        /// The port of its gateway on the loopback interface; without one, a free port is taken
        /// once and kept.
        port: Port, optional;
    }
}

impl Word for EngineKind {
    const WHAT: &'static str = "engine";
    const WORDS: &'static [(&'static str, Self)] = &[("embedded", Self::Embedded)];
}

/// The name of a suite or package of Debian (Debian Policy, section 5.6.1). It ends on a command
/// line, so nothing else is let through.
fn read_debian_name(node: &Node, log: &mut Reporter, what: &str) -> Option<String> {
    let text = read_text(node, log)?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || "+-.:".contains(c);
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(is_part) {
        return Some(text.to_owned());
    }
    log.error(node.span, format!("`{}` is not {what} of Debian", short(text)));
    None
}

struct Suite;

impl Form for Suite {
    type Value = String;

    fn schema(_: &mut Definitions) -> Schema {
        Schema::text(DEBIAN_NAME)
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<String> {
        read_debian_name(node, log, "a suite")
    }
}

struct Package;

impl Form for Package {
    type Value = String;

    fn schema(_: &mut Definitions) -> Schema {
        Schema::text(DEBIAN_NAME)
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<String> {
        read_debian_name(node, log, "a package")
    }
}
