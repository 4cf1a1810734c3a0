"""Measures reading a large manifest.json of dbt, in time and memory: `bench/dbt_manifest.py [MEGABYTES]`.

The file is like a real one: four fifths of it are macros, and each model has code, columns and three tests.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from incident_gate.dbt.project import project_limits, read_project

_CODE = 'select a.id, b.name from {{ ref("orders") }} as a\n  join "db"."s" b on a.id = b.id -- a comment\n'
_METADATA = {
    "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
    "adapter_type": "snowflake",
    "project_name": "big",
}


def write_manifest(path: Path, size: int) -> None:
    """Write a manifest.json of about `size` bytes."""
    with path.open("w", encoding="utf-8") as file:
        file.write('{"metadata": ' + json.dumps(_METADATA))
        for section, share in (("nodes", size // 5), ("sources", size // 100), ("macros", size - size // 5)):
            file.write(f', "{section}": {{')
            end = file.tell() + share
            for number, (unique_id, entry) in enumerate(_entries(section)):
                file.write(f"{', ' if number else ''}{json.dumps(unique_id)}: {json.dumps(entry)}")
                if file.tell() > end:
                    break
            file.write("}")
        file.write(', "parent_map": {}, "child_map": {}}')


def _entries(section: str) -> Iterator[tuple[str, dict[str, Any]]]:
    number = 0
    while True:
        number += 1
        place = {"package_name": "big", "path": f"models/m{number}.sql", "meta": {}, "tags": ["daily"]}
        if section == "macros":
            yield f"macro.big.m{number}", {"name": f"m{number}", "macro_sql": _CODE * 12, **place}
            continue
        where = {"database": "ANALYTICS", "schema": f"S{number % 50}", "config": {"enabled": True}, **place}
        if section == "sources":
            yield f"source.big.raw.s{number}", {"resource_type": "source", "name": f"s{number}", **where}
            continue
        model = f"model.big.m{number}"
        columns = {f"c{n}": {"name": f"c{n}", "description": "text " * 4, "data_type": None} for n in range(15)}
        code = {"raw_code": _CODE * 8, "compiled_code": _CODE * 10}
        yield model, {"resource_type": "model", "name": f"m{number}", "columns": columns, **code, **where}
        for test in range(3):
            metadata = {"name": "not_null", "kwargs": {"column_name": f"c{test}", "model": f"ref('m{number}')"}}
            relations = {"depends_on": {"nodes": [model]}, "attached_node": model, "test_metadata": metadata}
            yield f"test.big.t{number}_{test}", {"resource_type": "test", "name": f"t{test}", **relations, **where}


def measure(path: Path) -> dict[str, float]:
    """Read a manifest.json in this process: seconds, peak megabytes, nodes and tests."""
    started = time.perf_counter()
    project = read_project(path, project_limits())
    seconds = time.perf_counter() - started
    # `ru_maxrss` would begin with the peak of the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    megabytes = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    return {"seconds": seconds, "megabytes": megabytes, "nodes": len(project.nodes), "tests": len(project.tests)}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "manifest.json"
        write_manifest(large, int(sys.argv[1] if len(sys.argv) > 1 else 200) * 1_000_000)
        print(json.dumps({"bytes": large.stat().st_size} | measure(large)))
