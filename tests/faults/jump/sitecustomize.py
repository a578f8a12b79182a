"""The machine's clock as somebody sets it: by as many seconds as the file says that ESCLUSA_TEST_JUMP names."""

import os
import time
from pathlib import Path

_file, _real = Path(os.environ["ESCLUSA_TEST_JUMP"]), time.time
time.time = lambda: _real() + float(_file.read_text())
