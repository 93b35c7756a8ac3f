use super::*;
use holdpoint_schemas::Digest;
use holdpoint_schemas::approval::{
    APPROVAL_NAMESPACE, ApprovalStatement, OverrideStatement, ReviewStatement, SignedApproval, Verb,
};
use holdpoint_schemas::people::{PeopleFile, Person};
use ssh_key::private::{Ed25519Keypair, PrivateKey};
use ssh_key::{HashAlg, LineEnding, PublicKey};
use std::process::Command;

const NOW: &str = "2026-03-17T02:30:00Z";

pub(super) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn binding() -> Binding {
    Binding {
        estate: "an estate".to_owned(),
        diff: Digest::of_bytes(b"diff"),
        base: "1".repeat(40),
        tree: "2".repeat(40),
        target_branch: "main".to_owned(),
        repo: "payments".to_owned(),
        policies: Digest::of_bytes(b"policies"),
        schema: Digest::of_bytes(b"schema"),
        facts: Digest::of_bytes(b"facts"),
        evidence: Some(Digest::of_bytes(b"evidence")),
    }
}

pub(super) fn statement(by: &str) -> ApprovalStatement {
    ApprovalStatement {
        verb: Verb::Approve,
        fix: Digest::of_bytes(b"fix"),
        decision: Digest::of_bytes(b"decision"),
        binding: binding(),
        by: by.to_owned(),
        at: "2026-03-17T02:00:00Z".parse().unwrap(),
        expires: "2026-03-18T02:00:00Z".parse().unwrap(),
        comment: Some("read the diff, looks right".to_owned()),
    }
}

/// A key that is the same in each run.
pub(super) fn private_key(seed: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
}

pub(super) fn line(identity: &str, options: &str, key: &PrivateKey) -> String {
    format!("{identity} {options} {}\n", key.public_key().to_openssh().unwrap())
}

pub(super) fn approvers(text: &str) -> Approvers {
    Approvers::parse("approvers", text).unwrap()
}

fn sign_as(key: &PrivateKey, namespace: &str, statement: ApprovalStatement) -> SignedApproval {
    let signature = key
        .sign(namespace, HashAlg::Sha512, &message(&statement).unwrap())
        .unwrap()
        .to_pem(LineEnding::LF)
        .unwrap();
    SignedApproval { statement, signature }
}

fn signed_by(key: &PrivateKey, statement: ApprovalStatement) -> SignedApproval {
    sign_as(key, APPROVAL_NAMESPACE, statement)
}

#[test]
fn a_signature_of_the_named_person_is_accepted() {
    let key = private_key(1);
    let signed = signed_by(&key, statement("ana@example.com"));
    let approver = verify(&signed, &approvers(&line("ana@example.com", "", &key)), now()).unwrap();
    assert_eq!(approver.identity, "ana@example.com");
    assert_eq!(approver.person, key.fingerprint(HashAlg::Sha256).to_string());
}

#[test]
fn changing_any_part_of_the_statement_breaks_the_signature() {
    let key = private_key(1);
    let approvers = approvers(&line("ana,bo", "", &key));
    let changes: [fn(&mut ApprovalStatement); 8] = [
        |s| s.binding.estate = "another".to_owned(),
        |s| s.verb = Verb::Decline,
        |s| s.fix = Digest::of_bytes(b"other"),
        |s| s.binding.tree = "3".repeat(40),
        |s| s.binding.evidence = None,
        |s| s.expires = "2027-01-01T00:00:00Z".parse().unwrap(),
        |s| s.comment = None,
        |s| s.by = "bo".to_owned(),
    ];
    for change in changes {
        let mut signed = signed_by(&key, statement("ana"));
        change(&mut signed.statement);
        let error = verify(&signed, &approvers, now()).unwrap_err();
        assert!(matches!(error, ApprovalError::Forged { .. }), "{error}");
    }
}

