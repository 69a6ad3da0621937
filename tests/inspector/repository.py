"""A labelled repository: its files, the kind it truly is, and the alarms that it must raise."""
import json


class Repository:
    def __init__(self, label, kinds, type="model", name="m", alarms=()):
        self.label, self.type, self.name = label, type, name
        self.kinds, self.alarms = set(kinds), set(alarms)
        self.files = {}

    def add(self, path, content):
        """bytes, text, or something that becomes JSON; None adds nothing."""
        if content is None:
            return self
        if not isinstance(content, (bytes, str)):
            content = json.dumps(content, indent=2)
        self.files[path] = content.encode() if isinstance(content, str) else content
        return self

    def write(self, root):
        for path, content in self.files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
