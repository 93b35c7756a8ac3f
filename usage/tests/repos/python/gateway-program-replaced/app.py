import subprocess
import sys

subprocess.run(["git", "-m", "ya" + "ml"], executable=sys.executable)
