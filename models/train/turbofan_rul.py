"""Trains models/turbofan-rul.onnx on NASA's C-MAPSS FD001, and writes its card and its test vectors.

    python models/train/turbofan_rul.py                      train, evaluate on held-out engines, cross-validate, export
    python models/train/turbofan_rul.py --test test_FD001.txt RUL_FD001.txt
                                                             the shipped model on C-MAPSS's own test set; writes nothing

The remaining useful life in cycles, capped at 125, from the last 30 cycles of an engine's informative sensors. Of each
sensor the window gives three numbers: its mean, its slope, and an average that leans to the newest cycles. Five small
neural networks read them, and the answer is their mean. Scaling and all the rest is inside the ONNX graph: the flow
supplies raw sensor values. Engines are whole in one set or the other, and nothing is taken from the held-out ones.
"""

from common import FIXTURES, MODELS, figures, mean_sd, pretty, print_speed, session, versions, write_json

import argparse
import hashlib
import warnings
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

MODEL, CARD = MODELS / "turbofan-rul.onnx", MODELS / "turbofan-rul.json"
VECTORS = FIXTURES / "turbofan-rul-vectors.json"
VERSION = "1.0.0"
warnings.simplefilter("ignore", ConvergenceWarning)  # the number of passes is chosen, not waited for

# Of the 21 sensors those that say something; `informative` checks it on the training engines.
CHANNELS = [  # number, name, unit, decimals, meaning
    (2, "T24", "°R", 2, "total temperature at the outlet of the low-pressure compressor"),
    (3, "T30", "°R", 2, "total temperature at the outlet of the high-pressure compressor"),
    (4, "T50", "°R", 2, "total temperature at the outlet of the low-pressure turbine"),
    (7, "P30", "psia", 2, "total pressure at the outlet of the high-pressure compressor"),
    (8, "Nf", "rpm", 2, "physical fan speed"),
    (9, "Nc", "rpm", 2, "physical core speed"),
    (11, "Ps30", "psia", 2, "static pressure at the outlet of the high-pressure compressor"),
    (12, "phi", "pps/psi", 2, "fuel flow divided by Ps30"),
    (13, "NRf", "rpm", 2, "corrected fan speed"),
    (14, "NRc", "rpm", 2, "corrected core speed"),
    (15, "BPR", "", 4, "bypass ratio"),
    (17, "htBleed", "", 0, "bleed enthalpy"),
    (20, "W31", "lbm/s", 2, "coolant bleed of the high-pressure turbine"),
    (21, "W32", "lbm/s", 4, "coolant bleed of the low-pressure turbine"),
]
NAMES = [name for _, name, *_ in CHANNELS]
SENSORS = [number for number, *_ in CHANNELS]

SIZE = 30  # cycles; the shortest engine of the official test set has 31
CAP = 125  # cycles: further from its end an engine does not show how far
THRESHOLD = 30
HELD_OUT = np.sort(np.random.default_rng(2008).permutation(np.arange(1, 101))[:20])
FOLDS, FOLD_SEED = 5, 7

# Fixed before the held-out engines were scored.
SEEDS = 5
NETWORK = dict(hidden_layer_sizes=(32, 16), activation="relu", alpha=1.0, batch_size=256, learning_rate_init=2e-3, max_iter=60)
UNIT = 50  # cycles that the network sees as 1
RECENT = 7  # cycles in which the weight of the leaning average falls to 1/e


# --- data ------------------------------------------------------------------------------------------------------------


def find_data():
    for parent in Path(__file__).resolve().parents:
        path = parent / "shared" / "data" / "cmapss" / "train_FD001.txt"
        if path.exists():
            return path
    raise SystemExit("train_FD001.txt not found: give its path with --data")


def load(path):
    """Engines by number: their sensors' values [cycles, 21], in order of the cycles."""
    table = np.loadtxt(path)
    engines = {}
    for unit in np.unique(table[:, 0]).astype(int):
        rows = table[table[:, 0] == unit]
        assert (rows[:, 1] == np.arange(1, len(rows) + 1)).all(), f"unit {unit} has a gap"
        engines[int(unit)] = rows[:, 5:26]
    return engines


def informative(engines):
    """Numbers of the sensors with more than two distinct values."""
    table = np.concatenate(list(engines.values()))
    return [i + 1 for i in range(table.shape[1]) if len(np.unique(table[:, i])) > 2]


