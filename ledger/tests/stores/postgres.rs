//! What there is only in PostgreSQL: TLS, roles, a server that is busy, full or of another program.

use holdpoint_ledger::{Ledger, LedgerError, PostgresOptions, Secret, Verification};
use serde_json::json;
use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::place::{Place, at};

#[test]
fn a_server_is_spoken_to_over_tls_and_only_with_a_certificate_that_is_trusted() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let Some(_cluster) = Cluster::with_tls(port, &certificate, &key) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, certificate).unwrap();
    let url = format!("postgresql://holdpoint@localhost:{port}/postgres?sslmode=require");
    let trusting = PostgresOptions {
        ca_file: Some(ca_file),
        ..PostgresOptions::new(Secret::new(&url))
    };
    let mut ledger = Ledger::open_postgres(&trusting).unwrap();
    ledger.append("run", at(1), &json!(1)).unwrap();
    let mut raw = _cluster.client();
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) \
                     WHERE application_name = 'holdpoint'";
    assert!(raw.query_one(encrypted, &[]).unwrap().get::<_, bool>(0));

    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other = folder.path().join("other.pem");
    std::fs::write(&other, made.cert.pem()).unwrap();
    let strangers = PostgresOptions {
        ca_file: Some(other),
        ..trusting.clone()
    };
    let error = Ledger::open_postgres(&strangers).err().unwrap().to_string();
    assert!(error.contains("certificate"), "{error}");
    // The same server by a name that its certificate doesn't have.
    let by_address = PostgresOptions {
        url: Secret::new(url.replace("localhost", "127.0.0.1")),
        ..trusting
    };
    let error = Ledger::open_postgres(&by_address).err().unwrap().to_string();
    assert!(error.contains("certificate"), "{error}");
}

#[test]
fn a_role_that_owns_nothing_can_append_and_prune_and_not_take_fences_down() {
    let Some(place @ Place::Postgres(..)) = Place::postgres() else {
        return;
    };
    let Place::Postgres(options, cluster) = &place else {
        unreachable!()
    };
    place.open();
    let schema = &options.schema;
    place.sql(&format!(
        "CREATE ROLE {schema}_app LOGIN; GRANT USAGE ON SCHEMA {schema} TO {schema}_app;
         GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA {schema} TO {schema}_app;
         GRANT UPDATE ON entry, lease, append TO {schema}_app; GRANT DELETE ON append TO {schema}_app"
    ));
    let as_role = PostgresOptions {
        url: Secret::new(cluster.url().replace("user=holdpoint", &format!("user={schema}_app"))),
        ..options.clone()
    };
    let mut ledger = Ledger::open_postgres(&as_role).unwrap();
    let folder = tempfile::tempdir().unwrap();
    ledger.append("run", at(1), &json!(1)).unwrap();
    assert_eq!(ledger.prune(&[1].into(), folder.path(), at(2)).unwrap().bodies, 1);
    ledger
        .lease("run", "a", Duration::from_secs(9), at(1))
        .unwrap()
        .unwrap();
    assert!(matches!(
        ledger.verify(None).unwrap(),
        Verification::Intact { pruned: 1, .. }
    ));
    for sql in [
        "ALTER TABLE entry DISABLE TRIGGER ALL",
        "DROP TRIGGER entry_no_delete ON entry",
        "DELETE FROM entry",
        "TRUNCATE entry",
        "UPDATE checkpoint SET root = ''",
    ] {
        let refused = place.try_sql(&format!("SET ROLE {schema}_app; {sql}")).unwrap_err();
        assert!(
            refused.contains("must be owner") || refused.contains("permission denied"),
            "{sql}: {refused}"
        );
    }
}

#[test]
fn a_full_disk_is_said_and_leaves_nothing_half_written() {
    let Some(place) = Place::postgres() else { return };
    let mut ledger = place.open();
    ledger.append("run", at(1), &json!(1)).unwrap();
    // What the server says when a file can't grow.
    place.sql(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
         'BEGIN RAISE EXCEPTION USING ERRCODE = ''disk_full'', MESSAGE = ''no space left on device''; END';
         CREATE TRIGGER full_disk AFTER INSERT ON checkpoint FOR EACH ROW EXECUTE FUNCTION full_disk()",
    );
    let error = ledger.append("run", at(2), &json!(2)).unwrap_err();
    assert!(matches!(error, LedgerError::Full { .. }), "{error}");
    place.sql("DROP TRIGGER full_disk ON checkpoint; DROP FUNCTION full_disk()");
    assert_eq!(place.intact().size, 1);
    ledger.append("run", at(2), &json!(2)).unwrap();
}

#[test]
fn a_process_that_stops_in_its_turn_holds_up_the_others_only_for_a_while() {
    let Some(place) = Place::postgres() else { return };
    let Place::Postgres(options, cluster) = &place else {
        unreachable!()
    };
    let mut ledger = place.open();
    // A client that took its turn, with our settings, and says nothing any more.
    let mut silent = cluster.client();
    silent
        .batch_execute(&format!(
            "SET search_path TO {}; SET idle_in_transaction_session_timeout = '{}ms'; BEGIN;
             SELECT pg_advisory_xact_lock(1212436564, ('entry'::regclass::oid::bigint % 2147483647)::int)",
            options.schema,
            options.idle.as_millis()
        ))
        .unwrap();
    let begun = Instant::now();
    ledger.append("run", at(1), &json!(1)).unwrap();
    let waited = begun.elapsed();
    assert!(
        waited >= options.idle / 2 && waited < Duration::from_secs(25),
        "{waited:?}"
    );
    assert!(silent.batch_execute("COMMIT").is_err());
}

#[test]
fn a_schema_of_another_program_or_a_later_version_is_refused_and_left_alone() {
    let Some(place) = Place::postgres() else { return };
    let Place::Postgres(options, cluster) = &place else {
        unreachable!()
    };
    let schema = &options.schema;
    (cluster.client())
        .batch_execute(&format!("CREATE SCHEMA {schema}; CREATE TABLE {schema}.entry (x int)"))
        .unwrap();
    let error = Ledger::open_postgres(options).err().unwrap();
    assert!(matches!(error, LedgerError::NotALedger { .. }), "{error}");
    place.sql("DROP TABLE entry");
    place.open();
    place.sql("INSERT INTO migration (format, name) VALUES (7, 'later')");
    let error = Ledger::open_postgres(options).err().unwrap();
    assert!(matches!(error, LedgerError::LaterFormat { found: 7, .. }), "{error}");
}

#[test]
fn several_that_open_an_empty_schema_at_once_make_one_ledger() {
    let Some(place) = Place::postgres() else { return };
    std::thread::scope(|scope| {
        for n in 0..6 {
            let place = &place;
            scope.spawn(move || place.open().append("run", at(n), &json!(n)).unwrap());
        }
    });
    assert_eq!(place.intact().size, 6);
}

#[test]
fn a_server_that_is_not_there_is_an_error_without_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("host={} user=u password=hunter2 dbname=d", folder.path().display());
    let error = Ledger::open_postgres(&PostgresOptions::new(Secret::new(url)))
        .err()
        .unwrap();
    let shown = format!("{error} {error:?}");
    assert!(
        matches!(error, LedgerError::Open { .. }) && !shown.contains("hunter2"),
        "{shown}"
    );
}
