"""The telemetry's job done with paho, onnxruntime and scikit-learn: known failures, then a forest for each machine that is
fitted anew every 100 rows. Called by peer.ts; prints a line of JSON ten times a second.

    pip install -r bench/factory/requirements.txt
    python_way.py <port> <model.onnx> <rows at a time: 1 = each as it comes>
"""
import collections, json, sys, threading, time, warnings
import numpy as np
import onnxruntime
import paho.mqtt.client as mqtt
import sklearn
from sklearn.ensemble import IsolationForest

warnings.filterwarnings("ignore", message="max_samples")  # a young forest has fewer rows than trees ask for
PORT, MODEL, BATCH = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
KNOWN = ["type", "air_temperature", "process_temperature", "rotational_speed", "torque", "tool_wear"]
NOVEL = ["rotational_speed", "torque", "spindle_current", "coolant_pressure", "vibration"]
HISTORY, RETRAIN, WARMUP = 1000, 100, 100

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])
input_name = session.get_inputs()[0].name
outputs = [output.name for output in session.get_outputs()]


class Machine:
    def __init__(self):
        self.rows = collections.deque(maxlen=HISTORY)
        self.waiting = []
        self.new = 0
        self.forest = None


machines = collections.defaultdict(Machine)
handled = alerts = scored = 0


def judge(machine, topic, readings):
    global handled, alerts, scored
    known = np.array([[reading[name] for name in KNOWN] for reading in readings], dtype=np.float32)
    session.run(outputs, {input_name: known})
    rows = np.array([[reading[name] for name in NOVEL] for reading in readings])
    if machine.forest is not None:
        flagged = machine.forest.score_samples(rows) < -0.6
        scored += len(rows)
        for row in np.flatnonzero(flagged):
            alerts += 1
            client.publish("alerts/" + topic, json.dumps(readings[row]))
    machine.rows.extend(rows)
    machine.new += len(rows)
    if machine.new >= (RETRAIN if machine.forest is not None else WARMUP):
        machine.new = 0
        machine.forest = IsolationForest(n_estimators=100, max_samples=256, random_state=42, n_jobs=1).fit(
            np.array(machine.rows))
    handled += len(readings)


def on_message(client, userdata, message):
    machine = machines[message.topic]
    machine.waiting.append(json.loads(message.payload))
    if len(machine.waiting) >= BATCH:
        judge(machine, message.topic, machine.waiting)
        machine.waiting = []


def report():
    while True:
        time.sleep(0.1)
        print(json.dumps({"handled": handled + sum(len(m.waiting) for m in list(machines.values())), "judged": handled,
                          "scored": scored, "alerts": alerts, "cpu": time.process_time(),
                          "version": f"scikit-learn {sklearn.__version__}, onnxruntime {onnxruntime.__version__}"}), flush=True)


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="python-way")
client.on_message = on_message
client.connect("127.0.0.1", PORT)
client.subscribe("+/+/telemetry", qos=1)
threading.Thread(target=report, daemon=True).start()
client.loop_forever()
