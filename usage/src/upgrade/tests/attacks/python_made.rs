use super::python::python;
use super::*;

#[test]
fn what_became_abstract_cannot_be_made() {
    let plain = "class C:\n  def __init__(self): pass\n";
    let client = "import pkg\npkg.C()\n";
    let breaks = "kind pkg.C app.py:2";
    for (new, answer) in [
        (
            "import abc\nclass C(abc.ABC):\n  @abc.abstractmethod\n  def q(self): ...\n",
            breaks,
        ),
        (
            "from abc import *\nclass C(metaclass=ABCMeta):\n  @abstractmethod\n  def q(self): ...\n",
            breaks,
        ),
        (
            "from abc import ABC,abstractmethod\nclass B(ABC):\n  @abstractmethod\n  def q(self): ...\nclass C(B): pass\n",
            breaks,
        ),
        (
            "from abc import ABC,abstractmethod\nclass B(ABC):\n  @abstractmethod\n  def q(self): ...\nclass C(B):\n  def __init__(self): self.q = 1\n",
            breaks,
        ),
        (
            "import abc\nclass C(abc.ABC):\n  @abc.abstractproperty\n  def q(self): ...\n",
            breaks,
        ),
        ("from typing import Protocol\nclass C(Protocol): pass\n", breaks),
        (
            "from typing import Protocol\nclass C(Protocol):\n  def __init__(self): pass\n",
            "unknown",
        ),
        (
            "from abc import ABC,abstractmethod\nclass B(ABC):\n  @abstractmethod\n  def q(self): ...\nclass C(B):\n  def q(self): pass\n",
            "safe",
        ),
        (
            "from abc import ABC,abstractmethod\nclass B(ABC):\n  @property\n  @abstractmethod\n  def q(self): ...\nclass C(B):\n  q = 1\n",
            "safe",
        ),
        (
            "from abc import ABC,abstractmethod\nclass B(ABC):\n  @abstractmethod\n  def q(self): ...\nclass M:\n  def q(self): pass\nclass C(B, M): pass\n",
            "unknown",
        ),
        // Without `ABC`, Python doesn't ask.
        (
            "from abc import abstractmethod\nclass C:\n  @abstractmethod\n  def q(self): ...\n",
            "safe",
        ),
        ("from abc import ABC\nclass C(ABC): pass\n", "safe"),
    ] {
        hold(&[(plain, new, client, answer)], python);
    }
    hold(
        &[
            (
                "class B: pass\nclass C(B): pass\n",
                "from abc import ABC,abstractmethod\nclass B(ABC):\n  @abstractmethod\n  def q(self): ...\nclass C(B): pass\n",
                "import pkg\nclass D(pkg.C): pass\nD()\n",
                "unknown",
            ),
            (
                plain,
                "import abc\nclass C(abc.ABC):\n  @abc.abstractmethod\n  def q(self): ...\n",
                "import pkg\nmake(pkg.C)\n",
                "unknown",
            ),
            (
                "class C: pass\ndef f(): pass\n",
                "from typing import Protocol\nclass C(Protocol): pass\ndef f(): pass\n",
                "import pkg\npkg.f()\n",
                "safe",
            ),
        ],
        python,
    );
}

#[test]
fn data_classes_are_made_of_their_bases_fields_too() {
    let two = |with: &str, base: &str, own: &str| format!("{with}\nclass B:\n{base}\n{with}\nclass C(B):\n{own}\n");
    let data = "from dataclasses import dataclass, field\n@dataclass";
    let attrs = "from attrs import define\n@define";
    for (with, was, is, own, call, answer) in [
        (
            data,
            "  x: int",
            "  y: int\n  x: int",
            "  a: int",
            "C(1, 2)",
            "parameter-added pkg.C",
        ),
        (
            attrs,
            "  x: int",
            "  x: int\n  y: int",
            "  a: int = 0",
            "C(1)",
            "parameter-added pkg.C",
        ),
        (
            data,
            "  x: int = 0",
            "  x: int = 0\n  y: int = 0",
            "  a: int = 0",
            "C(a=1)",
            "safe",
        ),
        (
            data,
            "  x: int",
            "  y: int = 0\n  x: int = 1",
            "  a: int = 1",
            "C(1)",
            "parameter-reordered pkg.C",
        ),
        (
            data,
            "  x: int = 1",
            "  x: int = field(repr=False)",
            "  a: int = 1",
            "C()",
            "parameter-added pkg.C",
        ),
        (
            data,
            "  x: int = 1",
            "  x: int = 1",
            "  a: int = field(default=1)",
            "C()",
            "safe",
        ),
    ] {
        let client = format!("from pkg import C\n{call}\n");
        hold(&[(&two(with, was, own), &two(with, is, own), &client, answer)], python);
    }
}

