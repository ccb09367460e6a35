//! Which ids a user has in an image, from its `/etc/passwd` and `/etc/group`.

/// Most groups of one user that are taken over.
const GROUPS_MAX: usize = 256;

/// The ids that a process gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Supplementary groups.
    pub(super) groups: Vec<u32>,
    /// Its home directory, if it is known.
    pub(super) home: Option<String>,
}

/// Why a user is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum UserError {
    #[error("user `{0}` is not in the image's `/etc/passwd`")]
    User(String),
    #[error("group `{0}` is not in the image's `/etc/group`")]
    Group(String),
}

impl User {
    /// Reads `user`, `uid`, `user:group` or `uid:gid`; nothing is root. A number needs no entry.
    pub(super) fn resolve(text: &str, passwd: &str, group: &str) -> Result<Self, UserError> {
        let (user, wanted_group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        let user = if user.is_empty() { "0" } else { user };
        let account = accounts(passwd).find(|account| account.is_called(user));
        let uid = match (&account, user.parse()) {
            (Some(account), _) => account.uid,
            (None, Ok(uid)) => uid,
            (None, Err(_)) => return Err(UserError::User(user.to_owned())),
        };
        let (gid, groups) = if let Some(wanted) = wanted_group.filter(|group| !group.is_empty()) {
            (gid_of(wanted, group)?, Vec::new())
        } else {
            let name = account.as_ref().map_or(user, |account| account.name);
            let gid = account.as_ref().map_or(0, |account| account.gid);
            (gid, memberships(name, group))
        };
        let home = account.map(|account| account.home.to_owned()).filter(|home| !home.is_empty());
        Ok(Self { uid, gid, groups, home })
    }
}

/// A line of `/etc/passwd` (passwd(5)).
struct Account<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

impl Account<'_> {
    fn is_called(&self, user: &str) -> bool {
        self.name == user || user.parse() == Ok(self.uid)
    }
}

fn accounts(passwd: &str) -> impl Iterator<Item = Account<'_>> {
    passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account { name, uid, gid, home: fields.nth(1).unwrap_or_default() })
    })
}

/// Lines of `/etc/group` (group(5)): name, id, members.
fn groups(group: &str) -> impl Iterator<Item = (&str, u32, &str)> {
    group.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let gid = fields.nth(1)?.parse().ok()?;
        Some((name, gid, fields.next().unwrap_or_default()))
    })
}

fn gid_of(wanted: &str, group: &str) -> Result<u32, UserError> {
    let named = groups(group).find(|(name, gid, _)| *name == wanted || wanted.parse() == Ok(*gid));
    match (named, wanted.parse()) {
        (Some((_, gid, _)), _) | (None, Ok(gid)) => Ok(gid),
        (None, Err(_)) => Err(UserError::Group(wanted.to_owned())),
    }
}

fn memberships(user: &str, group: &str) -> Vec<u32> {
    groups(group)
        .filter(|(_, _, members)| members.split(',').any(|member| member == user))
        .map(|(_, gid, _)| gid)
        .take(GROUPS_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:100::/home/app:/bin/sh\nodd";
    const GROUP: &str = "root:x:0:\nstaff:x:50:app,root\nusers:x:100:\n";

    fn resolve(text: &str) -> Result<User, UserError> {
        User::resolve(text, PASSWD, GROUP)
    }

    #[test]
    fn names_and_numbers_are_looked_up() {
        let app = User { uid: 1000, gid: 100, groups: vec![50], home: Some("/home/app".into()) };
        assert_eq!(resolve("app"), Ok(app.clone()));
        assert_eq!(resolve("1000"), Ok(app.clone()));
        assert_eq!(resolve("app:staff"), Ok(User { gid: 50, groups: vec![], ..app }));
        assert_eq!(resolve("").map(|user| (user.uid, user.gid)), Ok((0, 0)));
        let unknown = User { uid: 7, gid: 8, groups: vec![], home: None };
        assert_eq!(resolve("7:8"), Ok(unknown.clone()));
        assert_eq!(resolve("7"), Ok(User { gid: 0, ..unknown }));
    }

    #[test]
    fn an_unknown_name_is_an_error() {
        assert_eq!(resolve("nobody"), Err(UserError::User("nobody".into())));
        assert_eq!(resolve("app:wheel"), Err(UserError::Group("wheel".into())));
    }

    proptest! {
        #[test]
        fn no_file_makes_it_fail_for_a_number(passwd in ".{0,300}", group in ".{0,300}") {
            prop_assert!(User::resolve("1:1", &passwd, &group).is_ok());
        }
    }
}
