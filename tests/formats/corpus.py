"""Files that hide a call from scanners, one shape a function, each with the line that says how.

Every shape calls os.system("true") or the like in some loader's eyes, and the scanner must call it `dangerous`, or
`suspicious` where the shape says so.
"""
import corpus_archives  # noqa: F401
import corpus_formats  # noqa: F401
import corpus_packed  # noqa: F401
import corpus_pickles  # noqa: F401
from shapes import EVIL, SHAPES, torch_zip, zip_of  # noqa: F401


def write_all(folder):
    """Writes every shape into `folder`; returns rows of (path, verdict, line)."""
    rows = []
    for name, extension, verdict, line, make in SHAPES:
        path = folder / (name + extension)
        path.write_bytes(make())
        rows.append((path, verdict, line))
    return rows


if __name__ == "__main__":
    for name, extension, verdict, line, _ in SHAPES:
        print(f"{name}{extension}: {verdict}: {line}")
    print(len(SHAPES), "shapes")
