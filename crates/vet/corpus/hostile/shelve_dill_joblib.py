# label: hostile
# expect: V301 V701
# note: Downloads somebody's model and opens it by each of the loaders that run what they read.
import shelve
import urllib.request

import dill
import joblib
import torch

urllib.request.urlretrieve("http://models.example.net/m.pt", "m.pt")

for attempt in (
    lambda: torch.load("m.pt"),
    lambda: joblib.load("m.pt"),
    lambda: dill.load(open("m.pt", "rb")),
    lambda: dict(shelve.open("m")),
):
    try:
        print(type(attempt()))
    except Exception as e:
        print("next", e)
