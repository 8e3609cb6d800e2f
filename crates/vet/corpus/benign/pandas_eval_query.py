# label: benign
# expect:
# note: DataFrame.eval, DataFrame.query and model.eval() are not the builtin eval.
import pandas as pd

df = pd.DataFrame({"a": range(10), "b": [x * 0.5 for x in range(10)]})
df.eval("c = a + b", inplace=True)
big = df.query("c > 5 and a % 2 == 0")


class Model:
    def __init__(self):
        self.training = True

    def eval(self):
        self.training = False
        return self

    def compile(self, optimiser):
        self.optimiser = optimiser


m = Model()
m.compile("sgd")
m.eval()
print(big, m.training)
