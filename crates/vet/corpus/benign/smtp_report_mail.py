# label: benign
# expect: V301
# note: Mails a nightly report to its owner through the company's relay.
import smtplib
import ssl
from email.message import EmailMessage
from pathlib import Path

msg = EmailMessage()
msg["Subject"] = "Nightly totals"
msg["From"] = "reports@example.org"
msg["To"] = "team@example.org"
msg.set_content(Path("totals.txt").read_text())
msg.add_attachment(Path("totals.csv").read_bytes(), maintype="text", subtype="csv", filename="totals.csv")

with smtplib.SMTP("smtp.example.org", 587) as smtp:
    smtp.starttls(context=ssl.create_default_context())
    smtp.send_message(msg)
