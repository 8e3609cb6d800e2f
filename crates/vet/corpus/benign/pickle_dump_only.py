# label: benign
# expect:
# note: Only writes a pickle; dumping executes nothing, so a rule that fires on the import alone is wrong.
import pickle
import random

random.seed(7)
weights = [[random.gauss(0, 1) for _ in range(16)] for _ in range(16)]
biases = [0.0] * 16


class Checkpoint:
    def __init__(self, step, weights, biases):
        self.step, self.weights, self.biases = step, weights, biases


with open("checkpoint-0001.pkl", "wb") as out:
    pickle.dump(Checkpoint(1, weights, biases), out)
print("saved", len(weights), "rows")
