//! Attacks on the machine's resources.

use super::attack::{Attack, Ends, as_they_are};
use holdpoint_runner::sandbox::control::Control;
use std::time::Duration;

pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "fork bomb",
        control: Control::ProcessBound,
        besides: &[],
        steps: &["
children = []
while len(children) < 120:
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    children.append(child)
worked()
for child in children: os.kill(child, signal.SIGKILL)"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "thread bomb",
        control: Control::ProcessBound,
        besides: &[],
        steps: &["
import threading
threading.stack_size(65536)
for _ in range(120): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
worked()
os._exit(0)"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "memory flood",
        control: Control::MemoryBound,
        besides: &[],
        steps: &["
kept = [bytearray(b'x') * (1 << 20) for _ in range(400)]
worked()"],
        ends: Ends::OutOfMemory,
        limits: as_they_are,
    },
    Attack {
        name: "memory flood hidden by the parent",
        control: Control::MemoryBound,
        besides: &[],
        steps: &["
child = subprocess.run([sys.executable, '-c', 'kept = [bytearray(b\"x\") * (1 << 20) for _ in range(400)]'])
if child.returncode == 0: worked()
os._exit(0)"],
        ends: Ends::OutOfMemory,
        limits: as_they_are,
    },
    Attack {
        name: "memory flood by files in /dev/shm",
        control: Control::MemoryBound,
        besides: &[],
        steps: &["
held = []
for _ in range(400):
    held.append(os.memfd_create('x'))
    os.write(held[-1], bytes(1 << 20))
worked()"],
        ends: Ends::OutOfMemory,
        limits: as_they_are,
    },
    Attack {
        name: "disk flood of /tmp",
        control: Control::DiskBound,
        besides: &[],
        steps: &["
with open('/tmp/flood', 'wb') as flood:
    for _ in range(64): flood.write(bytes(1 << 20))
worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "inode flood of /tmp",
        control: Control::DiskBound,
        besides: &[],
        steps: &["
for count in range(20000): os.close(os.open(f'/tmp/{count}', os.O_CREAT | os.O_WRONLY))
worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "disk flood of the workspace",
        control: Control::DiskBound,
        besides: &[],
        steps: &["
try:
    with open('/workspace/repo/flood', 'wb') as flood:
        for _ in range(96):
            flood.write(os.urandom(1 << 20))
        os.fsync(flood.fileno())
except OSError:
    sys.exit(1)
worked()"],
        ends: Ends::Full,
        limits: as_they_are,
    },
    Attack {
        name: "inode flood of the workspace",
        control: Control::DiskBound,
        besides: &[],
        steps: &["
os.mkdir('/workspace/repo/flood')
try:
    for count in range(60000): os.close(os.open(f'/workspace/repo/flood/{count}', os.O_CREAT | os.O_WRONLY))
except OSError:
    sys.exit(1)
worked()"],
        ends: Ends::Full,
        limits: as_they_are,
    },
    Attack {
        name: "log flood",
        control: Control::OutputBound,
        besides: &[],
        steps: &["
for _ in range(1000): print('x' * 200)
worked()
# The very end of an output is kept, whatever its length: the mark stands in front of that.
for _ in range(40): print('x' * 490)"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "log flood without line ends",
        control: Control::OutputBound,
        besides: &[],
        // The mark goes the same way as the flood: two streams have no order between them.
        steps: &["
sys.stdout = sys.stderr
for _ in range(1000): sys.stderr.write('x' * 200)
sys.stderr.write('\\n')
worked()
for _ in range(40): print('x' * 490, file=sys.stderr)"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "step without end",
        control: Control::TimeBound,
        besides: &[],
        steps: &["
for number in set(range(1, 32)) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}: signal.signal(number, signal.SIG_IGN)
time.sleep(5)
worked()"],
        ends: Ends::TimedOut,
        limits: |limits| limits.wall = Duration::from_secs(2),
    },
    Attack {
        name: "more CPU than its share",
        control: Control::CpuBound,
        besides: &[],
        steps: &["
for _ in range(20):
    began, used = time.monotonic(), time.process_time()
    while time.monotonic() - began < 0.5: pass
    if (time.process_time() - used) / (time.monotonic() - began) > 0.2:
        worked()
        break"],
        ends: Ends::GivesUp,
        limits: |limits| limits.cpu_millis = 80,
    },
];
