use super::*;

pub(super) fn python(old: &str, new: &str, client: &str) -> Compatibility {
    let (old, new) = ([("pkg/__init__.py", old)], [("pkg/__init__.py", new)]);
    let client = [("app.py", client), ("requirements.txt", "pkg==1.0\n")];
    judged(Ecosystem::Pypi, read_python, &[("1.0", &old), ("1.1", &new)], &client)
}

#[test]
fn what_the_language_asks_for_is_used() {
    let gone = "class C: pass\n";
    let has = |method: &str| format!("class C:\n  def {method}(self, *a): pass\n");
    for (method, client, answer) in [
        ("__enter__", "with C() as c: pass", "removed pkg.C.__enter__ app.py:2"),
        ("__exit__", "with C(): pass", "removed pkg.C.__exit__ app.py:2"),
        (
            "__aenter__",
            "async def f():\n  async with C(): pass",
            "removed pkg.C.__aenter__ app.py:3",
        ),
        ("__iter__", "for x in C(): pass", "removed pkg.C.__iter__ app.py:2"),
        ("__iter__", "[x for x in C()]", "removed pkg.C.__iter__ app.py:2"),
        ("__iter__", "a, b = C()", "removed pkg.C.__iter__ app.py:2"),
        ("__iter__", "print(*C())", "removed pkg.C.__iter__ app.py:2"),
        ("__iter__", "sorted(C())", "removed pkg.C.__iter__ app.py:2"),
        (
            "__aiter__",
            "async def f():\n  async for x in C(): pass",
            "removed pkg.C.__aiter__ app.py:3",
        ),
        (
            "__await__",
            "async def f(): await C()",
            "removed pkg.C.__await__ app.py:2",
        ),
        ("__len__", "len(C())", "removed pkg.C.__len__ app.py:2"),
        ("__add__", "C() + 1", "removed pkg.C.__add__ app.py:2"),
        ("__rmul__", "2 * C()", "removed pkg.C.__rmul__ app.py:2"),
        ("__neg__", "-C()", "removed pkg.C.__neg__ app.py:2"),
        ("__contains__", "1 in C()", "removed pkg.C.__contains__ app.py:2"),
        ("__lt__", "C() < 1", "removed pkg.C.__lt__ app.py:2"),
        ("__int__", "int(C())", "removed pkg.C.__int__ app.py:2"),
        ("__call__", "c = C()\nc()", "unknown"),
        ("__call__", "C()()", "unknown"),
        ("__getitem__", "C()['x']", "unknown"),
        ("__setitem__", "C()['x'] = 1", "unknown"),
        ("__delitem__", "del C()['x']", "unknown"),
        ("__eq__", "C() == 1", "unknown"),
        ("__bool__", "if C(): pass", "unknown"),
        ("__format__", "f'{C():>3}'", "unknown"),
        ("__hash__", "{C(): 1}", "safe"),
        ("__class_getitem__", "x: C[int] = C()", "unknown"),
        ("__enter__", "c = C()\nwith c: pass", "unknown"),
        ("__repr__", "with C(): pass", "safe"),
    ] {
        let client = format!("from pkg import C\n{client}\n");
        hold(&[(&has(method), gone, &client, answer)], python);
    }
}

