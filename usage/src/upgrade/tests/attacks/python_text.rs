use super::python::python;
use super::*;

#[test]
fn names_in_texts_are_uses_where_the_package_has_them() {
    let (was, is) = ("class Mid: pass\ndef _p(): pass\n", "class Mid2: pass\ndef q(): pass\n");
    for (client, answer) in [
        (
            "MIDDLEWARE = ['pkg.Mid']\nimport pkg\n",
            "unknown: `pkg.Mid` at app.py:1",
        ),
        ("import pkg\nCFG = {'class': 'pkg.Mid'}\n", "unknown"),
        ("import pkg\nmain = 'pkg:Mid'\n", "unknown"),
        (
            "import pkg\nfrom unittest import mock\nwith mock.patch('pkg._p'): pass\n",
            "unknown",
        ),
        ("import pkg\nlog = 'pkg.requests'\n", "safe"),
        ("import pkg\nlog = 'other.Mid'\n", "safe"),
    ] {
        hold(&[(was, is, client, answer)], python);
    }
    hold(
        &[
            (
                "class M: pass\n",
                "class M:\n  x = 1\n",
                "import pkg\nCFG = 'pkg.M'\n",
                "safe",
            ),
            (
                "def f(a): pass\n",
                "def f(a, b): pass\n",
                "import pkg\nCFG = 'pkg.f'\n",
                "unknown",
            ),
        ],
        python,
    );
}

#[test]
fn a_new_member_may_meet_one_of_a_class_that_derives_from_its_class() {
    let old = "class C:\n  def go(self): return 1\n";
    let new = "class C:\n  def go(self): return self.run()\n  def run(self): return 2\n";
    hold(
        &[
            (
                old,
                new,
                "import pkg\nclass D(pkg.C):\n  def run(self, x): return x\nD().go()\n",
                "unknown",
            ),
            (
                old,
                new,
                "import pkg\nclass D(pkg.C):\n  def __init__(self): self.run = 1\n",
                "unknown",
            ),
            (
                "class B: pass\nclass C(B): pass\n",
                "class B:\n  def run(self): pass\nclass C(B): pass\n",
                "import pkg\nclass D(pkg.C):\n  def run(self, x): return x\n",
                "unknown",
            ),
            (
                old,
                new,
                "import pkg\nclass D(pkg.C):\n  def other(self, x): return x\n",
                "safe",
            ),
            (
                old,
                new,
                "import pkg\nclass D:\n  def run(self, x): return x\npkg.C()\n",
                "safe",
            ),
            (
                "class B:\n  def run(self): pass\nclass C(B): pass\n",
                "class B:\n  def run(self): pass\nclass C(B):\n  def run(self): pass\n",
                "import pkg\nclass D(pkg.C):\n  def run(self): pass\n",
                "safe",
            ),
        ],
        python,
    );
}

#[test]
fn a_method_that_gave_its_object_is_chained() {
    let class = |body: &str| format!("class B:\n  def a(self): {body}\n  def b(self): return self\n");
    for (is, client, answer) in [
        ("pass", "pkg.B().a().b()", "unknown"),
        ("self.x = 1", "b = pkg.B()\nb.a().b()", "unknown"),
        ("return B()", "pkg.B().a().b()", "unknown"),
        ("return self", "pkg.B().a().b()", "safe"),
        ("pass", "pkg.B().b()", "safe"),
    ] {
        let client = format!("import pkg\n{client}\n");
        hold(&[(&class("return self"), &class(is), &client, answer)], python);
    }
}

