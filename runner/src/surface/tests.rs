use super::*;
use std::collections::BTreeMap;

type Tree = BTreeMap<String, String>;

fn tree(files: &[(&str, &str)]) -> Tree {
    files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

fn opened(path: &str, before: &str, after: &str) -> CheckResult {
    compare(&tree(&[(path, before)]), &tree(&[(path, after)]))
}

/// File, before, after, and what the message must hold.
const OPENINGS: &[(&str, &str, &str, &str)] = &[
    // Routes.
    (
        "app.py",
        "",
        "@app.route('/admin', methods=['POST'])\ndef a(): pass\n",
        "new route: POST /admin",
    ),
    (
        "app.py",
        "",
        "@router.get(\"/items\")\nasync def a(): pass\n",
        "new route: GET /items",
    ),
    (
        "shop/urls.py",
        "urlpatterns = []\n",
        "urlpatterns = [path('admin/', admin.site.urls)]\n",
        "new route: PATH admin/",
    ),
    ("a.js", "", "app.post('/x', (req, res) => {})\n", "new route: POST /x"),
    ("a.js", "", "fastify.get('/x', async () => 1)\n", "new route: GET /x"),
    (
        "a.ts",
        "",
        "export class A {\n  @Get('x')\n  f() {}\n}\n",
        "new route: GET x",
    ),
    (
        "A.java",
        "",
        "class A {\n  @PostMapping(\"/x\")\n  void f() {}\n}\n",
        "new route: POSTMAPPING /x",
    ),
    ("main.go", "", "r.GET(\"/x\", f)\n", "new route: GET /x"),
    (
        "main.go",
        "",
        "http.HandleFunc(\"/x\", f)\n",
        "new route: HANDLEFUNC /x",
    ),
    (
        "main.rs",
        "",
        "let app = Router::new().route(\"/x\", post(f));\n",
        "new route: POST /x",
    ),
    ("main.rs", "", "#[get(\"/x\")]\nasync fn f() {}\n", "new route: GET /x"),
    ("config/routes.rb", "", "get '/x', to: 'a#b'\n", "new route: GET /x"),
    ("Program.cs", "", "app.MapPost(\"/x\", f);\n", "new route: MAPPOST /x"),
    // Guards.
    (
        "app.py",
        "@app.get('/x')\n@login_required\ndef f(): pass\n",
        "@app.get('/x')\ndef f(): pass\n",
        "guard removed: login_required of `f`",
    ),
    (
        "a.js",
        "app.get('/x', requireAuth, f)\n",
        "app.get('/x', f)\n",
        "guard removed: requireAuth of `/x`",
    ),
    (
        "A.java",
        "class A {\n@PreAuthorize(\"x\")\nvoid f(@Valid B b) {}\n}\n",
        "class A {\n@PreAuthorize(\"x\")\nvoid f(B b) {}\n}\n",
        "guard removed: Valid",
    ),
    ("a.js", "app.use(helmet())\n", "", "guard removed: helmet"),
    (
        "app.py",
        "@login_required\ndef f(): pass\n",
        "def renamed(): pass\n",
        "guard removed: login_required of `f`",
    ),
    (
        "app.py",
        "requests.get(u)\n",
        "requests.get(u, verify=False)\n",
        "TLS certificates aren't checked",
    ),
    (
        "A.java",
        "a.authenticated();\n",
        "a.permitAll();\n",
        "everybody is let in",
    ),
    (
        "app.py",
        "CORS(app)\n",
        "CORS(app, origins=\"*\")\n",
        "any origin may call (CORS)",
    ),
    (
        "app.py",
        "r.set_cookie('a', v)\n",
        "r.set_cookie('a', v, httponly=False)\n",
        "scripts may read the cookie",
    ),
    (
        "views.py",
        "def f(r): pass\n",
        "@csrf_exempt\ndef f(r): pass\n",
        "no CSRF protection",
    ),
    // Network.
    (
        "main.tf",
        "resource \"aws_security_group\" \"a\" {\n  ingress {\n    from_port = 22\n    cidr_blocks = [\"10.0.0.0/8\"]\n  }\n}\n",
        "resource \"aws_security_group\" \"a\" {\n  ingress {\n    from_port = 22\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n",
        "wider network: resource aws_security_group a > ingress open to",
    ),
    (
        "main.tf",
        "resource \"aws_security_group\" \"a\" {\n  ingress {\n    to_port = 443\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n",
        "resource \"aws_security_group\" \"a\" {\n  ingress {\n    to_port = 9999\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n",
        "to_port=9999",
    ),
    (
        "main.tf",
        "resource \"aws_db_instance\" \"a\" {\n}\n",
        "resource \"aws_db_instance\" \"a\" {\n  publicly_accessible = true\n}\n",
        "publicly_accessible = true",
    ),
    (
        "svc.yaml",
        "kind: Service\nspec:\n  type: ClusterIP\n",
        "kind: Service\nspec:\n  type: LoadBalancer\n",
        "wider network",
    ),
    (
        "ing.yaml",
        "",
        "kind: Ingress\nmetadata:\n  name: a\n",
        "wider network: Ingress/a kind = Ingress",
    ),
    (
        "docker-compose.yml",
        "services:\n  db:\n    image: x\n",
        "services:\n  db:\n    image: x\n    ports:\n      - \"5432:5432\"\n",
        "port 5432:5432 of `db`",
    ),
    ("Dockerfile", "FROM a\n", "FROM a\nEXPOSE 22\n", "EXPOSE 22"),
    // Privileges.
    (
        "Dockerfile",
        "FROM a\nUSER app\n",
        "FROM a\n",
        "restriction removed: USER that isn't root",
    ),
    (
        "Dockerfile",
        "FROM a\n",
        "FROM a\nUSER root\n",
        "more privileges: USER root",
    ),
    (
        "pod.yaml",
        "kind: Pod\n",
        "kind: Pod\nspec:\n  hostNetwork: true\n",
        "hostNetwork = true",
    ),
    (
        "pod.yaml",
        "kind: Pod\nspec:\n  containers:\n  - name: a\n",
        "kind: Pod\nspec:\n  containers:\n  - name: a\n    securityContext:\n      privileged: true\n",
        "privileged = true",
    ),
    // Access.
    (
        "iam.tf",
        "data \"aws_iam_policy_document\" \"a\" {\n  statement {\n    actions = [\"s3:GetObject\"]\n  }\n}\n",
        "data \"aws_iam_policy_document\" \"a\" {\n  statement {\n    actions = [\"s3:*\"]\n  }\n}\n",
        "wider permission",
    ),
    (
        "policy.json",
        "{\n  \"Action\": \"s3:GetObject\"\n}\n",
        "{\n  \"Action\": \"*\"\n}\n",
        "wider permission: Action *",
    ),
    (
        "role.yaml",
        "kind: ClusterRole\nmetadata:\n  name: a\nrules:\n- verbs: [\"get\"]\n",
        "kind: ClusterRole\nmetadata:\n  name: a\nrules:\n- verbs: [\"get\", \"delete\"]\n",
        "wider permission: ClusterRole/a",
    ),
    (
        ".github/workflows/a.yml",
        "on:\n  pull_request:\n",
        "on:\n  pull_request_target:\n",
        "pull_request_target",
    ),
    (
        ".github/workflows/a.yml",
        "permissions:\n  contents: read\n",
        "permissions:\n  contents: write\n",
        "permissions.contents = write",
    ),
    (
        ".github/workflows/a.yml",
        "permissions:\n  contents: read\n",
        "on: push\n",
        "restriction removed",
    ),
    // Hosts.
    ("a.py", "x = 1\n", "x = get('https://evil.io/x')\n", "new host: evil.io"),
    (
        ".env",
        "",
        "API=https://u:p@api.evil.io:8443/\n",
        "new host: api.evil.io",
    ),
    // Sinks.
    ("a.py", "", "os.system(x)\n", "`os.system` (shell)"),
    (
        "a.py",
        "subprocess.run([x])\n",
        "subprocess.run(x, shell=True)\n",
        "`subprocess.run` (shell)",
    ),
    (
        "a.py",
        "y = yaml.safe_load(x)\n",
        "y = yaml.load(x)\n",
        "`yaml.load` (deserialisation)",
    ),
    ("a.js", "", "cp.exec(x)\n", "`cp.exec` (shell)"),
    ("a.js", "", "eval(x)\n", "`eval` (eval)"),
    ("A.java", "", "Object o = in.readObject();\n", "(deserialisation)"),
    ("main.go", "", "exec.Command(x)\n", "`exec.Command` (process)"),
    // The tests' verdict.
    ("a.py", "", "import os, atexit\n", "`atexit` is for tests"),
    (
        "a.py",
        "import os\n",
        "import os\nos._exit(0)\n",
        "`os._exit` ends the process",
    ),
    (
        "a.py",
        "import os\n",
        "import os\nf(os._exit, 0)\n",
        "`os._exit` ends the process",
    ),
    ("a.py", "", "from unittest import result\n", "`unittest` is for tests"),
    ("a.py", "", "sys.modules['json'] = x\n", "`sys.modules` is for tests"),
    ("a.js", "", "process.exitCode = 0\n", "`exitCode` is changed"),
    ("a.js", "", "process.on('exit', f)\n", "`exit` is when the process ends"),
    ("a.js", "", "process.exit(0)\n", "`process.exit` ends the process"),
    (
        "a.js",
        "",
        "require(\"node:assert\").equal = () => {}\n",
        "`equal` is changed",
    ),
    (
        "a.mjs",
        "",
        "import test from 'node:test'\n",
        "`node:test` is for tests",
    ),
    ("a.ts", "", "globalThis.it = f\n", "`it` is changed"),
    (
        "a.rs",
        "",
        "fn f() { std::process::exit(0); }\n",
        "`std::process::exit` ends",
    ),
    ("main.go", "", "os.Exit(0)\n", "`os.Exit` ends the process"),
    (
        "A.java",
        "",
        "Runtime.getRuntime().halt(0);\n",
        "`halt` ends the process",
    ),
];

#[test]
fn each_opening_is_named_with_its_place() {
    let mut wrong = Vec::new();
    for (path, before, after, text) in OPENINGS {
        let result = opened(path, before, after);
        if result.verdict != Verdict::Failed
            || !result
                .details
                .iter()
                .any(|line| line.contains(text) && line.contains(path))
        {
            wrong.push(format!("{path}: {after:?}: {result:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_way_back_of_an_opening_opens_nothing() {
    let mut wrong = Vec::new();
    for (path, before, after, text) in OPENINGS {
        let result = opened(path, after, before);
        // What swaps one open port for another, or one guarded name for another, opens both ways.
        let both_ways =
            ["to_port=9999", "of `f`"].iter().any(|part| text.contains(part)) && result.verdict == Verdict::Failed;
        if result.verdict != Verdict::Passed && !both_ways {
            wrong.push(format!("{path}: {before:?}: {result:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_moves_or_is_reformatted_opens_nothing() {
    for (path, _, after, _) in OPENINGS {
        let ending = path.rsplit('/').next().unwrap();
        let indented = path.ends_with(".py") || path.ends_with("yml") || path.ends_with("yaml");
        let text = if indented {
            format!("\n\n{after}")
        } else {
            after.replace('\n', "\n\n   ")
        };
        let moved = tree(&[(&format!("elsewhere/{path}"), &text)]);
        let result = compare(&tree(&[(path, after)]), &moved);
        assert_eq!(result.verdict, Verdict::Passed, "{ending}: {after}: {result:?}");
    }
}

#[test]
fn the_usual_fixes_open_nothing() {
    for (path, before, after) in [
        (
            "a.py",
            "os.system('ls ' + x)\n",
            "subprocess.run(['ls', x], check=True)\n",
        ),
        (
            "a.py",
            "subprocess.call(x, shell=True)\n",
            "subprocess.call(shlex.split(x))\n",
        ),
        ("a.py", "h = hashlib.md5(x)\n", "h = hashlib.sha256(x)\n"),
        ("a.py", "y = yaml.load(x)\n", "y = yaml.safe_load(x)\n"),
        (
            "a.py",
            "@login_required\ndef f(): pass\n",
            "@permission_required('x')\ndef f(): pass\n",
        ),
        (
            "a.py",
            "@login_required\ndef f(): pass\n\ndef g(): pass\n",
            "def g(): pass\n",
        ),
        ("a.js", "cp.exec('ls ' + x)\n", "cp.execFile('ls', [x])\n"),
        ("a.js", "const m = /x/.exec(y)\n", "const m = /xy/.exec(y)\n"),
        ("a.js", "", "const assert = require('node:assert')\nassert(x === 1)\n"),
        (
            "a.js",
            "",
            "if (a.assert.ok === b) f()\nexports.test = f\nlog('exit')\n",
        ),
        ("a.py", "", "sys.exit(1)\nself.exit()\n"),
        ("a.js", "const v = cache.get('/x')\n", "const v = cache.get('/y')\n"),
        ("test_app.py", "", "client.get('https://evil.io')\nos.system('x')\n"),
        ("README.md", "", "See https://new.io\n"),
        ("a.py", "", "# see https://new.io\nx = 1\n"),
        ("requirements.txt", "urllib3==1.26.17\n", "urllib3==1.26.18\n"),
        ("a.xml", "", "<a xmlns=\"http://www.w3.org/1999/xhtml\"/>\n"),
    ] {
        let result = opened(path, before, after);
        assert_eq!(result.verdict, Verdict::Passed, "{path}: {after}: {result:?}");
    }
}

#[test]
fn a_changed_file_that_cannot_be_read_is_inconclusive_unless_it_is_inert() {
    let archive = |path: &str, bytes: &[u8]| {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, bytes).unwrap();
        builder.into_inner().unwrap()
    };
    let verdict = |path: &str| compare_archives(&archive(path, b"\xff"), &archive(path, b"\xfe")).verdict;
    assert_eq!(verdict("app.pyc"), Verdict::Inconclusive);
    assert_eq!(verdict("logo.png"), Verdict::Passed);
    assert_eq!(
        compare_archives(b"no archive, and too short", b"").verdict,
        Verdict::Inconclusive
    );
}

#[test]
fn a_module_in_the_place_of_the_test_runner_opens_something() {
    let base = tree(&[("app.py", "a = 1\n")]);
    for path in [
        "unittest.py",
        "pytest/__init__.py",
        "src/json.py",
        "sitecustomize.py",
        "a.pth",
        "node_modules/assert/index.js",
    ] {
        let opened = compare(&base, &tree(&[("app.py", "a = 1\n"), (path, "x = 1\n")]));
        assert_eq!(opened.verdict, Verdict::Failed, "{path}: {opened:?}");
        assert!(
            opened
                .details
                .iter()
                .chain([&opened.reason])
                .any(|line| line.contains("module shadowed")),
            "{opened:?}"
        );
    }
    let own = compare(&base, &tree(&[("app.py", "a = 1\n"), ("shop/json.py", "x = 1\n")]));
    assert_eq!(own.verdict, Verdict::Passed, "{own:?}");
}
