//! A database that goes away in the middle of things: nothing is lost, nothing is there twice.

use holdpoint_ledger::{Ledger, PostgresOptions, Secret, Verification};
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::cluster::Cluster;
use crate::kill::Seeded;
use crate::place::{Place, at};

/// Entries that the writer appends in all.
const ENTRIES: u64 = 400;

#[test]
fn a_writer_outlives_restarts_crashes_and_cut_connections_of_the_database() {
    let Some(cluster) = Cluster::start(true) else { return };
    let cluster: &Cluster = Box::leak(Box::new(cluster));
    let place = Place::in_cluster(cluster);
    let mut ledger = place.open();
    let written = AtomicU64::new(0);
    let mut random = Seeded(11);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 1..=ENTRIES {
                ledger.append("run", at(1), &json!({ "n": n })).unwrap();
                written.store(n, Ordering::Relaxed);
            }
        });
        for point in 1..=20 {
            // After a number of entries that is the same each time, and a moment that isn't.
            let until = point * ENTRIES / 21 + random.below(5);
            while written.load(Ordering::Relaxed) < until && !writer.is_finished() {
                std::thread::sleep(Duration::from_millis(1));
            }
            match point % 4 {
                0 => cluster.crash(),
                1 => cluster.restart(),
                _ => {
                    // A connection that breaks off: the server's end is told to go.
                    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
                               AND application_name = 'holdpoint'";
                    cluster.client().batch_execute(cut).unwrap();
                }
            }
        }
        writer.join().unwrap();
    });
    assert_eq!(place.intact().size, ENTRIES);
    let entries = place.existing().unwrap().entries(None).unwrap();
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.body["n"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=ENTRIES).collect::<Vec<_>>());
}

#[test]
fn a_ledger_is_opened_while_its_database_is_being_restarted() {
    let Some(cluster) = Cluster::start(true) else { return };
    let options = PostgresOptions::new(Secret::new(cluster.url()));
    Ledger::open_postgres(&options)
        .unwrap()
        .append("run", at(1), &json!(1))
        .unwrap();
    for _ in 0..5 {
        cluster.crash();
        assert_eq!(
            Ledger::open_existing_postgres(&options).unwrap().head().unwrap().size,
            1
        );
    }
}

#[test]
fn a_database_that_stays_away_is_an_error_in_time() {
    let Some(cluster) = Cluster::start(false) else { return };
    let options = PostgresOptions {
        patience: Duration::from_millis(300),
        ..PostgresOptions::new(Secret::new(cluster.url()))
    };
    let mut ledger = Ledger::open_postgres(&options).unwrap();
    ledger.append("run", at(1), &json!(1)).unwrap();
    cluster.stop();
    let error = ledger.append("run", at(2), &json!(2)).unwrap_err().to_string();
    assert!(error.starts_with("the ledger failed while connecting again"), "{error}");
}

#[test]
fn a_commit_whose_answer_is_lost_is_not_made_twice() {
    let Some(Place::Postgres(options, cluster)) = Place::postgres() else {
        return;
    };
    let cutter = Cutter::before(cluster);
    let through = PostgresOptions {
        url: Secret::new(cutter.url()),
        ..options.clone()
    };
    let mut ledger = Ledger::open_postgres(&through).unwrap();
    for n in 1..=5 {
        cutter.armed.store(true, Ordering::SeqCst);
        let entry = ledger.append("run", at(n), &json!(n)).unwrap();
        assert!(!cutter.armed.load(Ordering::SeqCst), "no answer was withheld");
        assert_eq!(entry.seq, n as u64);
    }
    let entries = ledger.entries(None).unwrap();
    let bodies: Vec<_> = entries.iter().map(|entry| entry.body.clone()).collect();
    assert_eq!(bodies, [1, 2, 3, 4, 5]);
    assert!(matches!(ledger.verify(None).unwrap(), Verification::Intact { .. }));
}

/// Stands between a client and the server. Armed, it withholds the answer to the next commit of a write and breaks
/// the connection off.
struct Cutter {
    folder: tempfile::TempDir,
    armed: Arc<AtomicBool>,
}

impl Cutter {
    fn before(cluster: &Cluster) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let armed = Arc::new(AtomicBool::new(false));
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let server = cluster.socket();
        let disarm = Arc::clone(&armed);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                pump(client, UnixStream::connect(&server).unwrap(), &disarm);
            }
        });
        Self { folder, armed }
    }

    fn url(&self) -> String {
        format!("host={} user=holdpoint dbname=postgres", self.folder.path().display())
    }
}

/// Carries bytes both ways, on threads that end with the connection.
fn pump(client: UnixStream, server: UnixStream, armed: &Arc<AtomicBool>) {
    let cut = Arc::new(AtomicBool::new(false));
    let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (armed, cutting) = (Arc::clone(armed), Arc::clone(&cut));
    std::thread::spawn(move || {
        let mut bytes = [0; 65_536];
        let mut wrote = false;
        while let Ok(length @ 1..) = from_client.read(&mut bytes) {
            let text = String::from_utf8_lossy(&bytes[..length]);
            wrote |= text.contains("ISOLATION LEVEL READ COMMITTED");
            if wrote && text.contains("COMMIT\0") && armed.swap(false, Ordering::SeqCst) {
                cutting.store(true, Ordering::SeqCst);
            }
            if to_server.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        let _ = to_server.shutdown(Shutdown::Both);
    });
    let (mut from_server, mut to_client) = (server, client);
    std::thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while let Ok(length @ 1..) = from_server.read(&mut bytes) {
            if cut.load(Ordering::SeqCst) || to_client.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        let _ = to_client.shutdown(Shutdown::Both);
        let _ = from_server.shutdown(Shutdown::Both);
    });
}
