//! The filter of system calls, as bubblewrap takes it: compiled, in two programs, of which the kernel takes
//! the stricter answer (seccomp(2)). The first allows what is listed and refuses the rest as "not
//! permitted"; the second answers "not implemented" where libraries then try something else.

use seccompiler::{BpfProgram, TargetArch, compile_from_json};
use serde_json::{Value, json};

use crate::sandbox::syscalls::{ADDRESS_FAMILIES, ENOSYS, NAMESPACE_FLAGS, PERSONALITIES, UNKNOWN, allowed};

/// `EPERM`, errno(3).
const EPERM: u32 = 1;
/// Listed, but not known to the compiler's table: too new.
const TOO_NEW: &str = "file_getattr file_setattr getxattrat listxattrat removexattrat setxattrat";
/// Listed, but of old: only the first 64-bit architecture has them.
const X86_64_ONLY: &str = "access alarm arch_prctl chmod chown creat dup2 epoll_create epoll_wait eventfd fork futimesat \
    getdents getpgrp inotify_init lchown link lstat mkdir mknod open pause pipe poll readlink rename rmdir select \
    signalfd stat symlink time unlink utime utimes vfork";

/// Why there is no filter.
#[derive(Debug, thiserror::Error)]
pub(super) enum FilterError {
    /// Not an architecture that filters are made for.
    #[error("none is known for this kind of processor: {0}")]
    Architecture(String),
    /// The lists are wrong.
    #[error("it does not compile: {0}")]
    Compile(String),
}

/// Both programs for the processor that this runs on, each an array of `struct sock_filter`
/// (linux/filter.h).
pub(super) fn filters() -> Result<[Vec<u8>; 2], FilterError> {
    let arch: TargetArch = std::env::consts::ARCH
        .try_into()
        .map_err(|error: seccompiler::BackendError| FilterError::Architecture(error.to_string()))?;
    compile(arch)
}

fn compile(arch: TargetArch) -> Result<[Vec<u8>; 2], FilterError> {
    let absent = |name: &str| {
        let listed = |names: &str| names.split_ascii_whitespace().any(|other| other == name);
        listed(TOO_NEW) || (arch != TargetArch::x86_64 && listed(X86_64_ONLY))
    };
    let mut allow: Vec<Value> = allowed()
        .filter(|name| !absent(name))
        .chain(UNKNOWN)
        .map(|name| json!({"syscall": name}))
        .collect();
    allow.push(when("clone", "qword", &json!({"masked_eq": NAMESPACE_FLAGS}), 0));
    allow.extend(ADDRESS_FAMILIES.map(|family| when("socket", "dword", &json!("eq"), family)));
    allow.extend(PERSONALITIES.map(|persona| when("personality", "dword", &json!("eq"), persona)));
    let unknown = UNKNOWN.map(|name| json!({"syscall": name}));
    let filters = json!({
        "allowed": {"mismatch_action": {"errno": EPERM}, "match_action": "allow", "filter": allow},
        "unknown": {"mismatch_action": "allow", "match_action": {"errno": ENOSYS}, "filter": unknown},
    });
    let mut programs = compile_from_json(filters.to_string().as_bytes(), arch)
        .map_err(|error| FilterError::Compile(error.to_string()))?;
    let mut take = |name: &str| {
        let program = programs.remove(name).map(|program| bytes(&program));
        program.ok_or_else(|| FilterError::Compile(format!("`{name}` is missing")))
    };
    Ok([take("allowed")?, take("unknown")?])
}

/// A rule about the first argument.
fn when(syscall: &str, width: &str, op: &Value, value: u64) -> Value {
    json!({"syscall": syscall, "args": [{"index": 0, "type": width, "op": op, "val": value}]})
}

fn bytes(program: &BpfProgram) -> Vec<u8> {
    let mut out = Vec::with_capacity(program.len() * 8);
    for instruction in program {
        out.extend_from_slice(&instruction.code.to_ne_bytes());
        out.extend_from_slice(&[instruction.jt, instruction.jf]);
        out.extend_from_slice(&instruction.k.to_ne_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kernel takes no longer ones (linux/bpf_common.h, `BPF_MAXINSNS`).
    const MAX_INSTRUCTIONS: usize = 4096;

    #[test]
    fn filters_compile_for_both_processors_and_are_short_enough() {
        for arch in [TargetArch::x86_64, TargetArch::aarch64] {
            for filter in compile(arch).unwrap() {
                assert!(filter.len() % 8 == 0 && filter.len() / 8 < MAX_INSTRUCTIONS);
            }
        }
    }

    #[test]
    fn what_is_left_out_for_the_compilers_sake_is_on_the_list() {
        for name in [TOO_NEW, X86_64_ONLY].join(" ").split_ascii_whitespace() {
            assert!(allowed().any(|allowed| allowed == name), "{name}");
        }
    }
}
