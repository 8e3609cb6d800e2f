# label: benign
# expect: V701
# note: Loads a checkpoint the old way, without weights_only; model.eval() beside it is no eval.
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))

    def forward(self, x):
        return self.layers(x)


net = Net()
state = torch.load("checkpoints/mnist.pt", map_location="cpu")
net.load_state_dict(state["model"])
net.eval()
with torch.no_grad():
    print(net(torch.zeros(1, 1, 28, 28)).argmax(1))