#[test]
fn a_key_of_somebody_else_or_of_nobody_does_not_approve() {
    let (ana, bo, mallory) = (private_key(1), private_key(2), private_key(3));
    let approvers = approvers(&(line("ana", "", &ana) + &line("bo", "", &bo)));
    let error = verify(&signed_by(&bo, statement("ana")), &approvers, now()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the approval names `ana`, but was signed with a key of `bo`"
    );
    let error = verify(&signed_by(&mallory, statement("ana")), &approvers, now()).unwrap_err();
    assert!(error.to_string().ends_with("a key of nobody we know"), "{error}");
    let error = verify(&signed_by(&mallory, statement("mallory")), &approvers, now()).unwrap_err();
    assert_eq!(error.to_string(), "`mallory` is not in the approvers file");
}

#[test]
fn a_signature_made_for_something_else_does_not_approve() {
    let key = private_key(1);
    let signed = sign_as(&key, "git", statement("ana"));
    let error = verify(&signed, &approvers(&line("ana", "", &key)), now()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the signature is for `git`, not for `holdpoint-approval`"
    );
}

#[test]
fn an_approval_expires_and_does_not_come_from_the_future() {
    let key = private_key(1);
    let approvers = approvers(&line("ana", "", &key));
    let signed = signed_by(&key, statement("ana"));
    let expires = signed.statement.expires;
    let error = verify(&signed, &approvers, expires).unwrap_err();
    assert_eq!(error, ApprovalError::Expired { expired: expires });
    let error = verify(&signed, &approvers, "2026-03-17T01:59:59Z".parse().unwrap()).unwrap_err();
    assert!(matches!(error, ApprovalError::Future { .. }), "{error}");
}

#[test]
fn a_key_must_be_valid_when_it_signed_and_now_and_for_this_purpose() {
    let key = private_key(1);
    for (options, allowed) in [
        ("namespaces=\"holdpoint-approval\"", true),
        ("namespaces=\"git\"", false),
        ("valid-before=20260317021500Z", false),
        ("valid-after=20260317021500Z", false),
        ("valid-after=20260101Z,valid-before=20270101Z", true),
    ] {
        let approvers = approvers(&line("ana", options, &key));
        let verified = verify(&signed_by(&key, statement("ana")), &approvers, now());
        match verified {
            Ok(_) => assert!(allowed, "{options}"),
            Err(error) => assert!(
                !allowed && matches!(error, ApprovalError::KeyNotAllowed { .. }),
                "{options}: {error}"
            ),
        }
    }
}

#[test]
fn a_second_line_may_allow_what_the_first_does_not() {
    let key = private_key(1);
    let text = line("ana", "namespaces=\"git\"", &key) + &line("ana", "namespaces=\"holdpoint-*\"", &key);
    assert!(verify(&signed_by(&key, statement("ana")), &approvers(&text), now()).is_ok());
}

#[test]
fn one_key_under_two_identities_is_one_person_even_through_a_third() {
    let (laptop, desk, phone, other) = (private_key(1), private_key(2), private_key(3), private_key(4));
    let text = line("ana", "", &laptop)
        + &line("ana", "", &desk)
        + &line("ana.admin", "", &desk)
        + &line("ana.admin", "", &phone)
        + &line("root", "", &phone)
        + &line("bo", "", &other);
    let approvers = approvers(&text);
    let person = |key, by| {
        verify(&signed_by(key, statement(by)), &approvers, now())
            .unwrap()
            .person
    };
    let ana = person(&laptop, "ana");
    assert_eq!(person(&desk, "ana.admin"), ana);
    assert_eq!(person(&phone, "root"), ana);
    assert_ne!(person(&other, "bo"), ana);
}

