//! The part of the filter that decides by the number alone: a search tree over ranges of numbers.
//!
//! The kernel runs a new filter once for every number to learn which are always allowed, and
//! compiles it; a list of 300 comparisons makes that a twentieth of a container's start.

use seccompiler::sock_filter;

/// BPF (linux/bpf_common.h): load a word, jump if greater or equal, if equal, always; return.
const LOAD: u16 = 0x20;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP: u16 = 0x05;
const RETURN: u16 = 0x06;
/// Where the number is in what a filter sees (`struct seccomp_data`).
const NUMBER: u32 = 0;
/// What a filter returns (linux/seccomp.h).
const ALLOW: u32 = 0x7fff_0000;
const ERRNO: u32 = 0x0005_0000;

/// Instructions that allow these numbers, answer one other with an error, and leave all that is
/// left to the instructions behind them. `None` for more ranges than jumps can reach over.
pub(super) fn prefix(mut allowed: Vec<u32>, absent: (u32, u16)) -> Option<Vec<sock_filter>> {
    allowed.sort_unstable();
    allowed.dedup();
    let (number, error) = absent;
    let mut program = vec![
        instruction(LOAD, NUMBER),
        sock_filter { jf: 1, ..instruction(JUMP_IF_EQUAL, number) },
        instruction(RETURN, ERRNO | u32::from(error)),
    ];
    program.extend(tree(&borders(&allowed), Side::Outside)?);
    let length = program.len();
    for (index, instruction) in program.iter_mut().enumerate() {
        if instruction.code == JUMP {
            instruction.k = u32::try_from(length - index - 1).ok()?;
        }
    }
    Some(program)
}

fn instruction(code: u16, k: u32) -> sock_filter {
    sock_filter { code, jt: 0, jf: 0, k }
}

/// Where a number stands to the ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Inside,
    Outside,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Inside => Self::Outside,
            Self::Outside => Self::Inside,
        }
    }
}

/// The first numbers of each range and behind each range, in order.
fn borders(sorted: &[u32]) -> Vec<u32> {
    let mut borders: Vec<u32> = Vec::new();
    for &number in sorted {
        if borders.last() == Some(&number) {
            borders.pop();
        } else {
            borders.push(number);
        }
        borders.push(number + 1);
    }
    borders
}

/// Decides on which side of the borders a number is that is on `side` of the first.
fn tree(borders: &[u32], side: Side) -> Option<Vec<sock_filter>> {
    let middle = borders.len() / 2;
    let Some(border) = borders.get(middle) else {
        return Some(vec![match side {
            Side::Inside => instruction(RETURN, ALLOW),
            Side::Outside => instruction(JUMP, 0),
        }]);
    };
    let beyond = if middle.is_multiple_of(2) { side.other() } else { side };
    let below = tree(&borders[..middle], side)?;
    let above = tree(&borders[middle + 1..], beyond)?;
    let jump = u8::try_from(below.len()).ok()?;
    let mut program = vec![sock_filter { jt: jump, ..instruction(JUMP_IF_AT_LEAST, *border) }];
    program.extend(below);
    program.extend(above);
    Some(program)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the instructions return for a number; `None` if they leave it to those behind them.
    fn decide(program: &[sock_filter], number: u32) -> Option<u32> {
        let mut index = 0;
        while let Some(instruction) = program.get(index) {
            let taken = match instruction.code {
                RETURN => return Some(instruction.k),
                JUMP => instruction.k,
                JUMP_IF_AT_LEAST if number >= instruction.k => instruction.jt.into(),
                JUMP_IF_EQUAL if number == instruction.k => instruction.jt.into(),
                _ => instruction.jf.into(),
            };
            index += 1 + usize::try_from(taken).unwrap();
        }
        assert_eq!(index, program.len());
        None
    }

    proptest! {
        #[test]
        fn exactly_what_is_listed_is_allowed(
            allowed in prop::collection::btree_set(0_u32..500, 0..200),
        ) {
            let absent = (600, 0x26);
            let program = prefix(allowed.iter().copied().collect(), absent).unwrap();
            for number in 0..700 {
                let expected = match number {
                    600 => Some(ERRNO | 0x26),
                    number if allowed.contains(&number) => Some(ALLOW),
                    _ => None,
                };
                prop_assert_eq!(decide(&program, number), expected);
            }
            prop_assert_eq!(decide(&program, u32::MAX), None);
        }
    }

    #[test]
    fn neighbouring_numbers_are_one_range() {
        assert_eq!(borders(&[0, 1, 2, 5, 7, 8]), [0, 3, 5, 6, 7, 9]);
    }

    #[test]
    fn what_is_absent_is_refused_even_if_it_is_listed() {
        let program = prefix(vec![1, 2, 3], (2, 0x26)).unwrap();
        assert_eq!(decide(&program, 2), Some(ERRNO | 0x26));
        assert_eq!(decide(&program, 3), Some(ALLOW));
    }
}
