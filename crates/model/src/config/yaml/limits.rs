//! What is too much for one file.

/// The most bytes of one file that are read.
pub const FILE_MAX: usize = 1 << 20;

/// The most nodes of one file, with every alias counted as what it stands for.
pub const NODES_MAX: u32 = 50_000;

/// The deepest that nodes are nested, with every alias counted as what it stands for.
pub const DEPTH_MAX: u32 = 40;

/// The most diagnostics of one file that are reported.
pub const DIAGNOSTICS_MAX: usize = 100;
