//! The system call filter, in the engine's own form (Docker, "Seccomp security profiles"). It is ours and
//! explicit, because the engine's default depends on its version: Docker 20.10 lets vsock and `io_uring` through.

use serde_json::{Value, json};

use crate::sandbox::syscalls::{ADDRESS_FAMILIES, ENOSYS, NAMESPACE_FLAGS, PERSONALITIES, UNKNOWN, allowed};

/// The profile as JSON. Only 64-bit calls pass: 32-bit ones hide `socket` behind `socketcall`, whose
/// arguments no filter sees.
pub(super) fn profile() -> String {
    let mut rules = vec![
        json!({ "names": allowed().collect::<Vec<_>>(), "action": "SCMP_ACT_ALLOW" }),
        json!({ "names": UNKNOWN, "action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS }),
        json!({ "names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [
            { "index": 0, "value": NAMESPACE_FLAGS, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ" },
        ] }),
    ];
    rules.extend(ADDRESS_FAMILIES.map(|family| first_argument("socket", family)));
    rules.extend(PERSONALITIES.map(|persona| first_argument("personality", persona)));
    json!({
        "defaultAction": "SCMP_ACT_ERRNO",
        "archMap": [
            { "architecture": "SCMP_ARCH_X86_64", "subArchitectures": [] },
            { "architecture": "SCMP_ARCH_AARCH64", "subArchitectures": [] },
        ],
        "syscalls": rules,
    })
    .to_string()
}

fn first_argument(name: &str, value: u64) -> Value {
    json!({ "names": [name], "action": "SCMP_ACT_ALLOW", "args": [
        { "index": 0, "value": value, "valueTwo": 0, "op": "SCMP_CMP_EQ" },
    ] })
}