#[test]
fn what_a_function_gives_is_used_as_it_is() {
    hold(
        &[
            (
                "class R:\n  def __iter__(self): pass\ndef f() -> R: return R()\n",
                "class R: pass\ndef f() -> R: return R()\n",
                "from pkg import f\nfor x in f(): pass\n",
                "removed pkg.f.__iter__ app.py:2",
            ),
            (
                "class R:\n  def __enter__(self): pass\n  def __exit__(self, *a): pass\ndef f(): return R()\n",
                "class R: pass\ndef f(): return R()\n",
                "import pkg\nwith pkg.f(): pass\n",
                "unknown",
            ),
            (
                "class R:\n  def __iter__(self): pass\ndef f(): return R()\n",
                "class R: pass\ndef f(): return R()\n",
                "import pkg\ndef use(r):\n  for x in r: pass\n",
                "unknown",
            ),
            (
                "def f(): return [1]\n",
                "def f(): yield 1\n",
                "from pkg import f\nlen(f())\n",
                "unknown",
            ),
            (
                "def f(): return 1, 2\n",
                "def f(): return 1, 2, 3\n",
                "from pkg import f\na, b = f()\n",
                "unknown",
            ),
            (
                "def f(): return {'a': 1}\n",
                "def f(): return None\n",
                "from pkg import f\nf()['a']\n",
                "unknown",
            ),
            (
                "def f(): return 'x'\n",
                "def f(): return b'x'\n",
                "from pkg import f\nf() + 'y'\n",
                "unknown",
            ),
            (
                "from typing import NamedTuple\nclass P(NamedTuple):\n  a: int\n  b: int\ndef f() -> P: pass\n",
                "from typing import NamedTuple\nclass P(NamedTuple):\n  a: int\n  b: int\n  c: int\ndef f() -> P: pass\n",
                "from pkg import f\na, b = f()\n",
                "unknown",
            ),
            (
                "from contextlib import contextmanager\n@contextmanager\ndef f(): yield 1\n",
                "def f(): return 1\n",
                "from pkg import f\nwith f(): pass\n",
                "unknown",
            ),
            (
                "def f(): pass\n",
                "async def f(): pass\n",
                "from pkg import f\nf()\n",
                "asyncness pkg.f app.py:2",
            ),
            (
                "async def f(): pass\n",
                "def f(): pass\n",
                "import pkg\nasync def g(): await pkg.f()\n",
                "asyncness",
            ),
            (
                "def f(): return [1]\n",
                "def f(): return [1, 2]\n",
                "from pkg import f\nlen(f())\n",
                "safe",
            ),
            (
                "def f(): return None\n",
                "def f(): return 1\n",
                "from pkg import f\nf()\n",
                "safe",
            ),
            (
                "def f() -> int: return g()\n",
                "def f() -> str: return g()\n",
                "from pkg import f\nf() + 1\n",
                "type",
            ),
            (
                "def f() -> list: return g()\n",
                "from typing import Iterator\ndef f() -> Iterator: return g()\n",
                "from pkg import f\nlen(f())\n",
                "unknown",
            ),
        ],
        python,
    );
}

#[test]
fn what_a_class_derives_from_is_asked() {
    let raises = |base: &str| format!("class Base(Exception): pass\nclass E({base}): pass\ndef f(): raise E\n");
    let catches = |base: &str| format!("import pkg\ntry:\n  pkg.f()\nexcept {base}: pass\n");
    for (was, is, caught, answer) in [
        ("OSError", "Exception", "OSError", "unknown"),
        ("OSError", "Exception", "(KeyError, OSError)", "unknown"),
        ("OSError", "Exception", "OSError as e", "unknown"),
        ("OSError", "Exception", "IOError", "unknown"),
        ("FileNotFoundError", "Exception", "OSError", "unknown"),
        ("FileNotFoundError", "PermissionError", "OSError", "safe"),
        ("ValueError", "UnicodeError", "ValueError", "safe"),
        ("ValueError, Base", "Base", "ValueError", "unknown"),
        ("Base", "Exception", "pkg.Base", "unknown"),
        ("OSError", "Exception", "KeyError", "safe"),
        ("OSError", "Exception", "ERRORS", "unknown"),
        ("Exception", "BaseException", "Exception", "unknown"),
    ] {
        hold(&[(&raises(was), &raises(is), &catches(caught), answer)], python);
    }
    hold(
        &[
            (
                "class E(OSError): pass\ndef f(): raise E\n",
                "def f(): raise RuntimeError\n",
                "import pkg\ntry: pkg.f()\nexcept OSError: pass\n",
                "unknown",
            ),
            (
                "class C(dict): pass\n",
                "class C: pass\n",
                "from pkg import C\nisinstance(C(), dict)\n",
                "unknown",
            ),
            (
                "class C(list): pass\n",
                "class C: pass\n",
                "from pkg import C\nfor x in C(): pass\n",
                "unknown",
            ),
            (
                "class C(dict): pass\n",
                "class C: pass\n",
                "import pkg, json\njson.dumps(pkg.C())\n",
                "unknown",
            ),
            (
                "class A: pass\nclass C(A): pass\ndef f(): pass\n",
                "class A: pass\nclass C: pass\ndef f(): pass\n",
                "import pkg\nx = pkg.f()\nif isinstance(x, pkg.A): pass\n",
                "unknown",
            ),
            (
                "class A: pass\nclass C(A): pass\ndef f(): pass\n",
                "class A: pass\nclass C: pass\ndef f(): pass\n",
                "import pkg\nmatch pkg.f():\n  case pkg.A(): pass\n",
                "unknown",
            ),
            (
                "class A: pass\ndef f(): pass\n",
                "class B: pass\ndef f(): pass\n",
                "import pkg\nmatch pkg.f():\n  case pkg.A(): pass\n",
                "removed pkg.A app.py:3",
            ),
            (
                "from enum import IntEnum\nclass E(IntEnum):\n  A = 1\n",
                "from enum import Enum\nclass E(Enum):\n  A = 1\n",
                "from pkg import E\nE.A + 1\n",
                "unknown",
            ),
            (
                "from abc import ABC\nclass C(ABC): pass\n",
                "class C: pass\n",
                "from pkg import C\nC()\n",
                "safe",
            ),
        ],
        python,
    );
}

