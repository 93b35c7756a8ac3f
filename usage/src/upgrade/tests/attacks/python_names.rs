use super::python::python;
use super::*;

#[test]
fn values_are_what_they_were() {
    for (was, is, client, answer) in [
        ("X = 1", "X = 2", "print(pkg.X)", "unknown"),
        ("X = 'a'", "X = 'b'", "pkg.X", "unknown"),
        ("X = -1", "X = 1", "pkg.X", "unknown"),
        ("X = 1", "X = make()", "pkg.X", "unknown"),
        ("X = (1, 2)", "X = (1, 2, 3)", "a, b = pkg.X", "unknown"),
        ("X = 1", "X = None", "pkg.X + 1", "unknown"),
        ("X = 1", "X = '1'", "pkg.X + 1", "type pkg.X"),
        ("X = make(1)", "X = make(2)", "pkg.X()", "unknown"),
        ("X = make(1)", "X = other(1)", "pkg.X", "unknown"),
        ("X = make(1)", "X = make(1)", "pkg.X()", "safe"),
        ("__version__ = '1.0'", "__version__ = '1.1'", "pkg.__version__", "safe"),
        (
            "class E(Enum):\n  A = 1",
            "class E(Enum):\n  A = 2",
            "pkg.E.A",
            "unknown",
        ),
        (
            "class E(Enum):\n  A = 1\n  B = 2",
            "class E(Enum):\n  A = 1",
            "pkg.E.B",
            "removed pkg.E.B",
        ),
        (
            "class E(Enum):\n  A = 1",
            "class E(Enum):\n  A = 1\n  B = 2",
            "pkg.E.A",
            "safe",
        ),
        ("X = 1", "def X(): return 1", "pkg.X + 1", "unknown"),
    ] {
        let with = |text: &str| format!("from enum import Enum\n{text}\n");
        hold(
            &[(&with(was), &with(is), &format!("import pkg\n{client}\n"), answer)],
            python,
        );
    }
}

#[test]
fn names_are_there_whatever_runs_them() {
    hold(
        &[
            (
                "def f(): pass\n",
                "import sys\nif sys.platform == 'win32':\n  def f(): pass\n",
                "from pkg import f\nf()\n",
                "unknown",
            ),
            (
                "def f(): pass\n",
                "import sys\nif sys.platform == 'win32':\n  def f(): pass\nelse:\n  def f(): pass\n",
                "from pkg import f\nf()\n",
                "safe",
            ),
            (
                "class T: pass\n",
                "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n  class T: pass\n",
                "from pkg import T\n",
                "unknown",
            ),
            (
                "def f(): pass\n",
                "def f(): pass\ndel f\n",
                "from pkg import f\n",
                "removed pkg.f app.py:1",
            ),
            (
                "def f(): pass\n",
                "def __getattr__(name): return load(name)\n",
                "from pkg import f\n",
                "removed pkg.f",
            ),
            (
                "def f(): pass\n",
                "def __getattr__(name): return globals()[name]\n",
                "from pkg import f\n",
                "unknown",
            ),
            (
                "def f(): pass\n",
                "from other import f\n",
                "from pkg import f\nf()\n",
                "unknown",
            ),
            (
                "def f(): pass\n",
                "from other import *\n",
                "from pkg import f\nf()\n",
                "unknown",
            ),
            (
                "def f(): pass\n",
                "exec('def f(): pass')\n",
                "from pkg import f\nf()\n",
                "removed",
            ),
            (
                "def f(): pass\ndef g(): pass\n",
                "def f(): pass\n",
                "from pkg import *\ng()\n",
                "unknown",
            ),
            ("def f(): pass\n", "f = make()\n", "from pkg import f\nf()\n", "unknown"),
            (
                "def f(): pass\n",
                "class f: pass\n",
                "from pkg import f\nf()\n",
                "unknown",
            ),
            (
                "class f: pass\n",
                "def f(): pass\n",
                "from pkg import f\nclass D(f): pass\n",
                "kind pkg.f app.py:2",
            ),
        ],
        python,
    );
}

