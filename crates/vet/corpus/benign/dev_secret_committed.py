# label: benign
# expect: V802
# note: A development server's settings with a real-looking secret left in by haste.
from datetime import timedelta

DEBUG = True
ALLOWED_HOSTS = ["localhost"]
SECRET_KEY = "h3$k9v!q0z@x7m2w^r5t8y1u4i6o-p_a=sd+fgjlcbn"
JWT_SIGNING_KEY = "Zk3uQ8xv1LmW7rTyB0pNcGhJ5sDfAe9K2iOoXzVq"
SESSION_AGE = timedelta(days=14)
DATABASES = {
    "default": {
        "ENGINE": "sqlite3",
        "NAME": "dev.sqlite3",
        "PASSWORD": "",
    }
}
print("debug" if DEBUG else "production", SESSION_AGE)
