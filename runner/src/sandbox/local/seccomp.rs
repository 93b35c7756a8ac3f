//! The filter of system calls, after Docker's default profile: what it lets a process without
//! capabilities do, less `io_uring`, which later versions of it refuse as well.
//!
//! Two filters work together; the kernel takes the stricter answer (seccomp(2)). The first knows the
//! system calls there are, and calls the rest "not implemented", `clone3` among them: its flags can't be
//! looked at, and libraries then fall back on `clone`. The second refuses, by "not permitted".

use seccompiler::{BpfProgram, TargetArch, compile_from_json};
use serde_json::{Value, json};

/// `ENOSYS`, for what the filter doesn't know: programs try an older call then.
const NOT_IMPLEMENTED: u32 = 38;
/// `EPERM`.
const NOT_PERMITTED: u32 = 1;
/// `CLONE_NEWNS`, `…CGROUP`, `…UTS`, `…IPC`, `…USER`, `…PID`, `…NET` (clone(2)): whoever makes a user namespace has
/// capabilities in it, and with them reaches far more of the kernel.
const NEW_NAMESPACES: [u64; 7] = [
    0x0002_0000,
    0x0200_0000,
    0x0400_0000,
    0x0800_0000,
    0x1000_0000,
    0x2000_0000,
    0x4000_0000,
];
/// `AF_UNIX`, `AF_INET`, `AF_INET6`, `AF_NETLINK`, `AF_PACKET` (socket(2)). Raw and packet sockets need a capability that
/// no step has. Not `AF_VSOCK`, which reaches the host of a virtual machine, nor rare protocols.
const FAMILIES: [u64; 5] = [1, 2, 10, 16, 17];
/// Personalities (personality(2)): Linux, 32 bit address space of old, both with their `UNAME26`, and "tell me".
const PERSONALITIES: [u64; 5] = [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// Allowed, on every architecture.
const ALLOWED: &str = "
accept accept4 adjtimex bind brk capget capset chdir clock_adjtime clock_getres clock_gettime clock_nanosleep clone
close close_range connect copy_file_range dup dup3 epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 eventfd2 execve
execveat exit exit_group faccessat faccessat2 fadvise64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown
fchownat fcntl fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex
futex_requeue futex_wait futex_waitv futex_wake getcpu getcwd getdents64 getegid geteuid getgid getgroups getitimer
getpeername getpgid getpid getppid getpriority getrandom getresgid getresuid getrlimit get_robust_list getrusage getsid
getsockname getsockopt gettid gettimeofday getuid getxattr inotify_add_watch inotify_init1 inotify_rm_watch io_cancel
ioctl io_destroy io_getevents io_pgetevents ioprio_get ioprio_set io_setup io_submit kill landlock_add_rule
landlock_create_ruleset landlock_restrict_self lgetxattr linkat listen listxattr llistxattr lremovexattr lseek
lsetxattr madvise membarrier memfd_create memfd_secret mincore mkdirat mknodat mlock mlock2 mlockall mmap mprotect
mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap msgctl msgget msgrcv msgsnd msync munlock
munlockall munmap name_to_handle_at nanosleep openat openat2 personality pidfd_open pidfd_send_signal pipe2 pkey_alloc
pkey_free pkey_mprotect ppoll prctl pread64 preadv preadv2 prlimit64 process_mrelease process_vm_readv
process_vm_writev pselect6 ptrace pwrite64 pwritev pwritev2 read readahead readlinkat readv recvfrom recvmmsg recvmsg
remap_file_pages removexattr renameat renameat2 restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask
rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_getaffinity sched_getattr
sched_getparam sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval
sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp semctl semget semop semtimedop
sendfile sendmmsg sendmsg sendto setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid setresgid
setresuid setreuid setrlimit set_robust_list setsid setsockopt set_tid_address setuid setxattr shmat shmctl shmdt
shmget shutdown sigaltstack signalfd4 socket socketpair splice statfs statx symlinkat sync sync_file_range syncfs
sysinfo tee tgkill timer_create timer_delete timerfd_create timerfd_gettime timerfd_settime timer_getoverrun
timer_gettime timer_settime times tkill truncate umask uname unlinkat utimensat vmsplice wait4 waitid write writev";

/// Allowed, where there are such calls of old.
const ALLOWED_X86_64: &str = "
access alarm arch_prctl chmod chown creat dup2 epoll_create epoll_ctl_old epoll_wait epoll_wait_old eventfd fork
futimesat getdents getpgrp get_thread_area inotify_init lchown link lstat mkdir mknod modify_ldt newfstatat open pause
pipe poll readlink rename rmdir select set_thread_area signalfd stat symlink time unlink utime utimes vfork";

/// Refused: what Docker lets nobody do who has no capability.
const REFUSED: &str = "
acct add_key bpf chroot clock_settime delete_module fanotify_init finit_module fsconfig fsmount fsopen fspick
get_mempolicy init_module io_uring_enter io_uring_register io_uring_setup kcmp kexec_file_load kexec_load keyctl
mbind migrate_pages mount mount_setattr move_mount move_pages nfsservctl open_by_handle_at open_tree perf_event_open
pidfd_getfd pivot_root process_madvise quotactl quotactl_fd reboot request_key set_mempolicy set_mempolicy_home_node
setdomainname sethostname setns settimeofday swapoff swapon syslog umount2 unshare userfaultfd vhangup";

/// Refused, where there are such calls.
const REFUSED_X86_64: &str = "create_module get_kernel_syms ioperm iopl lookup_dcookie query_module sysfs uselib ustat";

/// Why there is no filter.
#[derive(Debug, thiserror::Error)]
pub(super) enum FilterError {
    /// Not an architecture that filters are made for.
    #[error("there is no system call filter for this kind of processor: {0}")]
    Architecture(String),
    /// The lists are wrong.
    #[error("the system call filter can't be made: {0}")]
    Compile(String),
}

/// Both filters for the processor that this runs on, as bubblewrap takes them: an array of
/// `struct sock_filter` (linux/filter.h).
pub(super) fn filters() -> Result<[Vec<u8>; 2], FilterError> {
    let arch: TargetArch = std::env::consts::ARCH
        .try_into()
        .map_err(|error: seccompiler::BackendError| FilterError::Architecture(error.to_string()))?;
    compile(arch)
}

fn compile(arch: TargetArch) -> Result<[Vec<u8>; 2], FilterError> {
    let old = arch == TargetArch::x86_64;
    let list = |common: &'static str, x86_64: &'static str| -> Vec<&'static str> {
        let x86_64 = if old { x86_64 } else { "" };
        common.split_whitespace().chain(x86_64.split_whitespace()).collect()
    };
    let refused = list(REFUSED, REFUSED_X86_64);
    let known = list(ALLOWED, ALLOWED_X86_64).into_iter().chain(refused.iter().copied());
    let known: Vec<Value> = known.map(|name| json!({"syscall": name})).collect();
    let mut rules: Vec<Value> = refused.into_iter().map(|name| json!({"syscall": name})).collect();
    for flag in NEW_NAMESPACES {
        let set = json!({"index": 0, "type": "qword", "op": {"masked_eq": flag}, "val": flag});
        rules.push(json!({"syscall": "clone", "args": [set]}));
    }
    rules.push(none_of("socket", &FAMILIES));
    rules.push(none_of("personality", &PERSONALITIES));
    let filters = json!({
        "known": {"mismatch_action": {"errno": NOT_IMPLEMENTED}, "match_action": "allow", "filter": known},
        "refused": {"mismatch_action": "allow", "match_action": {"errno": NOT_PERMITTED}, "filter": rules},
    });
    let mut programs = compile_from_json(filters.to_string().as_bytes(), arch)
        .map_err(|error| FilterError::Compile(error.to_string()))?;
    let mut take = |name: &str| {
        let program = programs.remove(name);
        program
            .map(|program| bytes(&program))
            .ok_or_else(|| FilterError::Compile(format!("no `{name}`")))
    };
    Ok([take("known")?, take("refused")?])
}

/// Matches when the first argument, of 32 bits, is none of these.
fn none_of(syscall: &str, values: &[u64]) -> Value {
    let args: Vec<Value> = values
        .iter()
        .map(|value| json!({"index": 0, "type": "dword", "op": "ne", "val": value}))
        .collect();
    json!({"syscall": syscall, "args": args})
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
    fn filters_compile_for_every_processor_that_bubblewrap_and_rust_are_packaged_for() {
        for arch in [TargetArch::x86_64, TargetArch::aarch64] {
            for filter in compile(arch).unwrap() {
                assert!(filter.len() % 8 == 0 && filter.len() / 8 < MAX_INSTRUCTIONS);
            }
        }
    }

    #[test]
    fn nothing_is_both_allowed_and_refused() {
        let allowed: Vec<_> = ALLOWED
            .split_whitespace()
            .chain(ALLOWED_X86_64.split_whitespace())
            .collect();
        for name in REFUSED.split_whitespace().chain(REFUSED_X86_64.split_whitespace()) {
            assert!(!allowed.contains(&name), "{name}");
        }
        assert!(!allowed.contains(&"clone3"));
    }
}
