import os
import sys

os.execv(sys.executable, ["p", "-m", "ya" + "ml"])
