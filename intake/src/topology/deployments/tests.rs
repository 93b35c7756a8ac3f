use super::*;

fn read(name: &str, text: &str) -> Deployments {
    let deployments = read_deployments(&[(name, text.as_bytes())]);
    assert!(deployments.unreadable.is_empty(), "{deployments:?}");
    deployments
}

fn show(deployments: &Deployments) -> Vec<String> {
    let name = |claim: &DeploymentClaim| {
        let service = claim.target.service.as_ref().map_or("-", ServiceId::as_str);
        let repo = claim.target.repo.as_deref().unwrap_or("-");
        let branch = claim.branch.as_deref().unwrap_or("?");
        format!("{service} {repo} {}={branch}", claim.environment)
    };
    deployments.claims.iter().map(name).collect()
}

#[test]
fn argo_applications_deploy_their_revision() {
    let application = |name: &str, path: &str, revision: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\nspec:\n  destination: \
             {{namespace: shop}}\n  source: {{repoURL: 'https://git.example/acme/pay.git', path: {path}, \
             targetRevision: {revision}}}\n---\n"
        )
    };
    let text = [
        application("pay-prod", "overlays/production", "main"),
        application("pay-dev", "overlays/dev", "HEAD"),
        application("pay", "deploy", "release"),
        application("pinned-prod", "x", "v1.2.3"),
    ]
    .concat();
    let deployments = read("apps.yaml", &text);
    assert_eq!(
        show(&deployments),
        [
            "pay acme/pay development=?",
            "pay acme/pay production=main",
            "pay acme/pay shop=release",
        ]
    );
    assert!(deployments.skipped[0].contains("`pinned-prod` follows tags"));
}

#[test]
fn sets_of_applications_are_written_out_for_listed_elements() {
    let text = "apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: pay}
spec:
  generators:
  - list: {elements: [{env: production, rev: main}, {env: staging, rev: develop}]}
  template:
    metadata: {name: 'pay-{{.env}}'}
    spec:
      destination: {namespace: 'pay-{{env}}'}
      source: {repoURL: 'git@git.example:acme/pay.git', path: 'k8s/{{ env }}', targetRevision: '{{rev}}'}
---
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: other}
spec:
  generators: [{git: {repoURL: x}}]
  template: {metadata: {name: '{{path.basename}}'}, spec: {destination: {namespace: '{{path}}'}, source: {repoURL: y}}}
";
    let deployments = read("set.yaml", text);
    assert_eq!(
        show(&deployments),
        ["pay acme/pay production=main", "pay acme/pay staging=develop"]
    );
    assert!(deployments.skipped[0].contains("says not which environment"));
}

#[test]
fn flux_deploys_what_its_repository_follows() {
    let text = "apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: pay, namespace: flux}
spec: {url: 'ssh://git@git.example/acme/pay', ref: {branch: main}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: tagged, namespace: flux}
spec: {url: 'https://git.example/acme/pay', ref: {semver: '>=1.0'}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: pay, namespace: flux}
spec: {path: ./clusters/production, sourceRef: {kind: GitRepository, name: pay}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: pay-staging, namespace: flux}
spec: {path: ./x, sourceRef: {kind: GitRepository, name: elsewhere}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: pay-qa, namespace: flux}
spec: {path: ./x, sourceRef: {kind: GitRepository, name: tagged}}
";
    let deployments = read("flux.yaml", text);
    assert_eq!(show(&deployments), ["pay - staging=?", "pay acme/pay production=main"]);
    assert_eq!(deployments.skipped.len(), 2);
}

