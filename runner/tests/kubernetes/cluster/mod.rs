//! A cluster of one node in this process.

pub mod exec;
pub mod faults;
pub mod http;
pub mod logs;
pub mod node;
pub mod pod;
pub mod schema;
pub mod store;

use self::faults::Plan;
use self::store::Store;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Of the only user.
pub const TOKEN: &str = "loopback-token";
/// Uid of `kube-system`.
pub const CLUSTER_UID: &str = "6f9c1a50-5f6e-4a53-8d43-0e1c6f0e7a11";
pub const VERSION: &str = "v1.33.2";

pub struct Cluster {
    pub store: Store,
    pub plan: Plan,
    /// Names this cluster's containers and volumes in the engine.
    pub mark: String,
    /// Until when the API server is away.
    away: Mutex<Option<Instant>>,
    connections: Mutex<JoinSet<()>>,
}

/// The running server. What it made is gone when it is.
pub struct Loopback {
    pub cluster: Arc<Cluster>,
    pub kubeconfig: PathBuf,
    _folder: tempfile::TempDir,
    server: tokio::task::JoinHandle<()>,
}

impl Loopback {
    pub async fn start(plan: Plan) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let mark = format!(
            "hp-loopback-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let cluster = Arc::new(Cluster {
            store: Store::default(),
            plan,
            mark,
            away: Mutex::new(None),
            connections: Mutex::new(JoinSet::new()),
        });
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, kubeconfig_text(address)).unwrap();
        Self {
            server: tokio::spawn(serve(listener, Arc::clone(&cluster))),
            cluster,
            kubeconfig,
            _folder: folder,
        }
    }

    /// The API server goes away for so long. What runs on the node goes on.
    pub fn outage(&self, duration: Duration) {
        *self.cluster.away.lock().unwrap() = Some(Instant::now() + duration);
        self.cluster.connections.lock().unwrap().abort_all();
    }

    /// Waits until nothing of Holdpoint's is left.
    pub async fn until_empty(&self) -> Vec<String> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let left = self.cluster.store.names();
            if left.is_empty() || Instant::now() > deadline {
                return left;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.server.abort();
        node::clean(&self.cluster.mark);
    }
}

fn kubeconfig_text(address: SocketAddr) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: loopback\n\
         clusters: [{{name: loopback, cluster: {{server: \"http://{address}\"}}}}]\n\
         users: [{{name: loopback, user: {{token: {TOKEN}}}}}]\n\
         contexts: [{{name: loopback, context: {{cluster: loopback, user: loopback}}}}]\n"
    )
}

async fn serve(listener: TcpListener, cluster: Arc<Cluster>) {
    while let Ok((stream, _)) = listener.accept().await {
        if cluster.away.lock().unwrap().is_some_and(|until| Instant::now() < until) {
            continue;
        }
        let served = Arc::clone(&cluster);
        let service = service_fn(move |request| http::answer(Arc::clone(&served), request));
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connections = cluster.connections.lock().unwrap();
        while connections.try_join_next().is_some() {}
        // Broken connections are the client's to notice.
        connections.spawn(async move { drop(connection.await) });
    }
}
