//! What of an event is personal, as its metadata say.

use crate::error::SubjectError;
use fairway_ledger::{Data, JSON_DEPTH_MAX};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The key of metadata that names personal fields.
pub const PERSONAL: &str = "$personal";
/// Longest name of a subject in bytes.
pub const SUBJECT_MAX: usize = 255;
/// Most personal fields of one event.
pub const FIELDS_MAX: usize = 100;

/// Whose personal data an event has, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Personal {
    /// Who can be forgotten. The name itself is not sealed: use an id, not an address.
    pub subject: String,
    /// JSON pointers (RFC 6901) into the data; what is not there is left out.
    pub fields: Vec<String>,
}

impl Personal {
    /// What metadata say; none if they say nothing of this.
    pub(crate) fn of(metadata: &Data) -> Result<Option<Self>, SubjectError> {
        // JSON can also write a character as an escape.
        let may_say = |text: &&str| text.contains(PERSONAL) || text.contains('\\');
        let Some(text) = metadata.as_json().filter(may_say) else { return Ok(None) };
        let malformed = |error: serde_json::Error| SubjectError::Malformed(error.to_string());
        let metadata: Value = serde_json::from_str(text).map_err(malformed)?;
        let Some(personal) = metadata.get(PERSONAL) else { return Ok(None) };
        let personal: Self = serde_json::from_value(personal.clone()).map_err(malformed)?;
        personal.check()?;
        Ok(Some(personal))
    }

    fn check(&self) -> Result<(), SubjectError> {
        let refuse = |why: String| Err(SubjectError::Malformed(why));
        if self.subject.is_empty() || self.subject.len() > SUBJECT_MAX {
            return refuse(format!("a subject has 1 to {SUBJECT_MAX} bytes"));
        }
        if self.fields.is_empty() || self.fields.len() > FIELDS_MAX {
            return refuse(format!("there are 1 to {FIELDS_MAX} fields"));
        }
        if let Some(field) = self.fields.iter().find(|field| !field.starts_with('/')) {
            return refuse(format!("`{field}` is no JSON pointer such as `/name`"));
        }
        match self.fields.iter().find(|field| field.split('/').count() > JSON_DEPTH_MAX + 1) {
            Some(_) => refuse(format!("a field is at most {JSON_DEPTH_MAX} deep")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairway_ledger::Json;
    use proptest::prelude::*;
    use serde_json::json;

    fn personal(metadata: &str) -> Result<Option<Personal>, SubjectError> {
        Personal::of(&Json::parse(metadata.to_owned()).unwrap().into())
    }

    #[test]
    fn metadata_may_name_personal_fields() {
        assert!(matches!(personal("{}"), Ok(None)));
        assert!(matches!(personal(r#"{"note": "$personal"}"#), Ok(None)));
        for name in ["$personal", r"\u0024pers\u006Fnal"] {
            let text = format!(r#"{{"{name}": {{"subject": "c-7", "fields": ["/name"]}}}}"#);
            assert_eq!(personal(&text).unwrap().unwrap().fields, ["/name"]);
        }
        let deep = json!({ PERSONAL: { "subject": "a", "fields": ["/a".repeat(101)] } });
        assert!(personal(&deep.to_string()).is_err());
        for bad in [
            r#"{"$personal": 1}"#,
            r#"{"$personal": {"subject": "", "fields": ["/a"]}}"#,
            r#"{"$personal": {"subject": "a", "fields": []}}"#,
            r#"{"$personal": {"subject": "a", "fields": ["name"]}}"#,
            r#"{"$personal": {"subject": "a", "fields": ["/a"], "more": 1}}"#,
        ] {
            assert!(personal(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_metadata_are_read_or_refused(text in "\\PC{0,60}") {
            let metadata = json!({ PERSONAL: { "subject": text, "fields": [text] } });
            if let Ok(Some(found)) = personal(&metadata.to_string()) {
                prop_assert!(found.subject.len() <= SUBJECT_MAX);
                prop_assert!(found.fields[0].starts_with('/'));
            }
        }
    }
}
