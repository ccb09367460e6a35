//! Compiles and installs the filter of system calls.

use super::{
    allowed::prefix,
    syscalls::{
        ALLOWED, ALLOWED_HERE, CLONE_NAMESPACES, IO_PGETEVENTS, PERSONALITIES, REFUSED_SOCKETS,
    },
};
use nix::libc;
use rustix::thread::{
    CapabilitySet, capabilities, remove_capability_from_bounding_set, set_capabilities,
};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule,
};
use std::{collections::BTreeMap, io};

/// The compiled filter of a container: refuses what is not in the profile, and makes `clone3` look
/// as if this kernel did not have it.
#[derive(Clone)]
pub(super) struct Filter(BpfProgram);

/// Why there is no filter.
#[derive(Debug, thiserror::Error)]
pub(super) enum FilterError {
    /// The rules on arguments do not compile.
    #[error(transparent)]
    Rules(#[from] BackendError),
    /// The numbers do not compile.
    #[error("the profile has too many ranges of numbers")]
    Ranges,
}

/// How many instructions, which look at the architecture, a compiled filter begins with.
const ARCHITECTURE: usize = 3;

impl Filter {
    /// Compiles the profile for this architecture: what is allowed by its number is decided first,
    /// then rules look at arguments, and the rest is refused.
    pub(super) fn compile() -> Result<Self, FilterError> {
        let arch = std::env::consts::ARCH.try_into()?;
        let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
        let rules = SeccompFilter::new(rules()?, refuse, SeccompAction::Allow, arch)?;
        let mut program: BpfProgram = rules.try_into()?;
        let numbers = always().filter_map(|number| u32::try_from(number).ok()).collect();
        let absent = u32::try_from(libc::SYS_clone3).ok().zip(u16::try_from(libc::ENOSYS).ok());
        let first = absent.and_then(|absent| prefix(numbers, absent)).ok_or(FilterError::Ranges)?;
        program.splice(ARCHITECTURE..ARCHITECTURE, first);
        Ok(Self(program))
    }

    /// Installs it in this process and takes away the capability that allowed it.
    pub(super) fn install(&self) -> io::Result<()> {
        install(&self.0)?;
        drop_installer()
    }
}

/// The capability that [`Filter::install`] needs besides Docker's default ones. Without it the
/// kernel would ask for `no_new_privs`, under which `sudo` and the like fail.
pub(super) const INSTALLER: &str = "CAP_SYS_ADMIN";

fn drop_installer() -> io::Result<()> {
    remove_capability_from_bounding_set(CapabilitySet::SYS_ADMIN)?;
    let mut sets = capabilities(None)?;
    sets.effective.remove(CapabilitySet::SYS_ADMIN);
    sets.permitted.remove(CapabilitySet::SYS_ADMIN);
    sets.inheritable.remove(CapabilitySet::SYS_ADMIN);
    Ok(set_capabilities(None, sets)?)
}

/// The numbers that are allowed with any arguments.
fn always() -> impl Iterator<Item = libc::c_long> {
    ALLOWED.iter().chain(ALLOWED_HERE).chain([&IO_PGETEVENTS]).copied()
}

/// What is allowed with some arguments only.
fn rules() -> Result<BTreeMap<i64, Vec<SeccompRule>>, BackendError> {
    let mut rules = BTreeMap::new();
    let masked = SeccompCmpOp::MaskedEq(CLONE_NAMESPACES);
    rules.insert(libc::SYS_clone, vec![first_argument(SeccompCmpArgLen::Qword, masked, 0)?]);
    let other = first_argument(SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, REFUSED_SOCKETS)?;
    rules.insert(libc::SYS_socket, vec![other]);
    let personalities = PERSONALITIES
        .iter()
        .map(|value| first_argument(SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, *value))
        .collect::<Result<_, _>>()?;
    rules.insert(libc::SYS_personality, personalities);
    Ok(rules)
}

fn first_argument(
    length: SeccompCmpArgLen,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(0, length, operator, value)?])
}

#[expect(unsafe_code, reason = "no crate installs a filter without setting no_new_privs")]
fn install(program: &BpfProgram) -> io::Result<()> {
    let length = u16::try_from(program.len()).map_err(io::Error::other)?;
    let filter = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut().cast() };
    // SAFETY: `filter` points to `length` instructions that live until the call returns; the
    // kernel copies them and writes nothing. `seccompiler::sock_filter` is `repr(C)` with the
    // layout of the kernel's `struct sock_filter`.
    let result = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const filter)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_compiles_to_few_instructions() {
        let Filter(program) = Filter::compile().unwrap();
        assert!((50..400).contains(&program.len()), "{}", program.len());
    }

    #[test]
    fn calls_that_reach_the_host_are_not_in_the_profile() {
        let rules = rules().unwrap();
        let refused = [
            libc::SYS_mount,
            libc::SYS_unshare,
            libc::SYS_setns,
            libc::SYS_bpf,
            libc::SYS_reboot,
            libc::SYS_init_module,
            libc::SYS_keyctl,
            libc::SYS_io_uring_setup,
            libc::SYS_open_by_handle_at,
            libc::SYS_kexec_load,
        ];
        assert!(refused.iter().all(|number| !rules.contains_key(number)));
        assert!(always().all(|number| !refused.contains(&number)));
    }
}
