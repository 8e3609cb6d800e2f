# label: hostile
# expect: V701
# note: A pickle that calls print hides in base64 among what looks like a cached model.
# obfuscated: yes
# allow: V501 V504
import base64
import pickle

MODEL = "Y2J1aWx0aW5zCnByaW50CihTJ2xvYWRlZCcKdFIu"


class Predictor:
    def __init__(self):
        self.tree = pickle.loads(base64.b64decode(MODEL))

    def predict(self, xs):
        return [0 for _ in xs]


print(Predictor().predict([1, 2, 3]))
