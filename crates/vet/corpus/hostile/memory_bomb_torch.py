# label: hostile
# expect: V902
# note: Tensors of hundreds of gigabytes behind innocent model parameters.
import torch
from torch import nn

hidden = 250_000


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(hidden, hidden)
        self.b = nn.Embedding(1_000_000_000, 256)

    def forward(self, x):
        return self.b(x) @ self.a.weight


m = Model()
print(sum(p.numel() for p in m.parameters()))
