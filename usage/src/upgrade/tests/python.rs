use super::*;

fn python(old: &str, new: &str, client: &str) -> String {
    let requirements = ("requirements.txt", "pkg==1.0\n");
    let answer = judged(
        Ecosystem::Pypi,
        read_python,
        &[
            ("1.0", &[("pkg/__init__.py", old)]),
            ("1.1", &[("pkg/__init__.py", new)]),
        ],
        &[("app.py", client), requirements],
    );
    told(&answer)
}

#[test]
fn what_is_gone_breaks_whoever_uses_it_with_its_place() {
    let (old, new) = ("def a(): pass\ndef b(): pass\n", "def b(): pass\n");
    assert_eq!(
        python(old, new, "import os\nfrom pkg import a\n"),
        "removed pkg.a app.py:2"
    );
    assert_eq!(python(old, new, "import pkg\n\npkg.a()\n"), "removed pkg.a app.py:3");
    assert_eq!(python(old, new, "import pkg as p\np.b()\n"), "safe");
}

#[test]
fn a_call_is_held_against_the_parameters_as_they_are_now() {
    let old = "def f(a, b=1, c=2): pass\n";
    for (new, call, told) in [
        ("def f(a, b=1, c=2, d=3): pass", "f(1, c=3)", "safe"),
        ("def f(a, b=1): pass", "f(1, c=3)", "parameter-removed pkg.f app.py:2"),
        ("def f(a, b=1): pass", "f(1)", "safe"),
        (
            "def f(a, b=1, c=2, *, d): pass",
            "f(1)",
            "parameter-added pkg.f app.py:2",
        ),
        ("def f(a, *, b=1, c=2): pass", "f(1, 2)", "keyword-only pkg.f app.py:2"),
        ("def f(a, *, b=1, c=2): pass", "f(1, b=2)", "safe"),
        ("def f(b, a=1, c=2): pass", "f(1)", "parameter-reordered pkg.f app.py:2"),
        ("async def f(a, b=1, c=2): pass", "f(1)", "asyncness pkg.f app.py:2"),
    ] {
        assert_eq!(
            python(old, new, &format!("from pkg import f\n{call}\n")),
            told,
            "{new} {call}"
        );
    }
}

#[test]
fn what_may_mean_something_else_is_unknown() {
    let old = "def f(a, b=1): pass\n";
    for (new, call) in [
        ("def f(a, b=2): pass", "f(1)"),
        ("def f(a): pass", "f(*args)"),
        ("def f(x, b=1): pass", "f(1)"),
        ("@wrapped\ndef f(a, b=1): pass", "f(1)"),
        ("class f:\n  def __init__(self, a, b=1): pass", "f(1)"),
    ] {
        let told = python(old, new, &format!("from pkg import f\n{call}\n"));
        assert!(told.starts_with("unknown"), "{new}: {told}");
    }
}

#[test]
fn members_are_followed_through_what_makes_the_object() {
    let old = "class S:\n  def __init__(self): self.x = 1\n  def go(self, a): pass\n  def stay(self): pass\n";
    let new = "class S:\n  def __init__(self): self.x = 1\n  def stay(self): pass\n";
    assert_eq!(
        python(old, new, "import pkg\ns = pkg.S()\ns.go(1)\n"),
        "removed pkg.S.go app.py:3"
    );
    assert_eq!(python(old, new, "import pkg\ns = pkg.S()\ns.stay()\n"), "safe");
    assert_eq!(python(old, new, "import pkg\npkg.S().stay()\n"), "safe");
}

#[test]
fn a_member_of_an_object_that_comes_from_elsewhere_may_be_the_package_s() {
    let old = "class S:\n  def go(self, a): pass\ndef f(): pass\n";
    let new = "class S:\n  pass\ndef f(): pass\n";
    let told = python(old, new, "import pkg\npkg.f()\ndef use(s):\n  s.go(1)\n");
    assert!(told.starts_with("unknown: `pkg.S.go` at app.py:4"), "{told}");
    assert_eq!(
        python(old, new, "import pkg\npkg.f()\ndef use(s):\n  s.walk(1)\n"),
        "safe"
    );
}

#[test]
fn a_class_that_derives_from_one_of_the_package_breaks_with_what_it_overrides() {
    let old = "class Base:\n  def hook(self): pass\n  def run(self): self.hook()\n";
    let new = "class Base:\n  def run(self): pass\n";
    let client = "import pkg\nclass Mine(pkg.Base):\n  def hook(self): return 1\n";
    assert_eq!(python(old, new, client), "removed pkg.Base.hook app.py:2");
    let client = "import pkg\nclass Mine(pkg.Base):\n  def other(self): return 1\n";
    assert_eq!(python(old, new, client), "safe");
    let new = "from abc import ABC, abstractmethod\nclass Base(ABC):\n  @abstractmethod\n  def more(self): pass\n";
    assert!(python("class Base:\n  pass\n", new, client).starts_with("required pkg.Base"));
}

#[test]
fn what_is_made_on_demand_is_unknown_and_what_isn_t_there_is_gone() {
    let old = "def a(): pass\n";
    let lazy = "def __getattr__(name):\n  import importlib\n  return importlib.import_module(name)\n";
    assert!(python(old, lazy, "from pkg import a\n").starts_with("unknown"));
    let closed = "def __getattr__(name):\n  if name == 'v':\n    return 1\n  raise AttributeError(name)\n";
    assert_eq!(python(old, closed, "from pkg import a\n"), "removed pkg.a app.py:1");
    let kept = "def __getattr__(name):\n  if name == 'a':\n    return 1\n  raise AttributeError(name)\n";
    assert!(python(old, kept, "from pkg import a\n").starts_with("unknown"));
}

