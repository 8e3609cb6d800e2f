import os

TABLE = {i: i * i for i in range(10)}
TABLE[10] = os.system("id")
