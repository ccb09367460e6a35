//! The group of containers that an environment is.

use fairway_engine::GroupId;
use fairway_model::{Digest, EnvironmentName};

/// The longest id of a group, in characters.
const ID_MAX: usize = 40;
/// How many characters tell long names apart.
const TAG: usize = 8;

/// The group of an environment's containers: `env-staging`. A long name is cut and tagged with its
/// digest, so that two that begin alike stay apart.
pub fn group_of(environment: &EnvironmentName) -> GroupId {
    let whole = format!("env-{environment}");
    let id = if whole.len() <= ID_MAX {
        whole
    } else {
        let tag = Digest::of(environment.as_str().as_bytes()).hex();
        format!("{}-{}", &whole[..ID_MAX - TAG - 1], &tag[..TAG])
    };
    id.parse().expect("an environment's name makes the id of a group")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_with_long_names_have_groups_of_their_own() {
        let name = |end: &str| format!("{}{end}", "a".repeat(60)).parse().unwrap();
        assert_ne!(group_of(&name("b")), group_of(&name("c")));
        assert_eq!(group_of(&"staging".parse().unwrap()).to_string(), "env-staging");
    }
}