def windows(engines, units):
    """All windows of these engines: x [n, SIZE, sensors], cycles left after the window's last [n], and the unit [n]."""
    x, left, owner = [], [], []
    for unit in units:
        rows = engines[int(unit)][:, [number - 1 for number in SENSORS]]
        for end in range(SIZE, len(rows) + 1):
            x.append(rows[end - SIZE : end])
            left.append(len(rows) - end)
            owner.append(int(unit))
    return served(np.array(x)), np.array(left, float), np.array(owner)


def served(values):
    """As the graph gets them: float32."""
    return np.asarray(values, np.float32).astype(float)


# --- the model -------------------------------------------------------------------------------------------------------


def projections():
    """Weights over the window's cycles, oldest first: mean, slope (change over the window), leaning average. [3, SIZE]"""
    time = np.arange(SIZE) - (SIZE - 1) / 2
    recent = np.exp(np.arange(SIZE) / RECENT)
    return np.stack([np.full(SIZE, 1 / SIZE), time / (time**2).sum() * SIZE, recent / recent.sum()])


def train(x, left):
    flat = x.reshape(-1, x.shape[2])
    mean, scale = served(flat.mean(axis=0)), served(flat.std(axis=0))
    low, high = (flat.min(axis=0) - mean) / scale, (flat.max(axis=0) - mean) / scale
    model = {"mean": mean, "scale": scale, "low": low, "high": high, "projections": projections()}
    numbers = summarize(model, x)
    centre, spread = numbers.mean(axis=0), numbers.std(axis=0)
    target = np.minimum(left, CAP) / UNIT
    model["networks"] = []
    for seed in range(SEEDS):
        network = MLPRegressor(random_state=seed, n_iter_no_change=NETWORK["max_iter"], **NETWORK)
        network.fit((numbers - centre) / spread, target)
        weights, biases = [w.copy() for w in network.coefs_], [b.copy() for b in network.intercepts_]
        # Standardizing goes into the first layer, the unit of the target and the mean of the networks into the last.
        weights[0] /= spread[:, None]
        biases[0] -= centre @ weights[0]
        weights[-1] *= UNIT / SEEDS
        biases[-1] *= UNIT / SEEDS
        model["networks"].append((weights, biases))
    return model


def summarize(model, x):
    """Values beyond the training engines' range count as its edge: nothing is extrapolated."""
    z = np.clip((x - model["mean"]) / model["scale"], model["low"], model["high"])
    return (model["projections"] @ z).reshape(len(x), -1)


def predict(model, x):
    """The training side's answer in float64: cycles left [n]."""
    numbers, total = summarize(model, x), 0
    for weights, biases in model["networks"]:
        hidden = numbers
        for w, b in zip(weights[:-1], biases[:-1]):
            hidden = np.maximum(hidden @ w + b, 0)
        total = total + (hidden @ weights[-1] + biases[-1])[:, 0]
    return np.clip(total, 0, CAP)


def build_graph(model):
    steps, constants = [], []

    def constant(name, value, kind=np.float32):
        constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def op(kind, inputs, output, **attributes):
        steps.append(helper.make_node(kind, inputs, [output], name=f"{kind}_{output}", **attributes))
        return output

    op("Sub", ["window", constant("mean", model["mean"])], "centred")
    op("Div", ["centred", constant("scale", model["scale"])], "scaled")
    op("Max", ["scaled", constant("low", model["low"])], "from_low")
    op("Min", ["from_low", constant("high", model["high"])], "bounded")
    op("MatMul", [constant("projections", model["projections"]), "bounded"], "projected")
    op("Flatten", ["projected"], "numbers", axis=1)
    answers = []
    for n, (weights, biases) in enumerate(model["networks"]):
        value = "numbers"
        for layer, (w, b) in enumerate(zip(weights, biases)):
            inputs = [value, constant(f"weights_{n}_{layer}", w), constant(f"bias_{n}_{layer}", b)]
            value = op("Gemm", inputs, f"layer_{n}_{layer}")
            if layer < len(weights) - 1:
                value = op("Relu", [value], f"hidden_{n}_{layer}")
        answers.append(value)
    op("Sum", answers, "cycles")
    op("Clip", ["cycles", constant("none_left", 0), constant("cap", CAP)], "capped")
    op("Squeeze", ["capped", constant("last_axis", [1], np.int64)], "rul")
    graph = helper.make_graph(
        steps, "turbofan-rul",
        [helper.make_tensor_value_info("window", TensorProto.FLOAT, ["N", SIZE, len(NAMES)])],
        [helper.make_tensor_value_info("rul", TensorProto.FLOAT, ["N"])],
        constants,
    )  # fmt: skip
    proto = helper.make_model(
        graph, ir_version=8, producer_name="millwright", producer_version=VERSION, opset_imports=[helper.make_opsetid("", 17)]
    )
    onnx.checker.check_model(proto, full_check=True)
    return proto.SerializeToString(deterministic=True)