#[test]
fn what_a_function_gives_of_its_own_is_compared() {
    hold(
        &[
            (
                "class B:\n  @classmethod\n  def a(cls): return cls()\n  def b(self): pass\n",
                "class B:\n  @classmethod\n  def a(cls): pass\n  def b(self): pass\n",
                "import pkg\npkg.B.a().b()\n",
                "unknown",
            ),
            (
                "def d(n):\n  def i(g): return g\n  return i\n@d(1)\ndef f(a): pass\n",
                "def d(n):\n  def i(g):\n    def w(): pass\n    return w\n  return i\n@d(1)\ndef f(a): pass\n",
                "import pkg\npkg.f(1)\n",
                "unknown",
            ),
            (
                "def f(x): return x\n",
                "def f(x): pass\n",
                "import pkg\npkg.f([1]).append(2)\n",
                "unknown",
            ),
        ],
        python,
    );
}

#[test]
fn what_code_of_the_package_makes_changes_with_that_code() {
    let class = |parameters: &str| {
        format!(
            "class _C:\n  def __call__(self, {parameters}): pass\n  def m(self, {parameters}): pass\n_i = _C()\nm = _i.m\nf = _C()\n"
        )
    };
    let partial =
        |parameters: &str| format!("from functools import partial\ndef _g({parameters}): pass\nf = partial(_g, 1)\n");
    let factory = |parameters: &str| format!("def mk(n):\n  def g({parameters}): pass\n  return g\nf = mk(1)\n");
    let decorated = |body: &str| format!("def d(g):\n{body}\n@d\ndef f(a): pass\n@d\nclass C: pass\n");
    hold(
        &[
            (
                &class("a"),
                &class("a, b"),
                "import pkg\npkg.f(1)\n",
                "parameter-added pkg.f app.py:2",
            ),
            (
                &class("a"),
                &class("a, b"),
                "import pkg\npkg.m(1)\n",
                "parameter-added pkg.m app.py:2",
            ),
            (
                &class("a"),
                &class("a, b=1"),
                "import pkg\npkg.m(1)\npkg.f(1)\n",
                "safe",
            ),
            (
                &partial("a, b"),
                &partial("a, b, c"),
                "import pkg\npkg.f(2)\n",
                "unknown",
            ),
            (
                &partial("a, b"),
                &partial("a, b, c=1"),
                "import pkg\npkg.f(2)\n",
                "safe",
            ),
            (&factory("a"), &factory("a, b"), "import pkg\npkg.f(1)\n", "unknown"),
            (
                &decorated("  return g"),
                &decorated("  def w(): pass\n  return w"),
                "import pkg\npkg.f(1)\n",
                "unknown",
            ),
            (
                &decorated("  return g"),
                &decorated("  return None"),
                "import pkg\npkg.C()\n",
                "unknown",
            ),
            (
                &decorated("  def w(*a, **k): return g(*a, **k)\n  return w"),
                &decorated("  def w(*a, **k):\n    log(g)\n    return g(*a, **k)\n  return w"),
                "import pkg\npkg.f(1)\n",
                "safe",
            ),
        ],
        python,
    );
}

#[test]
fn choices_and_declarations_of_a_function_are_kept() {
    let choice = |parameters: &str| format!("def _g({parameters}): pass\ndef _h(a): pass\nf = _g if X else _h\n");
    let of = |types: &[&str]| {
        let declared: String = types
            .iter()
            .map(|ty| format!("@overload\ndef f(a: {ty}) -> {ty}: ...\n"))
            .collect();
        format!("from typing import overload\n{declared}def f(a): return a\n")
    };
    hold(
        &[
            (&choice("a"), &choice("a, b"), "import pkg\npkg.f(1)\n", "unknown"),
            (&choice("a"), &choice("a, b=1"), "import pkg\npkg.f(1)\n", "safe"),
            (
                &of(&["int", "str"]),
                &of(&["int"]),
                "import pkg\npkg.f('x')\n",
                "unknown",
            ),
            (
                &of(&["int", "str"]),
                "def f(a: int) -> int: return a\n",
                "import pkg\npkg.f('x')\n",
                "unknown",
            ),
            (&of(&["int"]), &of(&["int", "str"]), "import pkg\npkg.f(1)\n", "safe"),
        ],
        python,
    );
}
