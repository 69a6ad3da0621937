#!/usr/bin/env python3
"""Fails when a source file includes a component that its CMakeLists.txt does not declare in DEPS.

Prose does not keep layers: this compares every #include "component/..." under src/ with the transitive
closure that hearth_component(DEPS ...) declares, and fails when the declarations form a cycle.
"""
import pathlib
import re
import sys

SRC = pathlib.Path(__file__).resolve().parent.parent / "src"


def load_components():
    components = {}
    for cmake in SRC.rglob("CMakeLists.txt"):
        match = re.search(r"hearth_component\(NAME (\w+)([^)]*)\)", cmake.read_text(), re.S)
        if not match:
            continue

        def words(key, body=match.group(2)):
            part = re.search(r"\b" + key + r"\s+((?:(?!\b(?:DEPS|LIBS|TEST_DEPS|TEST_LIBS|SUBDIRS)\b)\S+\s*)+)", body)
            return part.group(1).split() if part else []

        components[match.group(1)] = {
            "folder": cmake.parent.relative_to(SRC).as_posix(),
            "deps": words(r"(?<!TEST_)DEPS"),
            "test_deps": words("TEST_DEPS"),
        }
    return components


def closure(components, name, path=()):
    if name in path:
        sys.exit("cycle in DEPS: " + " -> ".join(path + (name,)))
    reached = {name}
    for dep in components[name]["deps"]:
        if dep not in components:
            sys.exit(f"{name} declares the unknown component {dep}")
        reached |= closure(components, dep, path + (name,))
    return reached


def owner(components, include):
    best = None
    for name, component in components.items():
        if include.startswith(component["folder"] + "/"):
            if best is None or len(component["folder"]) > len(components[best]["folder"]):
                best = name
    return best


def main():
    components = load_components()
    faults = []
    for name, component in components.items():
        allowed = closure(components, name)
        test_allowed = set(allowed)
        for dep in component["test_deps"]:
            test_allowed |= closure(components, dep)
        for source in sorted((SRC / component["folder"]).rglob("*")):
            if source.suffix not in (".cc", ".h", ".inc"):
                continue
            relative = source.relative_to(SRC).as_posix()
            if owner(components, relative) != name:
                continue
            is_test = re.search(r"_(test|bench|fuzz)\.cc$", source.name)
            for number, line in enumerate(source.read_text().splitlines(), 1):
                match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
                if not match:
                    continue
                target = owner(components, match.group(1))
                if target is None:
                    if "/" in match.group(1) and not match.group(1).startswith("gen/"):
                        faults.append(f"src/{relative}:{number}: {match.group(1)} belongs to no component")
                    continue
                if target not in (test_allowed if is_test else allowed):
                    faults.append(f"src/{relative}:{number}: {name} does not declare {target}")
                elif "/internal/" in match.group(1) and target != name:
                    faults.append(f"src/{relative}:{number}: {match.group(1)} is internal to {target}")
    print("\n".join(faults) or f"layers hold: {len(components)} components")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