#[test]
fn github_workflows_deploy_from_the_branches_that_start_them() {
    let text = "on:
  push: {branches: [main, 'release/**']}
jobs:
  build: {runs-on: x}
  live: {environment: production, if: \"github.ref == 'refs/heads/main' && success()\"}
  stage: {environment: {name: staging, url: x}}
  loose: {environment: qa, if: \"github.ref == 'refs/heads/main' || failure()\"}
  dynamic: {environment: '${{ inputs.env }}'}
";
    let deployments = read("repos/pay/.github/workflows/ci.yaml", text);
    assert_eq!(
        show(&deployments),
        [
            "- pay production=main",
            "- pay qa=?",
            "- pay qa=main",
            "- pay staging=?",
            "- pay staging=main",
        ]
    );
    assert!(deployments.skipped[0].contains("`dynamic`"));
    let manual = read(
        ".github/workflows/x.yml",
        "on: workflow_dispatch\njobs: {a: {environment: production}}\n",
    );
    assert!(manual.claims.is_empty() && manual.skipped.len() == 1);
    let any = read(
        ".github/workflows/x.yml",
        "on: [push]\njobs: {a: {environment: production}}\n",
    );
    assert_eq!(show(&any), ["- - production=?"]);
    let tags = read(
        ".github/workflows/x.yml",
        "on: {push: {tags: ['v*']}}\njobs: {a: {environment: production}}\n",
    );
    assert!(tags.claims.is_empty());
}

#[test]
fn gitlab_jobs_deploy_from_the_branches_that_they_run_on() {
    let text = "
stages: [deploy]
.base: {environment: {name: production}}
live:
  extends: .base
  rules:
  - if: $CI_COMMIT_BRANCH == \"main\" && $X
  - if: $CI_COMMIT_TAG
  - {if: $CI_COMMIT_BRANCH == \"no\", when: never}
default: {environment: staging, rules: [{if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH}]}
old: {environment: qa, only: [develop, tags, /^x/]}
any: {environment: test}
review: {environment: 'review/$CI_COMMIT_REF_SLUG'}
stop: {environment: {name: production, action: stop}}
nested: {script: [!reference [.base, script]]}
";
    let deployments = read("pay/.gitlab-ci.yml", text);
    assert_eq!(
        show(&deployments),
        [
            "- pay production=main",
            "- pay qa=?",
            "- pay qa=develop",
            "- pay staging=?",
            "- pay test=?",
        ]
    );
    assert!(deployments.skipped[0].contains("`review`"));
}

#[test]
fn records_of_deployments_are_read() {
    let own =
        r#"[{"service":"Pay","environment":"production","branch":"refs/heads/main","at":"2026-01-01T00:00:00Z"}]"#;
    assert_eq!(show(&read("d.json", own)), ["pay - production=main"]);
    let github = r#"[{"id":1,"ref":"main","sha":"a","environment":"production",
        "repository_url":"https://git.example/repos/acme/pay"},
        {"ref":"0123456789012345678901234567890123456789","environment":"qa"},{"ref":"v1.0","environment":"x"}]"#;
    let deployments = read("d.json", github);
    assert_eq!(show(&deployments), ["- - qa=?", "- acme/pay production=main"]);
    assert_eq!(deployments.skipped.len(), 1);
    let broken = read_deployments(&[("d.json", br#"[{"environment":1,"service":2}]"#)]);
    assert_eq!(broken.unreadable.len(), 1);
}

#[test]
fn claims_join_what_is_known_and_an_unknown_branch_makes_all_unknown() {
    let service = |id: &str, repo: Option<&str>, deployments| {
        let mut service = super::super::part::blank(ServiceId::from(id), "c.yaml");
        service.repo = repo.map(str::to_owned);
        service.deployments = deployments;
        service
    };
    let staging = Deployment {
        environment: "staging".to_owned(),
        branch: "develop".to_owned(),
    };
    let mut catalogue = Catalogue {
        services: vec![
            service("pay", Some("pay"), Some(vec![staging.clone()])),
            service("worker", Some("pay"), None),
            service("other", Some("other"), Some(vec![staging.clone()])),
            service("free", None, Some(vec![staging])),
        ],
        ..Catalogue::default()
    };
    let claim = |service: Option<&str>, repo: Option<&str>, branch: Option<&str>| DeploymentClaim {
        target: Target {
            service: service.map(ServiceId::from),
            repo: repo.map(str::to_owned),
        },
        environment: "production".to_owned(),
        branch: branch.map(str::to_owned),
        source: "ci".to_owned(),
    };
    let left = apply(
        &mut catalogue,
        &[
            claim(None, Some("acme/pay"), Some("main")),
            claim(Some("other"), Some("acme/gitops"), Some("main")),
            claim(Some("free"), Some("acme/gitops"), None),
        ],
    );
    let known = |at: usize| catalogue.services[at].deployments.as_ref().map(Vec::len);
    assert_eq!(
        (known(0), known(1), known(2), known(3)),
        (Some(2), Some(1), Some(1), None)
    );
    assert_eq!(left.len(), 1);
}

#[test]
fn files_about_other_things_and_malformed_ones_are_told_apart() {
    let files: [(&str, &[u8]); 3] = [
        ("a.yaml", b"a: 1\n"),
        ("b.yaml", b"a: [\n"),
        (
            ".github/workflows/w.yml",
            b"jobs: {a: {environment: 3}, b: 7}\non: {push: 3}\n",
        ),
    ];
    let deployments = read_deployments(&files);
    assert_eq!((deployments.claims.len(), deployments.unreadable.len()), (0, 1));
}
