"""Packs the tool as a wheel: `python3 scripts/package.py FOLDER`."""

import pathlib
import sys

from wheel.wheelfile import WheelFile

ROOT = pathlib.Path(__file__).resolve().parent.parent
METADATA = "Metadata-Version: 2.1\nName: fintech-admin\nVersion: {version}\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: package.py\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def pack(folder):
    """Writes the wheel and returns its path."""
    version = next(
        line.split('"')[1]
        for line in (ROOT / "admin" / "__init__.py").read_text(encoding="utf-8").splitlines()
        if line.startswith("VERSION")
    )
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"fintech_admin-{version}-py3-none-any.whl"
    info = f"fintech_admin-{version}.dist-info"
    with WheelFile(path, "w") as archive:
        for source in sorted((ROOT / "admin").glob("*.py")):
            archive.write(source, f"admin/{source.name}")
        archive.writestr(f"{info}/METADATA", METADATA.format(version=version))
        archive.writestr(f"{info}/WHEEL", WHEEL)
    return path


if __name__ == "__main__":
    print(pack(sys.argv[1]))