#[test]
fn calls_are_held_against_all_of_a_signature() {
    for (was, is, call, answer) in [
        ("f(a)", "f(a, /)", "f(a=1)", "parameter-removed"),
        ("f(a)", "f(b)", "f(a=1)", "parameter-removed"),
        ("f(a, b=1)", "f(a, *, b=1)", "f(1, 2)", "keyword-only"),
        ("f(*args)", "f()", "f(1)", "parameter-removed"),
        ("f(*args)", "f(args)", "f(1, 2)", "parameter-removed"),
        ("f(*args)", "f(args)", "f(1)", "unknown"),
        ("f(**kw)", "f()", "f(a=1)", "parameter-removed"),
        ("f(**kw)", "f(a)", "f(b=1)", "parameter-removed"),
        ("f(a=1)", "f(a)", "f()", "parameter-added"),
        ("f(a=1)", "f(a=2)", "f()", "unknown"),
        ("f(a=1)", "f(a=None)", "f()", "unknown"),
        ("f(a, b=1)", "f(a, c=0, b=1)", "f(1, 2)", "parameter-reordered"),
        ("f(a, b=1)", "f(a)", "f(*x)", "unknown"),
        ("f(a, b=1)", "f(a)", "map(f, x)", "unknown"),
        ("f(a: int)", "f(a: str)", "f(1)", "type"),
        ("f(a: 'int | None')", "f(a: int)", "f(None)", "unknown"),
        ("f(a)", "f(a, b=1)", "f(1)", "safe"),
        ("f(a)", "f(a, *args, **kw)", "f(1)", "safe"),
    ] {
        let with = |text: &str| format!("def {text}: pass\n");
        hold(
            &[(&with(was), &with(is), &format!("from pkg import f\n{call}\n"), answer)],
            python,
        );
    }
    hold(
        &[
            (
                "def d(f): return f\n",
                "def d(a, b): return a\n",
                "from pkg import d\n@d\ndef x(): pass\n",
                "unknown",
            ),
            (
                "@cache\ndef f(): pass\n",
                "def f(): pass\n",
                "from pkg import f\nf.cache_clear()\n",
                "unknown",
            ),
            (
                "def f(): pass\n",
                "@click.command()\ndef f(): pass\n",
                "from pkg import f\nf()\n",
                "unknown",
            ),
            (
                "class C:\n  def hook(self, a): pass\n",
                "class C:\n  def hook(self, a, b): pass\n",
                "from pkg import C\nclass D(C):\n  def hook(self, a): pass\n",
                "unknown",
            ),
        ],
        python,
    );
}

#[test]
fn what_the_metadata_of_a_distribution_promises_is_kept() {
    let info = |head: &str| format!("Metadata-Version: 2.1\nName: pkg\nVersion: 1.0\n{head}\n");
    let source = ("pkg/__init__.py", "def f(): pass\n");
    let answer = |was: &str, is: &str, old_commands: &str, new_commands: &str| {
        let (was, is) = (info(was), info(is));
        let metadata = "pkg-1.0.dist-info/METADATA";
        let entries = "pkg-1.0.dist-info/entry_points.txt";
        told(&judged(
            Ecosystem::Pypi,
            read_python,
            &[
                ("1.0", &[source, (metadata, &was), (entries, old_commands)]),
                ("1.1", &[source, (metadata, &is), (entries, new_commands)]),
            ],
            &[("app.py", "from pkg import f\nf()\n")],
        ))
    };
    assert_eq!(answer("", "", "", ""), "safe");
    assert!(answer("Requires-Python: >=3.8", "Requires-Python: >=3.12", "", "").starts_with("unknown"));
    assert!(answer("Provides-Extra: fast", "", "", "").starts_with("unknown"));
    assert_eq!(answer("Provides-Extra: tests", "", "", ""), "safe");
    let command = "[console_scripts]\npkg = pkg:f\n";
    assert!(answer("", "", command, "").starts_with("unknown"));
    assert_eq!(answer("", "", command, command), "safe");
    assert!(answer("", "", "[pytest11]\npkg = pkg:f\n", "").starts_with("unknown"));
}

#[test]
fn what_is_there_only_to_fail_is_gone() {
    hold(
        &[
            (
                "def f(a): return go(a)\n",
                "def f(*a, **k):\n  'Removed.'\n  raise RuntimeError('removed')\n",
                "from pkg import f\nf(1)\n",
                "removed pkg.f app.py:2",
            ),
            (
                "def f(a): return go(a)\n",
                "def f(*a, **k): raise RuntimeError('removed')\n",
                "import pkg\nmap(pkg.f, x)\n",
                "unknown",
            ),
            (
                "def f(a): raise NotImplementedError\n",
                "def f(a): raise NotImplementedError()\n",
                "from pkg import f\nf(1)\n",
                "safe",
            ),
            (
                "def f(): pass\n",
                "raise ImportError('moved')\n",
                "import pkg\n",
                "removed pkg app.py:1",
            ),
            (
                "class E(Exception):\n  def __init__(self): self.code = 1\n",
                "class E(Exception): pass\n",
                "import pkg\ntry: pass\nexcept pkg.E as e: print(e.code)\n",
                "removed pkg.E.code app.py:3",
            ),
            (
                "from enum import Enum\nclass E(Enum):\n  A = 'a'\n  B = 'b'\n",
                "from enum import Enum\nclass E(Enum):\n  A = 'a'\n  C = 'c'\n",
                "from pkg import E\nE(text)\n",
                "unknown",
            ),
            (
                "class C:\n  def m(self): return go()\n",
                "class C:\n  def m(self): raise TypeError\n",
                "import pkg\npkg.C().m()\n",
                "removed pkg.C.m app.py:2",
            ),
        ],
        python,
    );
}

