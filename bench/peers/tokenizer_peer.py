"""Runs a rival tokenizer behind the line protocol of src/tokenizers/segment_encoder_bench.cc, in an environment of its own.

A rival is a class with `load(path)`, `prepare(text)`, `encode()` (the call that is timed, in the rival's fastest mode for raw
ids on one thread), `ids(result)` (a numpy array, not timed) and, where it can, `forget()`.
"""
import json
import os
import sys
import time

os.environ.setdefault("RAYON_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def answer(rival, command, argument):
    if command == "load":
        start = time.process_time()
        rival.load(argument)
        return {"cpu": time.process_time() - start, "recognised": True}
    if command == "text":
        with open(argument, "rb") as stream:
            data = stream.read()
        rival.prepare(data)
        return {"bytes": len(data)}
    if command == "encode":
        start = time.process_time()
        result = rival.encode()
        seconds = time.process_time() - start
        return {"cpu": seconds, "count": len(rival.ids(result))}
    if command in ("latency", "offsets"):
        rounds = int(argument)
        start = time.process_time()
        for _ in range(rounds):
            rival.encode()
        return {"cpu": (time.process_time() - start) / rounds}
    if command == "write":
        rival.ids(rival.encode()).astype("<u4").tofile(argument)
        return {}
    return {"error": "unknown command"}


def serve(rival):
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        try:
            reply = answer(rival, command, argument)
        except Exception as error:  # noqa: BLE001 - a rival that fails is a result, not a fault of the scenario
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)
