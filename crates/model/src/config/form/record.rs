//! Mappings with known keys.

use super::{Definitions, Fields, Form, Keys, Schema};
use crate::config::reporter::Reporter;
use crate::config::yaml::Node;

/// A mapping with known keys.
pub(crate) trait Record: Sized {
    /// What is known from outside of the mapping: the name under which it stands, or nothing.
    type Given;

    /// Its keys.
    const KEYS: &'static Keys;

    /// Reads its keys. Every key is read even after one has failed.
    fn fill(given: Self::Given, fields: &mut Fields) -> Option<Self>;

    /// Reads a mapping.
    fn read_given(given: Self::Given, node: &Node, log: &mut Reporter) -> Option<Self> {
        Self::fill(given, &mut Fields::open(node, Self::KEYS, log)?)
    }

    /// A reference to its schema.
    fn reference(definitions: &mut Definitions) -> Schema {
        definitions.refer(Self::KEYS.name, |definitions| Self::KEYS.schema(definitions))
    }
}

impl<R: Record<Given = ()>> Form for R {
    type Value = R;

    fn schema(definitions: &mut Definitions) -> Schema {
        R::reference(definitions)
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<R> {
        R::read_given((), node, log)
    }
}

/// Says which keys a mapping has, in which form, and what they are for.
///
/// `field as "key": Form, presence;` with the presence `required`, `optional` or `default "text"`,
/// and `with "other"` for a key that only has a meaning beside another one. `Type as "Name"` names
/// the schema's definition.
macro_rules! record {
    (
        $(#[doc = $about:literal])+
        $target:ident $(as $name:literal)? $(given $given:ident: $given_type:ty)? $(, one of [$($one:literal),+])? {
            $(
                $(#[doc = $doc:literal])+
                $field:ident $(as $key:literal)?: $form:ty,
                $presence:ident $($default:literal)? $(, with $with:literal)?;
            )+
        }
    ) => {
        impl $crate::config::form::Record for $target {
            type Given = $crate::config::form::record!(@given $($given_type)?);

            const KEYS: &'static $crate::config::form::Keys = &$crate::config::form::Keys {
                name: $crate::config::form::record!(@key $target $($name)?),
                about: &[$($about),+],
                one_of: &[$($($one),+)?],
                all: &[$(
                    $crate::config::form::Key {
                        name: $crate::config::form::record!(@key $field $($key)?),
                        about: &[$($doc),+],
                        presence: $crate::config::form::record!(@presence $presence $($default)?),
                        with: $crate::config::form::record!(@with $($with)?),
                        schema: <$form as $crate::config::form::Form>::schema,
                    },
                )+],
            };

            fn fill(
                given: Self::Given,
                fields: &mut $crate::config::form::Fields,
            ) -> Option<Self> {
                let $crate::config::form::record!(@pattern $($given)?) = given;
                $(
                    let $field = fields.$presence::<$form>(
                        $crate::config::form::record!(@key $field $($key)?)
                    );
                )+
                Some(Self {
                    $($given,)?
                    $($field: $crate::config::form::record!(@value $presence $field)),+
                })
            }
        }
    };
    (@given) => { () };
    (@given $given:ty) => { $given };
    (@pattern) => { () };
    (@pattern $given:ident) => { $given };
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
    (@presence required) => { $crate::config::form::Presence::Required };
    (@presence optional) => { $crate::config::form::Presence::Optional };
    (@presence default $text:literal) => { $crate::config::form::Presence::Default($text) };
    (@value optional $field:ident) => { $field };
    (@value $presence:ident $field:ident) => { $field? };
    (@with) => { None };
    (@with $key:literal) => { Some($key) };
}
pub(crate) use record;