#[test]
fn a_malformed_signature_is_refused() {
    let key = private_key(1);
    let approvers = approvers(&line("ana", "", &key));
    let good = signed_by(&key, statement("ana"));
    for signature in [
        String::new(),
        "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----".to_owned(),
        good.signature.replace("SSH SIGNATURE", "OPENSSH PRIVATE KEY"),
        good.signature.chars().take(120).collect(),
        "A".repeat(MAX_SIGNATURE_BYTES + 1),
    ] {
        let signed = SignedApproval {
            signature,
            ..good.clone()
        };
        let error = verify(&signed, &approvers, now()).unwrap_err();
        assert!(matches!(error, ApprovalError::Malformed { .. }), "{error}");
    }
}

#[test]
fn an_approval_is_bound_to_everything_it_was_given_for() {
    let statement = statement("ana");
    assert_eq!(bound_to(&statement.binding, &binding()), Ok(()));
    type Change = fn(&mut Binding);
    let changes: [(&str, Change); 10] = [
        ("estate was", |b| b.estate = "another".to_owned()),
        ("diff was", |b| b.diff = Digest::of_bytes(b"x")),
        ("base commit was", |b| b.base = "9".repeat(40)),
        ("tree was", |b| b.tree = "9".repeat(40)),
        ("target branch was `main`", |b| b.target_branch = "release".to_owned()),
        ("repo was `payments`", |b| b.repo = "ledger".to_owned()),
        ("policies was", |b| b.policies = Digest::of_bytes(b"x")),
        ("schema was", |b| b.schema = Digest::of_bytes(b"x")),
        ("facts was", |b| b.facts = Digest::of_bytes(b"x")),
        ("evidence was", |b| b.evidence = None),
    ];
    for (drift, change) in changes {
        let mut binding = binding();
        change(&mut binding);
        let drifted = bound_to(&statement.binding, &binding).unwrap_err();
        assert_eq!(drifted.len(), 1);
        assert!(drifted[0].starts_with(drift), "{drifted:?}");
    }
}

