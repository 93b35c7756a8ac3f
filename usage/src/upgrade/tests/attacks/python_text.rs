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
