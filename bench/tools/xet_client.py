"""One measured act of the stock client, in a process of its own (environment hub2). Prints {"seconds", "cpu_seconds", ...}.

Usage: xet_client.py ACT JSON. Imports and the start of the library's runtime are not timed.
"""
import json
import os
import pathlib
import sys
import time

import hf_xet


def connection(endpoint, route, token):
    """Where a session goes: a local:// folder, or the address of a token route."""
    if route is None:
        return {"endpoint": endpoint}
    return {"token_refresh_url": route, "token_refresh_headers": {"Authorization": "Bearer " + token}}


def hash_files(file):
    return {"xet_hash": hf_xet.hash_files([file])[0].hash}


def upload(file, endpoint=None, route=None, token=None, sha256=None):
    commit = hf_xet.XetSession().new_upload_commit(**connection(endpoint, route, token))
    handle = commit.start_upload_file(file, sha256=sha256 or hf_xet.COMPUTE_SHA256)
    report = commit.wait_to_finish()
    metrics = report.dedup_metrics
    info = handle.result().xet_info
    return {"xet_hash": info.hash, "sha256": info.sha256, "size": info.file_size,
            "sent_bytes": metrics.xorb_bytes_uploaded + metrics.shard_bytes_uploaded}


def download(xet_hash, size, target, endpoint=None, route=None, token=None):
    with hf_xet.XetSession().new_file_download_group(**connection(endpoint, route, token)) as group:
        group.start_download_file(hf_xet.XetFileInfo(xet_hash, size), target)
    return {"size": os.path.getsize(target)}


def hub_upload(file, repo, path, token):
    from huggingface_hub import HfApi
    api = HfApi(token=token)
    return lambda: {"oid": api.upload_file(path_or_fileobj=file, path_in_repo=path, repo_id=repo).oid}


def hub_download(repo, path, folder, token):
    from huggingface_hub import HfApi
    api = HfApi(token=token)
    return lambda: {"size": pathlib.Path(api.hf_hub_download(repo, path, local_dir=folder)).stat().st_size}


def main():
    act, arguments = sys.argv[1], json.loads(sys.argv[2])
    work = globals()[act]
    if act.startswith("hub_"):  # imports first
        timed = work(**arguments)
    else:
        def timed():
            return work(**arguments)
    before, start = os.times(), time.perf_counter()
    result = timed()
    seconds, after = time.perf_counter() - start, os.times()
    result["seconds"] = seconds
    result["cpu_seconds"] = after.user + after.system - before.user - before.system
    print(json.dumps(result))


if __name__ == "__main__":
    main()
