"""One JSON object per line on stdout."""

import json
import sys
from datetime import datetime, timezone


def info(message: str, **fields) -> None:
    _write("info", message, fields)


def error(message: str, **fields) -> None:
    _write("error", message, fields)


def _write(level: str, message: str, fields: dict) -> None:
    time = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    line = json.dumps({"time": time, "level": level, "message": message, **fields})
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
