from __future__ import annotations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import yaml


def show(node: yaml.Node) -> None:
    print(node)