#[test]
fn members_are_reached_through_the_class_or_its_objects() {
    hold(
        &[
            (
                "class C:\n  @staticmethod\n  def m(a): pass\n",
                "class C:\n  def m(self, a): pass\n",
                "from pkg import C\nC.m(1)\n",
                "removed pkg.C.m app.py:2",
            ),
            (
                "class C:\n  @classmethod\n  def m(cls): pass\n",
                "class C:\n  def m(self): pass\n",
                "import pkg\npkg.C.m()\n",
                "removed pkg.C.m app.py:2",
            ),
            (
                "class C:\n  @staticmethod\n  def m(a): pass\n",
                "class C:\n  def m(self, a): pass\n",
                "from pkg import C\nC().m(1)\n",
                "safe",
            ),
            (
                "class C:\n  @staticmethod\n  def m(a): pass\n",
                "class C:\n  def m(a): pass\n",
                "from pkg import C\nC().m(1)\n",
                "parameter-removed pkg.C.m app.py:2",
            ),
            (
                "class C:\n  x = 1\n",
                "class C:\n  def __init__(self): self.x = 1\n",
                "from pkg import C\nprint(C.x)\n",
                "removed pkg.C.x app.py:2",
            ),
            (
                "class C:\n  x = 1\n",
                "class C:\n  def __init__(self): self.x = 1\n",
                "from pkg import C\nprint(C().x)\n",
                "safe",
            ),
            (
                "class C:\n  def m(self, a): pass\n",
                "class C:\n  @staticmethod\n  def m(a): pass\n",
                "import pkg\npkg.C.m(pkg.C(), 1)\n",
                "unknown",
            ),
            (
                "class C:\n  @property\n  def x(self): return 1\n",
                "class C:\n  def x(self): return 1\n",
                "from pkg import C\nC().x + 1\n",
                "unknown",
            ),
            (
                "class C:\n  def x(self): return 1\n",
                "class C:\n  @property\n  def x(self): return 1\n",
                "from pkg import C\nC().x()\n",
                "unknown",
            ),
            (
                "class C:\n  def __init__(self): self.x = 1\n",
                "class C:\n  @property\n  def x(self): return 1\n",
                "from pkg import C\nC().x = 2\n",
                "kind pkg.C.x app.py:2",
            ),
            (
                "class C:\n  @property\n  def x(self): pass\n  @x.setter\n  def x(self, v): pass\n",
                "class C:\n  @property\n  def x(self): pass\n",
                "from pkg import C\nc = C()\nc.x = 2\n",
                "kind pkg.C.x app.py:3",
            ),
            (
                "class C:\n  def __init__(self): self.x = 1\n",
                "class C:\n  @property\n  def x(self): return 1\n",
                "from pkg import C\nprint(C().x)\n",
                "safe",
            ),
            (
                "class C:\n  def __init__(self): self.x = 1\ndef f(): pass\n",
                "class C:\n  @property\n  def x(self): return 1\ndef f(): pass\n",
                "import pkg\nc = pkg.f()\nc.x = 2\n",
                "unknown",
            ),
        ],
        python,
    );
}