def serve(serving, x):
    return serving.run(None, {"window": np.ascontiguousarray(x, np.float32)})[0]


def parity(model, serving, x):
    """Largest difference in cycles between training side and onnxruntime, in one batch and window by window."""
    expected = predict(model, x)
    single = np.concatenate([serve(serving, x[i : i + 1]) for i in range(len(x))])
    return max(float(np.abs(expected - got).max()) for got in (serve(serving, x), single))


# --- how good it is --------------------------------------------------------------------------------------------------


def rmse(error):
    return float(np.sqrt((error**2).mean()))


def nasa_score(error):
    """NASA's asymmetric score, the mean of an engine: an answer that is too late costs more than one that is too early."""
    return float(np.where(error < 0, np.exp(-error / 13) - 1, np.exp(error / 10) - 1).mean())


def random_cuts(error, owner, draws=500):
    """As in the official test: each engine is cut once, at a random cycle; drawn many times. RMSE and score of each draw."""
    rng = np.random.default_rng(1)
    places = [np.flatnonzero(owner == unit) for unit in np.unique(owner)]
    picked = np.stack([rng.choice(place, draws) for place in places], axis=1)
    return [rmse(error[row]) for row in picked], [nasa_score(error[row]) for row in picked]


def evaluate(answer, left, owner):
    truth = np.minimum(left, CAP)
    error = answer - truth
    cut_rmse, cut_score = random_cuts(error, owner)
    flagged, due = answer <= THRESHOLD, left <= THRESHOLD
    first = [float(left[owner == unit][flagged[owner == unit]].max(initial=-1)) for unit in np.unique(owner)]
    return {
        "windows": len(left),
        "rmse": figures(rmse(error)),
        "mae": figures(np.abs(error).mean()),
        "meanError": figures(error.mean(), 2),
        "rmseRandomCut": mean_sd(cut_rmse),
        "nasaScorePerEngine": mean_sd(cut_score, 3),
        "rmseByCyclesLeft": {
            name: figures(rmse(error[(left >= low) & (left < high)]))
            for name, low, high in (("0-29", 0, 30), ("30-59", 30, 60), ("60-124", 60, 125), ("125 and more (as 125)", 125, np.inf))
        },
        "rmseUncappedTruth": figures(rmse(answer - left)),
        "rmseOfAConstant": figures(rmse(truth.mean() - truth)),
        "atThreshold": {
            "threshold": THRESHOLD,
            "recall": figures((flagged & due).sum() / due.sum()),
            "precision": figures((flagged & due).sum() / flagged.sum()),
            "flaggedWithMoreThan60Left": figures((flagged & (left > 60)).sum() / (left > 60).sum(), 2),
            "cyclesLeftAtFirstAlarm": {"median": float(np.median(first)), "min": min(first), "max": max(first)},
        },
    }


def cross_validate(engines, units):
    folds = np.array_split(np.random.default_rng(FOLD_SEED).permutation(units), FOLDS)
    all_windows, cuts, scores = [], [], []
    for fold in folds:
        x, left, owner = windows(engines, fold)
        fit = windows(engines, np.setdiff1d(units, fold))
        error = predict(train(*fit[:2]), x) - np.minimum(left, CAP)
        cut_rmse, cut_score = random_cuts(error, owner)
        all_windows.append(rmse(error))
        cuts.append(np.mean(cut_rmse))
        scores.append(np.mean(cut_score))
        print(f"fold of {len(fold)} engines: RMSE {all_windows[-1]:.2f} over all windows, {cuts[-1]:.2f} at a random cut", flush=True)
    return {
        "method": f"{FOLDS} folds of whole engines among the training engines, seed {FOLD_SEED}, the same settings throughout; sd over folds",
        "rmse": mean_sd(all_windows),
        "rmseRandomCut": mean_sd(cuts),
        "nasaScorePerEngine": mean_sd(scores, 3),
        "rmseByFold": [figures(value) for value in all_windows],
    }


