//! The system calls that a step may make. Whatever isn't listed is refused, so a call that the kernel
//! learns tomorrow is refused as well.
//!
//! Left out is what reaches beyond the step's own processes and files although it asks for no
//! capability (kernel keyrings, which no namespace divides; `io_uring`, whose requests go past this
//! very filter; `userfaultfd`, new namespaces), and what only ever serves an administrator.
//! Names as in syscalls(2).

/// Allowed whatever the arguments.
pub(crate) const ALLOWED: &str = "\
    accept accept4 access alarm arch_prctl bind brk cachestat capget capset chdir chmod chown clock_getres \
    clock_gettime clock_nanosleep close close_range connect copy_file_range creat dup dup2 dup3 epoll_create \
    epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve execveat exit exit_group \
    faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync \
    fgetxattr file_getattr file_setattr flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync \
    ftruncate futex futex_requeue futex_wait futex_waitv futex_wake futimesat get_robust_list getcpu getcwd \
    getdents getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid \
    getpriority getrandom getresgid getresuid getrlimit getrusage getsid getsockname getsockopt gettid \
    gettimeofday getuid getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch \
    io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit ioctl ioprio_get ioprio_set kill \
    landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lgetxattr link linkat listen \
    listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat madvise map_shadow_stack membarrier \
    memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mprotect \
    mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap mseal msgctl msgget msgrcv \
    msgsnd msync munlock munlockall munmap nanosleep newfstatat open openat openat2 pause pidfd_open \
    pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2 \
    prlimit64 process_vm_readv process_vm_writev pselect6 ptrace pwrite64 pwritev pwritev2 read readahead \
    readlink readlinkat readv recvfrom recvmmsg recvmsg removexattr removexattrat rename renameat renameat2 \
    restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn \
    rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min \
    sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity \
    sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop \
    sendfile sendmmsg sendmsg sendto set_robust_list set_tid_address setfsgid setfsuid setgid setgroups \
    setitimer setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setsockopt setuid \
    setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 socketpair splice stat \
    statfs statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete \
    timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill \
    truncate umask uname unlink unlinkat utime utimensat utimes vfork vmsplice wait4 waitid write writev";

/// Refused as if the kernel didn't know them (`ENOSYS`), because libraries then take another way:
/// `clone3` hides its flags in memory, where no filter sees them, and `io_uring` has `epoll` beside it.
pub(crate) const UNKNOWN: [&str; 4] = ["clone3", "io_uring_setup", "io_uring_enter", "io_uring_register"];

/// `ENOSYS`, errno(3).
pub(crate) const ENOSYS: u32 = 38;

/// Address families that `socket` may be asked for, socket(2): unix, IPv4, IPv6 and netlink (runtimes
/// list interfaces with it). Not vsock above all, which no network namespace divides: from inside a
/// virtual machine it reaches the host.
pub(crate) const ADDRESS_FAMILIES: [u64; 4] = [1, 2, 10, 16];

/// Flags of `clone` that make a namespace (`CLONE_NEW*`, clone(2)): with a user namespace a step
/// would have all capabilities inside it, and with them the kernel's least tested parts.
pub(crate) const NAMESPACE_FLAGS: u64 = 0x7e02_0000;

/// Values of `personality` that are no more than a question or a usual setting, personality(2):
/// Linux, 32 bits wide, without address randomisation (debuggers), and the question.
pub(crate) const PERSONALITIES: [u64; 4] = [0, 0x8, 0x0004_0000, 0xffff_ffff];

/// The names of [`ALLOWED`].
pub(crate) fn allowed() -> impl Iterator<Item = &'static str> {
    ALLOWED.split_ascii_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_beyond_the_step_is_not_allowed() {
        for name in [
            "mount",
            "unshare",
            "setns",
            "keyctl",
            "add_key",
            "bpf",
            "io_uring_setup",
            "userfaultfd",
            "clone",
            "clone3",
            "socket",
            "perf_event_open",
            "open_by_handle_at",
            "reboot",
            "init_module",
            "pivot_root",
            "personality",
        ] {
            assert!(allowed().all(|allowed| allowed != name), "{name}");
        }
    }

    #[test]
    fn names_are_sorted_and_stand_once() {
        let names: Vec<_> = allowed().collect();
        assert!(names.is_sorted_by(|a, b| a < b));
    }
}
