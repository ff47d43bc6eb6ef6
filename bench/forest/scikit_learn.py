"""Times scikit-learn's IsolationForest on the rows of a CSV file; prints JSON. Called by forest.ts.

    pip install -r bench/detection/requirements.txt
"""
import json, sys, time
import numpy as np
import sklearn
from sklearn.ensemble import IsolationForest

rows = np.loadtxt(sys.argv[1], delimiter=",", dtype=np.float32)


def median_ms(action, repeats):
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        action()
        times.append(1000 * (time.perf_counter() - began))
    return float(np.median(times))


def fit(seed=1):
    return IsolationForest(n_estimators=100, max_samples=256, random_state=seed, n_jobs=1).fit(rows)


forest = fit()
print(json.dumps({
    "version": sklearn.__version__,
    "fit": median_ms(fit, 15),
    "batch": median_ms(lambda: forest.score_samples(rows), 15) / len(rows) * 1000,
    "single": median_ms(lambda: forest.score_samples(rows[:1]), 50) * 1000,
}))
