"""One step of a client on a machine of its own (see machine.py): the step as JSON on standard input."""
import json
import sys

step = json.load(sys.stdin)
from huggingface_hub import CommitOperationAdd, HfApi  # noqa: E402  (reads HF_* when imported)

api = HfApi(token=step["token"] or False)
where = {"repo_id": step["repo"], "repo_type": step["kind"]}
if step["do"] == "upload":
    operations = [CommitOperationAdd(name, path) for name, path in step["files"].items()]
    result = api.create_commit(operations=operations, commit_message="upload", **where).oid
elif step["do"] == "download":
    result = [api.hf_hub_download(filename=name, cache_dir=step["cache"], **where) for name in step["files"]]
else:
    result = api.snapshot_download(cache_dir=step["cache"], **where)
json.dump(result, sys.stdout)
