# label: benign
# expect:
# note: A lesson about Unix permissions that mentions /etc/shadow and ~/.ssh in its texts and opens neither.
"""Quiz: what may an ordinary user read?"""

QUESTIONS = [
    ("/etc/passwd", True, "world-readable: names and home directories"),
    ("/etc/shadow", False, "only root and the group shadow"),
    ("~/.ssh/id_rsa", True, "your own key, with mode 600"),
    ("/root/.bash_history", False, "root's directory is closed"),
    ("/var/run/docker.sock", False, "root or the group docker"),
]

score = 0
for path, answer, why in QUESTIONS:
    reply = input(f"May you read {path}? [y/n] ").strip().lower() == "y"
    if reply == answer:
        score += 1
        print("right,", why)
    else:
        print("no:", why)
print(f"{score} of {len(QUESTIONS)}")
