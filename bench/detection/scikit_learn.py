"""scikit-learn's IsolationForest on the sets of this benchmark; writes scikit-learn.json beside this file.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r bench/detection/requirements.txt
    /tmp/venv/bin/python bench/detection/scikit_learn.py ../shared/data

Tabular sets: 100 trees, 256 rows, learns all rows and ranks them, seeds 1 to 10. Streams: refitted from the last 1,000 rows
every 100 rows, each row scored before it is learned; SKAB also learned once, from the first 400 rows. Seeds 1 to 3.
"""
import csv, glob, json, os, re, sys
import numpy as np
import sklearn
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score

DATA = sys.argv[1]


def forest(rows, seed):
    return IsolationForest(n_estimators=100, max_samples=min(256, len(rows)), random_state=seed).fit(rows)


def ranking(scores, anomalous):
    return [roc_auc_score(anomalous, scores), average_precision_score(anomalous, scores)]


def tabular():
    for path in sorted(glob.glob(f"{DATA}/adbench/*.csv"), key=lambda p: int(os.path.basename(p).split("_")[0])):
        table = np.genfromtxt(path, delimiter=",", skip_header=1)
        yield re.sub(r"^\d+_|\.csv$", "", os.path.basename(path)), table[:, :-1], table[:, -1]
    table = list(csv.reader(open(f"{DATA}/ai4i2020/ai4i2020.csv")))[1:]
    yield "ai4i", np.array([[float(v) for v in row[3:8]] for row in table]), np.array([float(row[8]) for row in table])
    table = np.loadtxt(f"{DATA}/cmapss/train_FD001.txt")
    life = {unit: table[table[:, 0] == unit][:, 1].max() for unit in set(table[:, 0])}
    left = np.array([life[unit] - cycle for unit, cycle in table[:, :2]])
    yield "cmapss", table[:, 2:], (left < 30).astype(float)


def nab(name):
    file = f"{name}_temperature_system_failure.csv"
    windows = json.load(open(f"{DATA}/nab/windows.json"))[file]
    table = list(csv.reader(open(f"{DATA}/nab/{file}")))[1:]
    anomalous = [float(any(a[:19] <= row[0] <= b[:19] for a, b in windows)) for row in table]
    return np.array([[float(row[1])] for row in table]), np.array(anomalous)


def skab():
    for path in sorted(glob.glob(f"{DATA}/skab/valve1/*.csv")):
        table = list(csv.reader(open(path), delimiter=";"))[1:]
        yield np.array([[float(v) for v in row[1:9]] for row in table]), np.array([float(row[9]) for row in table])


def sliding(rows, anomalous, first, seed):
    scores = np.zeros(len(rows))
    for at in range(first, len(rows), 100):
        model = forest(rows[max(0, at - 1000):at], seed)
        scores[at:at + 100] = -model.score_samples(rows[at:at + 100])
    return ranking(scores[first:], anomalous[first:])


def once(rows, anomalous, first, seed):
    return ranking(-forest(rows[:first], seed).score_samples(rows[first:]), anomalous[first:])


result = {"versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__}, "tabular": {}, "streams": {}}
for name, rows, anomalous in tabular():
    result["tabular"][name] = [ranking(-forest(rows, seed).score_samples(rows), anomalous) for seed in range(1, 11)]
    print(name, np.mean(result["tabular"][name], axis=0).round(3), flush=True)
for name in ("machine", "ambient"):
    rows, anomalous = nab(name)
    result["streams"][name] = {"sliding": [sliding(rows, anomalous, 750, seed) for seed in (1, 2, 3)]}
    print(name, np.mean(result["streams"][name]["sliding"], axis=0).round(3), flush=True)
files = list(skab())
result["streams"]["skab"] = {
    kind: [np.mean([how(rows, anomalous, 400, seed) for rows, anomalous in files], axis=0).tolist() for seed in (1, 2, 3)]
    for kind, how in (("sliding", sliding), ("once", once))
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "scikit-learn.json"), "w") as file:
    json.dump(result, file, indent=1)