#[test]
fn star_imports_computed_names_and_native_modules_are_unknown() {
    let old = "def a(): pass\n";
    assert!(python(old, old, "from pkg import *\na()\n").starts_with("unknown"));
    assert!(python(old, old, "import pkg\ngetattr(pkg, name)()\n").starts_with("unknown"));
    let native = judged(
        Ecosystem::Pypi,
        |package, files, by| {
            let files: Vec<PackageFile<'_>> = files
                .iter()
                .map(|file| PackageFile {
                    path: file.path,
                    text: file.text.filter(|_| !file.path.ends_with(".so")),
                })
                .collect();
            read_python(package, &files, by)
        },
        &[
            (
                "1.0",
                &[
                    ("pkg/__init__.py", "from ._c import f\n"),
                    ("pkg/_c.cpython-311-x86_64-linux-gnu.so", ""),
                ],
            ),
            (
                "1.1",
                &[
                    ("pkg/__init__.py", "from ._c import f\n"),
                    ("pkg/_c.cpython-311-x86_64-linux-gnu.so", ""),
                ],
            ),
        ],
        &[("app.py", "from pkg import f\nf()\n")],
    );
    assert!(told(&native).contains("native code"), "{native:?}");
}

#[test]
fn names_lead_through_the_package_s_own_imports() {
    let modules = |init: &'static str, core: &'static str| -> Vec<(&'static str, &'static str)> {
        vec![
            ("pkg/__init__.py", init),
            ("pkg/core.py", core),
            ("pkg/deep/__init__.py", "from .core import *\n"),
            ("pkg/deep/core.py", core),
        ]
    };
    let old = modules("from .core import f\nfrom . import core\n", "def f(a): pass\n");
    let new = modules("from .core import f\nfrom . import core\n", "def f(a, b): pass\n");
    for client in [
        "import pkg\npkg.f(1)\n",
        "from pkg.core import f\nf(1)\n",
        "import pkg.deep\npkg.deep.f(1)\n",
    ] {
        let answer = judged(
            Ecosystem::Pypi,
            read_python,
            &[("1.0", &old), ("1.1", &new)],
            &[("app.py", client)],
        );
        assert!(
            told(&answer).starts_with("parameter-added"),
            "{client}: {}",
            told(&answer)
        );
    }
}

#[test]
fn a_major_release_with_changed_code_is_unknown_even_where_declarations_stay() {
    let files = |body: &'static str| -> Vec<(&'static str, &'static str)> { vec![("pkg/__init__.py", body)] };
    let (old, new) = (
        files("def g(): return 1\ndef f(): return g()\n"),
        files("def g(): return 2\ndef f(): return g()\n"),
    );
    let client: Files<'_> = &[("app.py", "from pkg import f\nf()\n")];
    let told_of = |version| {
        told(&judged(
            Ecosystem::Pypi,
            read_python,
            &[("1.0", &old), (version, &new)],
            client,
        ))
    };
    assert_eq!(told_of("1.1"), "safe");
    assert!(told_of("2.0").starts_with("unknown"), "{}", told_of("2.0"));
    let same = judged(Ecosystem::Pypi, read_python, &[("1.0", &old), ("2.0", &old)], client);
    assert_eq!(told(&same), "safe");
}

#[test]
fn what_was_gone_on_the_way_counts() {
    let with: Files<'_> = &[("pkg/__init__.py", "def f(): pass\n")];
    let without: Files<'_> = &[("pkg/__init__.py", "def g(): pass\n")];
    let client: Files<'_> = &[("app.py", "from pkg import f\n")];
    let answer = judged(
        Ecosystem::Pypi,
        read_python,
        &[("1.0", with), ("1.1", without), ("1.2", with)],
        client,
    );
    assert_eq!(told(&answer), "readded pkg.f app.py:1");
    let answer = judged(
        Ecosystem::Pypi,
        read_python,
        &[("1.0", with), ("1.1", without), ("1.2", without)],
        client,
    );
    let Verdict::Breaking { breaks, .. } = &answer.verdict else {
        panic!("{answer:?}")
    };
    assert_eq!(breaks[0].since.as_deref(), Some("1.1"));
}

#[test]
fn a_version_that_not_every_call_bears_is_a_major_one_without_a_client() {
    let bump = |old: &str, new: &str| {
        let read = |text: &str| {
            let file = PackageFile {
                path: "pkg/__init__.py",
                text: Some(text),
            };
            read_python("pkg", &[file], "tests")
        };
        difference(&read(old), &read(new)).bump
    };
    assert_eq!(bump("def f(a, b=1): pass\n", "def f(a, *, b=1): pass\n"), Bump::Major);
    assert_eq!(bump("def f(a): pass\n", "def f(a, b): pass\n"), Bump::Major);
    assert_eq!(bump("def f(a): pass\n", "def f(a, b=1): pass\n"), Bump::None);
    assert_eq!(bump("def f(a): pass\n", "def f(a): pass\ndef g(): pass\n"), Bump::Minor);
}