/// What people really sign with. Where OpenSSH is not installed, the in-memory signatures above
/// are the whole proof.
#[test]
fn signatures_of_ssh_keygen_are_accepted() {
    if Command::new("ssh-keygen").arg("-?").output().is_err() {
        eprintln!("ssh-keygen is not installed: its signatures are not tried");
        return;
    }
    for (kind, bits) in [("ed25519", "256"), ("ecdsa", "256"), ("rsa", "2048")] {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        let run = |command: &mut Command| {
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        run(Command::new("ssh-keygen")
            .args(["-q", "-t", kind, "-b", bits, "-N", "", "-C", "a comment", "-f"])
            .arg(&key));
        let statement = statement("ana@example.com");
        let file = folder.path().join("statement.json");
        std::fs::write(&file, message(&statement).unwrap()).unwrap();
        run(Command::new("ssh-keygen")
            .args(["-q", "-Y", "sign", "-n", APPROVAL_NAMESPACE, "-f"])
            .arg(&key)
            .arg(&file));
        let signature = std::fs::read_to_string(folder.path().join("statement.json.sig")).unwrap();
        let public = std::fs::read_to_string(folder.path().join("key.pub")).unwrap();
        let approvers = approvers(&format!("ana@example.com namespaces=\"holdpoint-approval\" {public}"));
        let by_us = sign(statement.clone(), &key).unwrap();
        assert!(verify(&by_us, &approvers, now()).is_ok(), "{kind}");
        let mut signed = SignedApproval { statement, signature };
        assert_eq!(
            verify(&signed, &approvers, now()).unwrap().identity,
            "ana@example.com",
            "{kind}"
        );
        signed.statement.comment = None;
        assert!(verify(&signed, &approvers, now()).is_err(), "{kind}");
    }
}

/// Signs as a FIDO security key does (OpenSSH PROTOCOL.u2f), with the flags given.
fn signed_by_security_key(flags: u8) -> (SignedApproval, Approvers) {
    use sha2::{Digest as _, Sha256};
    /// Signing raw bytes; the bound brings the method of a trait that isn't exported.
    fn raw(key: &impl ssh_key::SigningKey, bytes: &[u8]) -> Vec<u8> {
        key.try_sign(bytes).unwrap().as_bytes().to_vec()
    }
    let plain = private_key(1);
    let ed25519 = *plain.public_key().key_data().ed25519().unwrap();
    let public = KeyData::SkEd25519(ssh_key::public::SkEd25519::new(ed25519, "ssh:"));
    let statement = statement("ana");
    let signed = SshSig::signed_data(APPROVAL_NAMESPACE, HashAlg::Sha512, &message(&statement).unwrap()).unwrap();
    let trailer = [flags, 0, 0, 0, 7];
    let bytes = [
        Sha256::digest("ssh:").as_slice(),
        &trailer,
        Sha256::digest(&signed).as_slice(),
    ]
    .concat();
    let mut blob = raw(&plain, &bytes);
    blob.extend(trailer);
    let signature = ssh_key::Signature::new(ssh_key::Algorithm::SkEd25519, blob).unwrap();
    let signature = SshSig::new(public.clone(), APPROVAL_NAMESPACE, HashAlg::Sha512, signature)
        .unwrap()
        .to_pem(LineEnding::LF)
        .unwrap();
    let approvers = approvers(&format!("ana {}", PublicKey::from(public).to_openssh().unwrap()));
    (SignedApproval { statement, signature }, approvers)
}

#[test]
fn a_security_key_approves_only_when_it_was_touched() {
    let (signed, approvers) = signed_by_security_key(USER_PRESENT);
    assert_eq!(verify(&signed, &approvers, now()).unwrap().identity, "ana");
    let (signed, approvers) = signed_by_security_key(0);
    let error = verify(&signed, &approvers, now()).unwrap_err();
    assert!(error.to_string().ends_with("was not touched"), "{error}");
}

#[test]
fn a_signature_of_one_kind_is_worth_nothing_as_another() {
    let key = private_key(1);
    let approvers = approvers(&line("ana", "", &key));
    let ApprovalStatement {
        fix,
        decision,
        binding,
        by,
        at,
        expires,
        ..
    } = statement("ana");
    let emergency = OverrideStatement {
        fix,
        decision,
        binding,
        by: by.clone(),
        at,
        expires,
        reason: "it burns".to_owned(),
    };
    let review = ReviewStatement {
        of: Digest::of_bytes(b"override"),
        estate: "an estate".to_owned(),
        by,
        at,
        comment: "seen".to_owned(),
    };
    fn is_refused<S: Statement>(key: &PrivateKey, namespace: &str, statement: S, approvers: &Approvers) {
        let bytes = message(&statement).unwrap();
        let signature = key.sign(namespace, HashAlg::Sha512, &bytes).unwrap();
        let signature = signature.to_pem(LineEnding::LF).unwrap();
        let signed = SignedStatement { statement, signature };
        let verified = verify(&signed, approvers, now());
        assert_eq!(verified.is_ok(), namespace == S::NAMESPACE, "{namespace}: {verified:?}");
        assert_eq!(is_signed(&signed).is_ok(), namespace == S::NAMESPACE);
    }
    for namespace in ["holdpoint-approval", "holdpoint-override", "holdpoint-review", "file"] {
        is_refused(&key, namespace, statement("ana"), &approvers);
        is_refused(&key, namespace, emergency.clone(), &approvers);
        is_refused(&key, namespace, review.clone(), &approvers);
    }
}

#[test]
fn a_key_for_approvals_alone_signs_no_override() {
    let key = private_key(1);
    let approvers = approvers(&line("ana", "namespaces=\"holdpoint-approval\"", &key));
    let review = ReviewStatement {
        of: Digest::of_bytes(b"override"),
        estate: String::new(),
        by: "ana".to_owned(),
        at: now(),
        comment: "seen".to_owned(),
    };
    let signature = key
        .sign(ReviewStatement::NAMESPACE, HashAlg::Sha512, &message(&review).unwrap())
        .unwrap()
        .to_pem(LineEnding::LF)
        .unwrap();
    let signed = SignedStatement {
        statement: review,
        signature,
    };
    let error = verify(&signed, &approvers, now()).unwrap_err();
    assert!(error.to_string().contains("`holdpoint-approval` only"), "{error}");
}

#[test]
fn what_is_on_record_counts_no_longer_than_anyones_word_and_not_before_its_date() {
    let key = private_key(1);
    let approvers = approvers(&line("ana", "", &key));
    let signed = signed_by(&key, statement("ana"));
    let (at, day) = (signed.statement.at, Length::days(1));
    assert!(verify_recorded(&signed, &approvers, now(), at, day).is_ok());
    let short = verify_recorded(&signed, &approvers, now(), at, Length::hours(23)).unwrap_err();
    assert!(matches!(short, ApprovalError::TooLong { .. }), "{short}");
    let before = "2026-03-17T01:00:00Z".parse().unwrap();
    let early = verify_recorded(&signed, &approvers, now(), before, Length::days(7)).unwrap_err();
    assert!(matches!(early, ApprovalError::Postdated { .. }), "{early}");
}

/// Two names that are one person, each with a key of its own.
#[test]
fn two_names_of_one_person_are_one_person_under_two_keys() {
    let (first, second) = (private_key(1), private_key(2));
    let people = PeopleFile {
        roles: Vec::new(),
        people: vec![Person {
            name: "Ana Lopez".to_owned(),
            identities: vec!["ana@example.com".to_owned(), "lopez@example.org".to_owned()],
            ..Person::default()
        }],
    };
    for (one, other, same) in [
        ("ana@example.com", "ana@example.com", true),
        ("ana@example.com", "Ana@Example.com", true),
        ("ana@example.com", "ana+work@example.com", true),
        ("ana@example.com", "a.n.a@example.com", true),
        ("ana@example.com", "lopez@example.org", true),
        ("ANA@EXAMPLE.COM", "l.opez+x@example.org", true),
        ("ana@example.com", "ana@example.org", false),
        ("ana@example.com", "anna@example.com", false),
    ] {
        let text = line(one, "", &first) + &line(other, "", &second);
        let approvers = approvers(&text).with_people(people.clone());
        let person = |key, by| {
            verify(&signed_by(key, statement(by)), &approvers, now())
                .unwrap()
                .person
        };
        assert_eq!(person(&first, one) == person(&second, other), same, "{one} {other}");
        assert_eq!(person(&first, one), "Ana Lopez", "an entry names them");
        assert_eq!(approvers.person_of(" ana@EXAMPLE.com "), "Ana Lopez");
    }
}

#[test]
fn a_name_is_taken_letter_by_letter() {
    let key = private_key(1);
    let approvers = approvers(&line("ana@example.com", "", &key));
    for by in [
        "Ana@example.com",
        " ana@example.com",
        "ana@example.com\n",
        "\u{430}na@example.com",
        "",
    ] {
        let error = verify(&signed_by(&key, statement(by)), &approvers, now()).unwrap_err();
        assert!(
            matches!(error, ApprovalError::UnknownIdentity { .. }),
            "{by:?}: {error}"
        );
    }
}

#[test]
fn two_entries_that_share_a_key_are_one_person_with_the_roles_of_both() {
    let key = private_key(1);
    let person = |name: &str, role: &str| Person {
        name: name.to_owned(),
        identities: vec![format!("{name}@example.com")],
        roles: [role.to_owned()].into(),
        ..Person::default()
    };
    let people = PeopleFile {
        roles: Vec::new(),
        people: vec![person("bo", "security"), person("ana", "emergency")],
    };
    let text = line("ana@example.com,bo@example.com", "", &key);
    let approvers = approvers(&text).with_people(people);
    assert_eq!(approvers.person_of("bo@example.com"), "ana");
    assert_eq!(approvers.entries_of("ana").count(), 2);
    assert_eq!(approvers.entries_of("bo").count(), 0);
}
