"""Prints the lowest versions of the dependencies that pyproject.toml allows, as requirements for pip."""

import re
import tomllib
from pathlib import Path

described = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
project, groups = described["project"], described["dependency-groups"]
for requirement in [
    *project["dependencies"],
    *project["optional-dependencies"]["action"],
    *project["optional-dependencies"]["sandbox"],
    *groups["build"],
    *groups["test"],
]:
    print(re.sub(r">=([^,]+).*", r"==\1", requirement))
