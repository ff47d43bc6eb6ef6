"""What the training scripts share: where files go, JSON as the repository formats it, serving and its speed."""

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy: sums in the same order every time

import json
import platform
import re
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import sklearn

ROOT = Path(__file__).resolve().parents[2]
MODELS, FIXTURES = ROOT / "models", ROOT / "test" / "fixtures"
WIDTH = 110


def versions():
    return {
        "python": platform.python_version(), "scikit-learn": sklearn.__version__, "numpy": np.__version__,
        "onnx": onnx.__version__, "onnxruntime": ort.__version__,
    }  # fmt: skip


def figures(value, digits=4):
    """A number with so many significant digits, so that a card can be read."""
    return float(f"{float(value):.{digits}g}")


def mean_sd(values, digits=4):
    values = np.asarray(values, float)
    return {
        "mean": figures(values.mean(), digits), "sd": figures(values.std(ddof=1), digits),
        "min": figures(values.min(), digits), "max": figures(values.max(), digits),
    }  # fmt: skip


def session(data):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def print_speed(serving, x):
    name = serving.get_inputs()[0].name
    for rows in (1, 64, 1024):
        batch = np.ascontiguousarray(np.resize(x, (rows, *x.shape[1:])))
        times = []
        for _ in range(2000 if rows < 1024 else 200):
            start = time.perf_counter()
            serving.run(None, {name: batch})
            times.append(time.perf_counter() - start)
        middle = float(np.median(times))
        print(f"batch of {rows}: {middle * 1e3:.4f} ms, {rows / middle:,.0f} rows/s on one core")


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(pretty(value) + "\n", encoding="utf-8")


def pretty(value, indent=0, used=0):
    """JSON as prettier lays it out; `used` is what its line already holds before and after it."""
    inner, outer = " " * (indent + 2), " " * indent
    if isinstance(value, dict) and value:
        entries = []
        for key, entry in value.items():
            name = f"{text(key)}: "
            entries.append(f"{inner}{name}{pretty(entry, indent + 2, indent + 3 + len(name))}")
        return "{\n" + ",\n".join(entries) + f"\n{outer}}}"
    if not isinstance(value, list) or not value:
        return text(value)
    nested = len(value) > 1 and all(isinstance(entry, (dict, list)) and len(entry) > 1 for entry in value)
    flat = text(value)
    if not nested and used + len(flat) <= WIDTH and not any(isinstance(entry, dict) for entry in value):
        return flat
    if any(isinstance(entry, (dict, list, str)) for entry in value):
        return "[\n" + ",\n".join(inner + pretty(entry, indent + 2, indent + 3) for entry in value) + f"\n{outer}]"
    lines, line = [], ""
    for i, entry in enumerate(value):
        part = text(entry) + ("," if i < len(value) - 1 else "")
        if line and len(inner) + len(line) + 1 + len(part) > WIDTH:
            lines.append(inner + line)
            line = part
        else:
            line = f"{line} {part}" if line else part
    return "[\n" + "\n".join([*lines, inner + line]) + f"\n{outer}]"


def text(value):
    return re.sub(r"(?<=\d)e-0(\d)", r"e-\1", json.dumps(value, ensure_ascii=False))  # 1e-5, as prettier wants it
