//! Users and groups of an image by name.

use super::open_in;
use rustix::{
    fs::{Gid, OFlags, Uid},
    io::Errno,
};
use std::{
    fs::File,
    io::{self, Read},
    os::fd::AsFd,
};

/// Most bytes that are read of `/etc/passwd` and `/etc/group`.
const FILE_MAX: u64 = 1 << 20;

/// Finds the owner that `user`, `uid`, `user:group` or `uid:gid` stands for in an image. A number
/// without a group is the group's number too (Dockerfile reference, "COPY --chown").
pub(crate) fn owner(root: impl AsFd, text: &str) -> Result<(Uid, Gid), String> {
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    let (uid, own_group) = match user.parse() {
        Ok(uid) => (uid, uid),
        Err(_) => account(&root, user)?,
    };
    let gid = match group.map(|group| (group, group.parse())) {
        None => own_group,
        Some((_, Ok(gid))) => gid,
        Some((name, Err(_))) => group_id(&root, name)?,
    };
    if uid == u32::MAX || gid == u32::MAX {
        return Err(format!("`{text}` is not an owner"));
    }
    Ok((Uid::from_raw(uid), Gid::from_raw(gid)))
}

fn account(root: impl AsFd, name: &str) -> Result<(u32, u32), String> {
    let text = read(root, "etc/passwd").map_err(|error| format!("`/etc/passwd`: {error}"))?;
    let found = fields(&text, name)
        .and_then(|fields| Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)));
    found.ok_or_else(|| format!("the image has no user `{name}`"))
}

fn group_id(root: impl AsFd, name: &str) -> Result<u32, String> {
    let text = read(root, "etc/group").map_err(|error| format!("`/etc/group`: {error}"))?;
    let found = fields(&text, name).and_then(|fields| fields.get(2)?.parse().ok());
    found.ok_or_else(|| format!("the image has no group `{name}`"))
}

/// The fields of the line that starts with a name.
fn fields<'a>(text: &'a str, name: &str) -> Option<Vec<&'a str>> {
    let lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    lines.into_iter().find(|fields| fields.first() == Some(&name))
}

fn read(root: impl AsFd, path: &str) -> io::Result<String> {
    let file = match open_in(root, path, OFlags::RDONLY) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(String::new()),
        Err(error) => return Err(error.into()),
    };
    let mut bytes = Vec::new();
    File::from(file).take(FILE_MAX).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_names_or_numbers() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        std::fs::write(dir.path().join("etc/passwd"), "root:x:0:0::/:/bin/sh\napp:x:7:8::/:\n")
            .unwrap();
        std::fs::write(dir.path().join("etc/group"), "staff:x:50:\n").unwrap();
        let root = File::open(dir.path()).unwrap();
        let ids = |text| owner(&root, text).map(|(uid, gid)| (uid.as_raw(), gid.as_raw()));
        for (text, expected) in
            [("app", (7, 8)), ("app:staff", (7, 50)), ("3", (3, 3)), ("3:4", (3, 4))]
        {
            assert_eq!(ids(text), Ok(expected), "{text}");
        }
        for text in ["nobody", "3:none", "", "4294967295"] {
            assert!(ids(text).is_err(), "{text}");
        }
    }
}