def official_test(test, truth):
    engines, left = load(test), np.loadtxt(truth)
    short = [unit for unit, rows in engines.items() if len(rows) < SIZE]
    assert not short, f"units {short} have fewer than {SIZE} cycles"
    x = np.stack([rows[-SIZE:, [number - 1 for number in SENSORS]] for rows in engines.values()])
    answer = serve(session(MODEL.read_bytes()), x)
    for name, target in ((f"truth capped at {CAP}", np.minimum(left, CAP)), ("truth as it is", left)):
        error = answer - target
        print(f"{len(left)} engines, {name}: RMSE {rmse(error):.2f}, NASA score {nasa_score(error) * len(left):.0f}")


# --- what is written -------------------------------------------------------------------------------------------------


def synthetic_windows(x, left):
    """Windows made from statistics of all training engines and a seed; none of their rows is a row of the data set."""
    rng = np.random.default_rng(20)
    bins = np.arange(0, 211, 10)
    level = np.stack([x[np.abs(left - b) <= 5, -1].mean(axis=0) for b in bins])
    noise = np.concatenate([x[np.abs(left - b) <= 5, -1] - level[i] for i, b in enumerate(bins)]).std(axis=0)

    def window(end, shake=1.0):
        cycles_left = end + np.arange(SIZE)[::-1]
        middle = np.stack([np.interp(cycles_left, bins, column) for column in level.T], axis=1)
        return rounded(middle + shake * noise * rng.normal(size=middle.shape))

    cases = [("smooth, 180 left", window(180, 0))]
    cases += [(f"about {end} left", window(end)) for end in (180, 125, 100, 80, 60, 40, 30, 20, 10, 0)]
    beyond = window(0)
    cases.append(("beyond every engine", rounded(beyond + 5 * (beyond - level[-1]))))
    return cases


def rounded(window):
    """To the decimals that the data set has."""
    return np.stack([np.round(window[:, i], decimals) for i, (*_, decimals, _) in enumerate(CHANNELS)], axis=1)


def plain(window):
    return [[int(v) if v == int(v) else float(v) for v in row] for row in window.tolist()]


def write_vectors(model, cases, digest):
    rows = [{"case": name, "rul": round(float(predict(model, served(w[None]))[0]), 4), "window": plain(w)} for name, w in cases]
    note = "Synthetic windows (30 cycles, oldest first) with the training side's answers, written by models/train/turbofan_rul.py"
    write_json(VECTORS, {"note": note, "digest": digest, "features": NAMES, "tolerance": 0.01, "rows": rows})


