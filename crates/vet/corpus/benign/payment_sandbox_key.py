# label: benign
# expect: V301 V802
# note: An integration script with a payment provider's test-mode key; worthless, yet in the shape of a secret.
import requests

# Test mode. The live key is in the vault.
API_KEY = "sk_test_4fQ9vXw2LkT7zRbN8cYpJm3H"

r = requests.post(
    "https://pay.example.org/v1/charges",
    auth=(API_KEY, ""),
    data={"amount": 1999, "currency": "eur", "source": "tok_visa"},
    timeout=10,
)
print(r.status_code, r.json().get("status"))
