#!/usr/bin/env python3
"""check.py FILE: is each line a resource as tests/fhir/r4.json has it?  Prints what isn't, and the count."""
import json
import os
import re
import sys

with open(os.path.join(os.path.dirname(__file__), "r4.json"), encoding="utf-8") as f:
    SCHEMA = json.load(f)


def fits(value, shape, at):
    """Yield a sentence for each place that doesn't fit."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            yield f"{at}: no object"
            return
        known = {name.rstrip("!"): name for name in shape}
        for name, more in value.items():
            if name not in known:
                yield f"{at}.{name}: not in the subset"
            else:
                yield from fits(more, shape[known[name]], f"{at}.{name}")
        for plain, name in known.items():
            if name.endswith("!") and plain not in value:
                yield f"{at}.{plain}: is required"
    elif isinstance(shape, list) and isinstance(shape[0], dict):
        if not isinstance(value, list) or not value:
            yield f"{at}: no array, or an empty one"
            return
        for i, more in enumerate(value):
            yield from fits(more, shape[0], f"{at}[{i}]")
    elif isinstance(shape, list):
        if value not in shape:
            yield f"{at}: {value!r} is none of {shape}"
    elif shape == "number":
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            yield f"{at}: {value!r} is no number"
    elif shape == "positive":
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            yield f"{at}: {value!r} is no positive number"
    elif not isinstance(value, str) or not re.fullmatch(shape[1:-1], value):
        yield f"{at}: {value!r} doesn't match {shape}"


def main():
    wrong, ids, lines = 0, set(), 0
    with open(sys.argv[1], encoding="utf-8") as f:
        for lines, line in enumerate(f, 1):
            resource = json.loads(line)
            kind = resource.get("resourceType")
            found = list(fits(resource, SCHEMA[kind], kind)) if kind in SCHEMA else [f"{kind}: no such type"]
            if resource.get("id") in ids:
                found.append(f"{kind}: the id {resource.get('id')} comes twice")
            ids.add(resource.get("id"))
            for words in found:
                print(f"line {lines}: {words}")
            wrong += len(found)
    print(f"{lines} resources, {wrong} wrong")
    return wrong != 0


sys.exit(main())