def card(model, x, cases, units, digest, metrics):
    flat = x.reshape(-1, len(NAMES))
    features = []
    for i, (number, name, unit, decimals, meaning) in enumerate(CHANNELS):
        low, high = (round(float(value), decimals) for value in (flat[:, i].min(), flat[:, i].max()))
        entry = {"name": name, "unit": unit, "min": low, "max": high}
        features.append({**entry, "column": f"sensor {number}", "meaning": meaning})
    healthy = cases[0][1]
    return {
        "name": "turbofan-rul",
        "version": VERSION,
        "task": "regress",
        "description": f"Remaining useful life of a turbofan engine in cycles (flights), at most {CAP}, from the last {SIZE} cycles of 14 raw sensor channels.",
        "input": {"name": "window", "type": "float32", "shape": ["N", SIZE, len(NAMES)]},
        "window": {
            "size": SIZE,
            "layout": "NTF",
            "meaning": f"N windows of T = {SIZE} consecutive cycles, oldest first; each cycle is one row of the F = {len(NAMES)} features in the order below",
        },
        "features": features,
        "threshold": THRESHOLD,
        "direction": "below",
        "outputs": {"score": "rul", "shapes": {"rul": ["N"]}, "reading": f"rul[i] = cycles left after the last cycle of window i, 0 to {CAP}; {CAP} means {CAP} or more."},
        "sample": plain(healthy),
        "expected": {"rul": round(float(predict(model, served(healthy[None]))[0]), 4)},
        "digest": digest,
        "license": "Apache-2.0",
        "provenance": {
            "dataset": "C-MAPSS turbofan engine degradation simulation, subset FD001 (NASA Prognostics Center of Excellence)",
            "url": "https://data.nasa.gov/dataset/cmapss-jet-engine-simulated-data",
            "citation": "A. Saxena, K. Goebel, D. Simon, N. Eklund, Damage Propagation Modeling for Aircraft Engine Run-to-Failure Simulation, PHM 2008",
            "license": "work of the US Government",
            "changes": "Used for training only; no row is part of this package. Of train_FD001.txt the 7 constant sensors and the 3 settings are left out.",
            "trainingEngines": len(units),
            "trainingWindows": len(x),
            "heldOutEngines": HELD_OUT.tolist(),
            "script": "models/train/turbofan_rul.py",
            "versions": versions(),
            "method": f"scaling, mean, slope and leaning average of each sensor over the window, then the mean of {SEEDS} networks "
            f"of {' and '.join(str(n) for n in NETWORK['hidden_layer_sizes'])} hidden units (scikit-learn MLPRegressor), all inside the graph",
        },
        "metrics": metrics,
        "thresholdReason": "30 cycles are what the literature on this data calls the end of life, time to plan a change in. The error is smallest there; "
        "metrics has recall and precision of the alarm, and how many cycles were left when it first came.",
        "limits": [
            "Trained on simulated engines of one type, one operating condition (sea level) and one fault (wear of the high-pressure compressor). "
            "For another engine, other conditions or another fault the answer means nothing: retrain on run-to-failure records of your own.",
            "It is no model of your machine: a pump, a spindle or a bearing has other sensors. It shows how a remaining life is served.",
            f"It needs {SIZE} consecutive cycles, one row a cycle (a value averaged over the flight or taken at the same moment of each). With fewer there is no answer, "
            "and cycles left out or rows taken every second are another quantity.",
            f"{CAP} means {CAP} or more: an engine far from its end does not show how far.",
            "Single answers differ by some cycles from one window to the next, and are surest near the end. To be safe take m of n votes, and do not plan to the last cycle.",
            "Values beyond the range of the training engines count as the edge of the range: nothing is extrapolated, and a broken sensor is not noticed. "
            "Set min and max in sensor-ingest to reject it. One missing value (NaN) in the window makes the answer NaN, which is never an alarm.",
            "It does not say which part fails, and gives no interval around its answer.",
        ],
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="train_FD001.txt (default: shared/data beside or above the repository)")
    parser.add_argument("--test", type=Path, nargs=2, metavar=("TEST", "RUL"), help="score C-MAPSS's own test set and write nothing")
    args = parser.parse_args()
    if args.test:
        official_test(*args.test)
        return
    engines = load(args.data or find_data())
    units = np.setdiff1d(list(engines), HELD_OUT)
    assert informative({unit: engines[unit] for unit in units.tolist()}) == SENSORS
    x, left, _ = windows(engines, units)
    held, held_left, held_owner = windows(engines, HELD_OUT)
    cases = synthetic_windows(x, left)
    model = train(x, left)
    data = build_graph(model)
    digest = hashlib.sha256(data).hexdigest()
    serving = session(data)
    wide = np.random.default_rng(1).normal(model["mean"], 3 * model["scale"], size=(5000, SIZE, len(NAMES)))
    difference = max(parity(model, serving, served(each)) for each in (x, held, wide))
    print(f"parity, max abs difference: {difference:.2e} cycles")
    assert difference < 0.01
    metrics = {
        "heldOut": {
            "method": f"{len(HELD_OUT)} whole engines that no part of training has seen (seed 2008), scored by the shipped model; a random cut takes one window "
            "of each engine, drawn 500 times (sd over the draws); nasaScorePerEngine is NASA's asymmetric score divided by the number of engines",
            **evaluate(serve(serving, held).astype(float), held_left, held_owner),
        },
        "crossValidated": cross_validate(engines, units),
        "selection": "the kind of model (window statistics, not a convolution) was picked in a first comparison over all 100 engines, about twenty settings "
        "by cross-validation within the training engines only, on other folds: a little optimism remains",
        "parityMaxDifference": figures(difference, 2),
    }
    print(pretty(metrics))
    write_vectors(model, cases, digest)
    MODEL.write_bytes(data)
    write_json(CARD, card(model, x, cases, units, digest, metrics))
    print_speed(serving, held.astype(np.float32))
    print(f"{MODEL.name}: {len(data)} bytes, sha256 {digest}, {len(cases)} test vectors")


if __name__ == "__main__":
    main()
