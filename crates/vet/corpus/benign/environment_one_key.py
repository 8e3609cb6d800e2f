# label: benign
# expect:
# note: Reads single variables by name, which is not a wholesale read.
import os
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Settings:
    debug: bool = field(default_factory=lambda: os.environ.get("APP_DEBUG") == "1")
    workers: int = field(default_factory=lambda: int(os.getenv("APP_WORKERS", "2")))
    home: str = field(default_factory=lambda: os.environ["HOME"] if "HOME" in os.environ else "/work")


s = Settings()
print(s)
os.environ.setdefault("TZ", "UTC")