#[test]
fn tuples_and_classes_that_are_made_by_a_call_or_a_decorator_are_compared() {
    let tuple = |fields: &str| format!("from collections import namedtuple\nP = namedtuple('P', {fields})\n");
    for (was, is, client, answer) in [
        ("'a b'", "'a b c'", "P(1, 2)", "parameter-added pkg.P app.py:2"),
        ("'a b'", "'b a'", "P(1, 2)", "parameter-reordered pkg.P app.py:2"),
        ("'a, b'", "['a', 'b']", "P(1, 2)", "safe"),
        ("'a b'", "'a b c', defaults=(1,)", "P(1, 2)", "unknown"),
        (
            "'a b', defaults=(1,)",
            "'a b'",
            "P(1)",
            "parameter-added pkg.P app.py:2",
        ),
        ("'a b'", "'a c'", "P(1, 2).b", "removed pkg.P.b app.py:2"),
        ("'a b'", "FIELDS", "P(1, 2)", "unknown"),
    ] {
        let client = format!("from pkg import P\n{client}\n");
        hold(&[(&tuple(was), &tuple(is), &client, answer)], python);
    }
    let data = |decorator: &str, fields: &str| {
        format!("from dataclasses import dataclass\n@dataclass{decorator}\nclass C:\n{fields}")
    };
    for (was, is, client, answer) in [
        (
            data("", "  a: int\n  b: int\n"),
            data("", "  b: int\n  a: int\n"),
            "C(1, 2)",
            "parameter-reordered",
        ),
        (
            data("", "  a: int\n"),
            data("", "  a: int\n  b: int\n"),
            "C(1)",
            "parameter-added",
        ),
        (
            data("", "  a: int\n"),
            data("(frozen=True)", "  a: int\n"),
            "c = C(1)\nc.a = 2",
            "unknown",
        ),
        (
            data("", "  a: int\n"),
            data("(slots=True)", "  a: int\n"),
            "C(1).__dict__",
            "unknown",
        ),
        (
            data("", "  a: int\n"),
            data("(kw_only=True)", "  a: int\n"),
            "C(1)",
            "keyword-only pkg.C app.py:2",
        ),
        (
            data("(order=True)", "  a: int\n"),
            data("", "  a: int\n"),
            "C(1) < C(2)",
            "unknown",
        ),
    ] {
        hold(
            &[(&was, &is, &format!("from pkg import C\n{client}\n"), answer)],
            python,
        );
    }
    hold(
        &[
            (
                "class C: pass\n",
                "class M(type):\n  def __call__(cls, *a): raise TypeError\nclass C(metaclass=M): pass\n",
                "from pkg import C\nC()\n",
                "unknown",
            ),
            (
                "class M(type): pass\nclass C(metaclass=M): pass\n",
                "class M(type):\n  def __call__(cls, *a): raise TypeError\nclass C(metaclass=M): pass\n",
                "from pkg import C\nC()\n",
                "unknown",
            ),
            (
                "class C: pass\n",
                "class C:\n  def __init_subclass__(cls): raise TypeError\n",
                "from pkg import C\nclass D(C): pass\n",
                "unknown",
            ),
            (
                "class C: pass\n",
                "class C:\n  __slots__ = ()\n",
                "from pkg import C\nclass D(C): pass\n",
                "unknown",
            ),
            (
                "class C: pass\n",
                "from typing import final\n@final\nclass C: pass\n",
                "from pkg import C\nclass D(C): pass\n",
                "unknown",
            ),
            (
                "class C: pass\n",
                "from typing import final\n@final\nclass C: pass\n",
                "from pkg import C\nC()\n",
                "safe",
            ),
            (
                "from functools import total_ordering\n@total_ordering\nclass C:\n  def __lt__(self, o): pass\n",
                "class C:\n  def __lt__(self, o): pass\n",
                "from pkg import C\nC() >= C()\n",
                "unknown",
            ),
            (
                "class C:\n  def __hash__(self): return 1\n",
                "class C:\n  __hash__ = None\n",
                "from pkg import C\n{C(): 1}\n",
                "unknown",
            ),
            (
                "class C: pass\n",
                "class C:\n  def __eq__(self, o): return True\n",
                "from pkg import C\n{C(): 1}\n",
                "unknown",
            ),
            (
                "class C: pass\n",
                "class C:\n  def __new__(cls, a): pass\n",
                "from pkg import C\nC()\n",
                "unknown",
            ),
            (
                "class C:\n  def __init__(self, a): pass\n",
                "class C:\n  def __init__(self, a, b): pass\n",
                "from pkg import C\nclass D(C):\n  def __init__(self): super().__init__(1)\n",
                "unknown",
            ),
        ],
        python,
    );
}
