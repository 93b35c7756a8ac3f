//! How much is read, so that hostile input costs a bounded amount of memory and work.

/// Most files of one repo: the largest public monorepos have fewer of the languages that are read.
pub const MAX_FILES: usize = 50_000;
/// Most bytes of one source file: what people write is smaller, what generators write isn't worth it.
pub const MAX_FILE_BYTES: usize = 1 << 20;
/// Most bytes of all files together.
pub const MAX_TOTAL_BYTES: usize = 256 << 20;
/// Most bytes of one manifest or lockfile.
pub const MAX_MANIFEST_BYTES: usize = 32 << 20;
/// Deepest syntax tree: generated parsers and data tables stay below; beyond it a file counts as not read.
pub const MAX_NESTING: usize = 1_000;
/// Most rounds of 100 parser operations per file, so that error recovery can't go on: four times what a
/// megabyte of dense source needs.
pub const MAX_PARSE_ROUNDS: usize = 400_000;
/// Most facts of one kind from one file.
pub const MAX_FACTS: usize = 100_000;
/// Longest member chain (`a.b.c…`) that is followed.
pub const MAX_CHAIN: usize = 64;
/// Longest text of a name or a string that is kept, in bytes.
pub const MAX_NAME: usize = 200;
/// How many aliases or re-exports are followed, one after another.
pub const MAX_HOPS: usize = 8;
/// Most meanings of one name that are followed.
pub const MAX_MEANINGS: usize = 32;
/// Longest chain of calls that is shown.
pub const MAX_PATH: usize = 32;