#[test]
fn a_submodule_is_there_only_when_something_loads_it() {
    let sub = ("pkg/sub.py", "def f(): pass\n");
    let core = ("pkg/core.py", "from .sub import f\n");
    let answer = |was: &str, is: &str, client: &str| {
        told(&judged(
            Ecosystem::Pypi,
            read_python,
            &[
                ("1.0", &[("pkg/__init__.py", was), core, sub]),
                ("1.1", &[("pkg/__init__.py", is), core, sub]),
            ],
            &[("app.py", client)],
        ))
    };
    let client = "import pkg\npkg.sub.f()\n";
    assert!(answer("from . import sub\n", "", client).starts_with("unknown"));
    assert!(answer("from .core import f\n", "", client).starts_with("unknown"));
    assert_eq!(answer("from . import sub\n", "from .core import f\n", client), "safe");
    assert_eq!(
        answer("from . import sub\n", "", "import pkg.sub\npkg.sub.f()\n"),
        "safe"
    );
    assert_eq!(
        answer("from . import sub\n", "", "from pkg import sub\nsub.f()\n"),
        "safe"
    );
}

#[test]
fn what_a_function_plainly_makes_is_compared() {
    let with = |class: &str| format!("{class}\ndef f(): return R()\n");
    for (was, is, client, answer) in [
        ("class R(dict): pass", "class R: pass", "json.dumps(f())", "unknown"),
        (
            "class R:\n  def __iter__(self): pass",
            "class R: pass",
            "consume(f())",
            "unknown",
        ),
        ("class R: pass", "class R: x = 1", "consume(f())", "safe"),
    ] {
        let client = format!("import json\nfrom pkg import f\n{client}\n");
        hold(&[(&with(was), &with(is), &client, answer)], python);
    }
    hold(
        &[
            (
                "class P(namedtuple('P', 'a b')): pass\n",
                "class P(namedtuple('P', 'a b c')): pass\n",
                "from pkg import P\nP(1, 2)\n",
                "unknown",
            ),
            (
                "P = namedtuple('P', 'a b')\n",
                "@dataclass\nclass P:\n  a: int\n  b: int\n",
                "from pkg import P\na, b = P(1, 2)\n",
                "unknown",
            ),
        ],
        python,
    );
}

#[test]
fn what_a_star_hands_on_is_what_its_module_lists() {
    let core = "def f(): pass\ndef g(): pass\n";
    let answer = |was: &str, is: &str| {
        let init = ("pkg/__init__.py", "from .core import *\n");
        told(&judged(
            Ecosystem::Pypi,
            read_python,
            &[
                ("1.0", &[init, ("pkg/core.py", was)]),
                ("1.1", &[init, ("pkg/core.py", is)]),
            ],
            &[("app.py", "from pkg import f\nf()\n")],
        ))
    };
    let with = |list: &str| format!("{core}{list}\n");
    assert!(answer(core, &with("__all__ = ['g']")).starts_with("removed pkg.f app.py:1"));
    assert_eq!(answer(core, &with("__all__ = ['g', 'f']")), "safe");
    assert_eq!(answer(core, &with("__all__ = ['g'] + more()")), "safe");
    assert_eq!(answer(core, &with("__all__ = ['g']\n__all__ += more")), "safe");
}

#[test]
fn functions_without_a_name_are_functions() {
    let client = "from pkg import f\nf(1)\n";
    hold(
        &[
            (
                "f = lambda a: a\n",
                "f = lambda a, b: a\n",
                client,
                "parameter-added pkg.f app.py:2",
            ),
            ("f = lambda a: a\n", "f = lambda a, b=1: a\n", client, "safe"),
            (
                "X = {'a': 1}\n",
                "X = {'b': 1}\n",
                "import pkg\npkg.X.get('a')\n",
                "unknown",
            ),
            (
                "X = ['a']\n",
                "X = ['a']  # same\n",
                "import pkg\npkg.X.index('a')\n",
                "safe",
            ),
        ],
        python,
    );
}
