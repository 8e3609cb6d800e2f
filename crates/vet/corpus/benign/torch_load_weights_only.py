# label: benign
# expect:
# note: The same with weights_only=True, which refuses arbitrary pickles; a good reader knows the difference.
# allow: V701
import torch

model = torch.nn.Linear(4, 2)
torch.save(model.state_dict(), "linear.pt")
state = torch.load("linear.pt", weights_only=True)
model.load_state_dict(state)
model.eval()
print(model(torch.ones(4)))
