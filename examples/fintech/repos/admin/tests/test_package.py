import pathlib
import sys
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import package  # noqa: E402


class Package(unittest.TestCase):
    def test_the_wheel_holds_the_tool_and_its_record(self):
        with tempfile.TemporaryDirectory() as folder:
            path = package.pack(folder)
            names = zipfile.ZipFile(path).namelist()
        self.assertEqual(path.name, "fintech_admin-1.4.0-py3-none-any.whl")
        self.assertIn("admin/refunds.py", names)
        self.assertIn("fintech_admin-1.4.0.dist-info/RECORD", names)


if __name__ == "__main__":
    unittest.main()
