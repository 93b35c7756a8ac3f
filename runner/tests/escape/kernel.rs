//! Attacks on the kernel's interfaces, on privileges, and on other processes.

use super::attack::{Attack, Ends, as_they_are};
use holdpoint_runner::sandbox::control::Control;

pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "reads of /proc",
        control: Control::MaskedKernel,
        besides: &[],
        steps: &["
seen = []
for name in ['keys', 'kallsyms', 'interrupts', 'config.gz', 'partitions', 'key-users']:
    try:
        with open('/proc/' + name, 'rb') as file:
            if file.read(64): seen.append(name)
    except OSError: pass
print(seen)
if seen: worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "reads of /sys",
        control: Control::MaskedKernel,
        besides: &[],
        steps: &["
if os.listdir('/sys/firmware'): worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        // The program that the host's kernel runs, as root, when something crashes. Opened only.
        name: "writes to /proc",
        control: Control::MaskedKernel,
        besides: &[Control::UnprivilegedUser],
        steps: &["
os.close(os.open('/proc/sys/kernel/core_pattern', os.O_WRONLY))
worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "set-uid program",
        control: Control::NoNewPrivileges,
        besides: &[],
        // The program is held by a pipe that is full, and looked at meanwhile.
        steps: &["
programs = ['/usr/bin/' + name for name in ['mount', 'su', 'umount', 'passwd', 'chsh', 'newgrp']]
program = next(path for path in programs if os.path.exists(path) and os.stat(path).st_mode & 0o4000)
_, full = os.pipe()
os.set_blocking(full, False)
try:
    while True: os.write(full, bytes(4096))
except BlockingIOError: os.set_blocking(full, True)
child = subprocess.Popen([program, '--help'], stdout=full, stderr=full)
for _ in range(40):
    time.sleep(0.05)
    with open(f'/proc/{child.pid}/status') as status:
        uids = next(line.split() for line in status if line.startswith('Uid:'))
    if uids[2] == '0':
        worked()
        break
child.kill()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "raw socket",
        control: Control::NoCapabilities,
        besides: &[Control::UnprivilegedUser],
        steps: &["
socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "device of the host's disk",
        control: Control::NoCapabilities,
        besides: &[Control::UnprivilegedUser],
        steps: &["
import stat
os.mknod('/tmp/disk', 0o600 | stat.S_IFBLK, os.makedev(8, 0))
worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        // What the release agent of control groups v1 begins with. The group made is removed again.
        name: "host's control groups",
        control: Control::NoCapabilities,
        besides: &[Control::UnprivilegedUser, Control::Seccomp],
        steps: &["
os.mkdir('/tmp/groups')
for kind, options in [(b'cgroup', b'freezer'), (b'cgroup2', None)]:
    if libc.mount(b'none', b'/tmp/groups', kind, 0, options) == 0: break
else: raise OSError('no control groups')
os.mkdir('/tmp/groups/holdpoint-escaped')
os.rmdir('/tmp/groups/holdpoint-escaped')
worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "user namespace of its own",
        control: Control::Seccomp,
        besides: &[],
        steps: &["
system(272, 0x10000000)
worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "user namespace by clone3",
        control: Control::Seccomp,
        besides: &[],
        steps: &["
arguments = ctypes.create_string_buffer((0x10000000).to_bytes(8, 'little') + bytes(24) + (17).to_bytes(8, 'little') + bytes(24))
child = libc.syscall(435, arguments, 64)
if child == 0: os._exit(0)
if child < 0: raise OSError(ctypes.get_errno(), 'clone3')
os.waitpid(child, 0)
worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        // No namespace divides a user's keyring: the next candidate's step has the same one.
        name: "kernel keyring that other steps share",
        control: Control::Seccomp,
        besides: &[],
        steps: &["
system(248, b'user', b'holdpoint-escape', b'x', ctypes.c_size_t(1), -2)
worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        // No network namespace divides it, and from a virtual machine it reaches the host. Opened only.
        name: "vsock to the hypervisor",
        control: Control::Seccomp,
        besides: &[],
        steps: &["
socket.socket(40, socket.SOCK_STREAM)
worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "io_uring past the filter",
        control: Control::Seccomp,
        besides: &[],
        steps: &["
system(425, 4, ctypes.create_string_buffer(120))
worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "environment of a host process",
        control: Control::PrivateProcesses,
        besides: &[],
        steps: &["
for pid in filter(str.isdigit, os.listdir('/proc')):
    try:
        with open(f'/proc/{pid}/environ', 'rb') as file: seen = file.read()
    except OSError: continue
    if pid != str(os.getpid()) and b'HOLDPOINT_' + b'VICTIM=' in seen: worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "ptrace of a host process",
        control: Control::PrivateProcesses,
        besides: &[],
        steps: &["
for pid in map(int, filter(str.isdigit, os.listdir('/proc'))):
    try:
        with open(f'/proc/{pid}/cmdline', 'rb') as file: seen = file.read()
    except OSError: continue
    if b'holdpoint-' + b'victim' in seen and pid != os.getpid():
        system(101, 16, pid, 0, 0)
        os.waitpid(pid, 0x40000000)
        system(101, 17, pid, 0, 0)
        worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "signal to a host process",
        control: Control::PrivateProcesses,
        besides: &[],
        steps: &["
for pid in map(int, filter(str.isdigit, os.listdir('/proc'))):
    try:
        with open(f'/proc/{pid}/cmdline', 'rb') as file: seen = file.read()
    except OSError: continue
    if b'holdpoint-' + b'victim' in seen and pid != os.getpid():
        os.kill(pid, signal.SIGUSR1)
        worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        // Asked for only: signal 0 does nothing.
        name: "signal to the host's pid 1",
        control: Control::PrivateProcesses,
        besides: &[Control::UnprivilegedUser],
        steps: &["
os.kill(1, 0)
with open('/proc/1/comm') as file: name = file.read().strip()
print(name)
if name not in ('docker-init', 'tini', 'sh', 'python3', 'bwrap', 'holdpoint-init'): worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "shared memory left for another step",
        control: Control::PrivateIpc,
        besides: &[],
        steps: &[
            "
if libc.shmget(0x486f6c64, 4096, 0o1666) < 0: raise OSError('refused')",
            "
found = libc.shmget(0x486f6c64, 4096, 0)
if found < 0: raise OSError('nothing there')
libc.shmctl(found, 0, None)
worked()",
        ],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "files hidden outside of the workspace",
        control: Control::ReadOnlyRoot,
        besides: &[],
        steps: &["
for folder in ['/var/tmp', '/run', '/opt', '/etc', '/']:
    # What is /tmp by another name goes away with the step.
    if os.path.realpath(folder) == '/tmp': continue
    try:
        open(folder + '/hidden', 'w').close()
        worked()
        break
    except OSError: pass"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        // A library out of the workspace, loaded into every program that is started from then on.
        name: "LD_PRELOAD for everybody",
        control: Control::ReadOnlyRoot,
        besides: &[Control::UnprivilegedUser],
        steps: &["
with open('/tmp/evil.c', 'w') as file:
    file.write('#include <stdio.h>\\n__attribute__((constructor)) static void loaded(void) { puts(\"loaded\"); }')
import shutil
subprocess.run([shutil.which('cc') or 'gcc', '-shared', '-fPIC', '-o', '/tmp/evil.so', '/tmp/evil.c'], check=True)
with open('/etc/ld.so.preload', 'w') as file: file.write('/tmp/evil.so\\n')
if b'loaded' in subprocess.run(['/usr/bin/true'], capture_output=True).stdout: worked()"],
        ends: Ends::GivesUp,
        limits: |limits| limits.tmp_mib = 32,
    },
];