#[test]
fn what_another_package_makes_of_fields_is_not_known() {
    let model = |fields: &str| {
        format!("from pydantic import BaseModel, Field\nclass B(BaseModel):\n  z: int = 0\nclass C(B):\n{fields}\n")
    };
    for (was, is, client, answer) in [
        ("  a: int", "  a: int\n  b: int", "C(a=1)", "unknown"),
        ("  a: int", "  a: str\n  c: int", "C(a=1)", "unknown"),
        ("  a: int", "  b: int", "C(a=1)", "unknown"),
        ("  a: int", "  a: int\n  b: int = Field(...)", "C(a=1)", "unknown"),
        ("  a: int", "  a: int\n  b: int = 1", "C(a=1)", "safe"),
        ("  a: int", "  a: int\n  b: int = Field(1)", "C(a=1)", "safe"),
        ("  a: int", "  a: int", "C(a=1)", "safe"),
        ("  a: int", "  a: int\n  b: int", "f = 1", "safe"),
    ] {
        let client = format!("from pkg import C\n{client}\n");
        hold(&[(&model(was), &model(is), &client, answer)], python);
    }
}

#[test]
fn keys_that_a_mapping_must_have_are_asked_for() {
    let dict = |head: &str, field: &str| {
        format!(
            "from typing import TypedDict, NotRequired\nclass T({head}):\n  a: int\n  b: {field}\ndef f(t: T): pass\n"
        )
    };
    for (was, is, answer) in [
        (
            dict("TypedDict, total=False", "int"),
            dict("TypedDict", "int"),
            "unknown",
        ),
        (
            dict("TypedDict", "NotRequired[int]"),
            dict("TypedDict", "int"),
            "unknown",
        ),
        (dict("TypedDict", "int"), dict("TypedDict", "NotRequired[int]"), "safe"),
    ] {
        hold(&[(&was, &is, "import pkg\npkg.f({'a': 1})\n", answer)], python);
    }
}

#[test]
fn a_package_that_is_run_stays_one_that_can_be() {
    let client = [
        ("app.py", "import pkg\nrun('python -m pkg')\n"),
        ("requirements.txt", "pkg==1.0\n"),
    ];
    let of = |files: Files<'_>, new: Files<'_>| {
        told(&judged(
            Ecosystem::Pypi,
            read_python,
            &[("1.0", files), ("1.1", new)],
            &client,
        ))
    };
    let (init, main) = (("pkg/__init__.py", ""), ("pkg/__main__.py", "print(1)\n"));
    assert!(of(&[init, main], &[init]).starts_with("unknown: its command `python -m pkg` is gone"));
    assert_eq!(of(&[init], &[init, main]), "safe");
}

#[test]
fn fields_need_no_annotation_to_be_asked_for() {
    let attrs = |fields: &str| format!("import attr\n@attr.s\nclass C:\n{fields}\n");
    let table = |fields: &str| format!("from orm import Model, Text\nclass C(Model):\n{fields}\n");
    let (one, two) = ("  x = attr.ib(default=1)", "  x = attr.ib(default=1)\n  y = attr.ib()");
    hold(
        &[
            (
                &attrs(one),
                &attrs(two),
                "from pkg import C\nC()\n",
                "parameter-added pkg.C app.py:2",
            ),
            (
                &attrs(two),
                &attrs(one),
                "from pkg import C\nC(y=1)\n",
                "parameter-removed pkg.C app.py:2",
            ),
            (
                &table("  name = Text()"),
                &table("  title = Text()"),
                "from pkg import C\nC(name='a')\n",
                "unknown",
            ),
            (
                &table("  name = Text()"),
                &table("  name = Text()\n  title = Text()"),
                "from pkg import C\nC(name='a')\n",
                "safe",
            ),
            (
                "class C:\n  A = 1\n",
                "from enum import Enum\nclass C(Enum):\n  A = 1\n",
                "from pkg import C\nC()\n",
                "unknown",
            ),
        ],
        python,
    );
}
