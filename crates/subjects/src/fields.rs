//! The named fields of a text of JSON. Everything else stays as it is written: no number loses a
//! digit, no object the order of its members.

use crate::error::SubjectError;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{collections::BTreeMap, fmt};

/// What becomes of a field; none leaves it.
pub(crate) type Change<'a> = dyn FnMut(&str) -> Result<Option<String>, SubjectError> + 'a;

/// A value, or what is named within it.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    is_named: bool,
    within: BTreeMap<String, Fields>,
}

impl Fields {
    /// What JSON pointers (RFC 6901) name.
    pub(crate) fn of(pointers: &[String]) -> Self {
        let mut all = Self::default();
        for path in pointers.iter().filter_map(|pointer| pointer.strip_prefix('/')) {
            let names = path.split('/').map(|name| name.replace("~1", "/").replace("~0", "~"));
            let field = names.fold(&mut all, |at, name| at.within.entry(name).or_default());
            field.is_named = true;
        }
        all
    }

    /// The text after all named fields were changed, from the outermost in; none if none was.
    pub(crate) fn change(
        &self,
        json: &str,
        change: &mut Change<'_>,
    ) -> Result<Option<String>, SubjectError> {
        let own = if self.is_named { change(json)? } else { None };
        let text = own.as_deref().unwrap_or(json);
        let within = match text.trim_ascii_start().as_bytes().first() {
            _ if self.within.is_empty() => None,
            Some(b'{') => self.change_members(text, change)?,
            Some(b'[') => self.change_items(text, change)?,
            _ => None,
        };
        Ok(within.or(own))
    }

    fn change_members(
        &self,
        json: &str,
        change: &mut Change<'_>,
    ) -> Result<Option<String>, SubjectError> {
        let Members(members) = serde_json::from_str(json).map_err(|_| SubjectError::NotJson)?;
        let (mut is_changed, mut texts) = (false, Vec::with_capacity(members.len()));
        for (name, value) in members {
            let value = value.get();
            let within = self.within.get(&name).map(|fields| fields.change(value, change));
            let changed = within.transpose()?.flatten();
            is_changed |= changed.is_some();
            let name = serde_json::Value::String(name);
            texts.push(format!("{name}:{}", changed.as_deref().unwrap_or(value)));
        }
        Ok(is_changed.then(|| format!("{{{}}}", texts.join(","))))
    }

    fn change_items(
        &self,
        json: &str,
        change: &mut Change<'_>,
    ) -> Result<Option<String>, SubjectError> {
        let items: Vec<&RawValue> =
            serde_json::from_str(json).map_err(|_| SubjectError::NotJson)?;
        let (mut is_changed, mut texts) = (false, Vec::with_capacity(items.len()));
        for (index, value) in items.into_iter().enumerate() {
            let value = value.get();
            let fields = self.within.get(&index.to_string());
            let changed = fields.map(|fields| fields.change(value, change)).transpose()?.flatten();
            is_changed |= changed.is_some();
            texts.push(changed.unwrap_or_else(|| value.to_owned()));
        }
        Ok(is_changed.then(|| format!("[{}]", texts.join(","))))
    }
}

/// The members of an object in their order, with those that are there twice.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OfObject)
    }
}

struct OfObject;

impl<'de> Visitor<'de> for OfObject {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(json: &str, pointers: &[&str]) -> Option<String> {
        let pointers: Vec<String> = pointers.iter().map(|&pointer| pointer.to_owned()).collect();
        let mut times = 0;
        let mut number = |_: &str| {
            times += 1;
            Ok(Some(format!("#{times}")))
        };
        Fields::of(&pointers).change(json, &mut number).unwrap()
    }

    #[test]
    fn named_fields_are_changed_and_nothing_else() {
        let json = r#" {"z": 1.10, "a/b": [1, {"~": 2}], "a": 12345678901234567890123 , "": 3}"#;
        assert_eq!(changed(json, &["/none", "/z/1", "/a~1b/2", "/a~1b/01", "z"]), None);
        let text = changed(json, &["/a~1b/1/~0", "/", "/a~1b/0"]).unwrap();
        let whole = r#"{"z":1.10,"a/b":[#1,{"~":#2}],"a":12345678901234567890123,"":#3}"#;
        assert_eq!(text, whole);
    }

    #[test]
    fn a_member_that_is_there_twice_is_changed_twice() {
        let text = changed(r#"{"a":1,"\u0061":2,"b":3}"#, &["/a"]).unwrap();
        assert_eq!(text, r#"{"a":#1,"a":#2,"b":3}"#);
    }
}
